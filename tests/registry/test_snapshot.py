from lns.mac.queue import DownlinkItem
from lns.mac.settings import AdrSettings, MacSettings
from lns.registry.registry import Registry
from lns.registry.rows import DeviceRow, NetworkSnapshot, SessionRow, TemplateRow
from tests.registry.samples import APP_KEY, APP_S_KEY, NWK_KEY, abp, execute, otaa, write_traces

RULES = {"t": {"deadband_abs": 1.0}}


def test_snapshot_has_all_that_the_network_keeps(registry: Registry) -> None:
    registry.applications.add("a")
    template = {"name": "t", "region": "US915", "lorawan_version": "1.0.4", "codec": "cayenne-lpp", "rules": RULES}
    template["network"] = {"device_class": "C", "adr": {"margin_db": 12.0, "max_dr": 5}}
    registry.templates.add({**template, "fcnt_reset_allowed": True})
    registry.devices.add(
        otaa(1, name="own", application="a", template="t", join_eui="70b3d57ed0000000", tags={"room": "1"})
    )
    registry.devices.change(
        "70b3d57ed0000001", {"fcnt_reset_allowed": False, "variables": {"k": "v"}, "disabled": True}
    )
    registry.devices.change("70b3d57ed0000001", {"network": {"adr": {"max_dr": 3}}})
    write_traces(registry.path, 1)
    assert registry.load_network() == NetworkSnapshot(
        devices=[
            DeviceRow(
                id=1,
                application_id=2,
                template_id=2,
                dev_eui="70b3d57ed0000001",
                name="own",
                activation="otaa",
                join_eui="70b3d57ed0000000",
                nwk_key=None,
                app_key=bytes.fromhex(APP_KEY),
                gen_app_key=None,
                join_nonce=0,
                rj_count0=-1,
                rj_count1=-1,
                region="US915",
                lorawan_version="1.0.4",
                codec_id=1,
                fcnt_reset_allowed=False,
                disabled=True,
                tags={"room": "1"},
                variables={"k": "v"},
                settings=MacSettings(device_class="C", adr=AdrSettings(margin_db=12.0, max_dr=3)),
            )
        ],
        sessions=[
            SessionRow(
                id=7,
                device_id=1,
                region="EU868",
                dev_addr="260b1f22",
                keys=bytes(32),
                minor=0,
                fcnt_up=41,
                fcnt_down=7,
                afcnt_down=0,
                rx1_delay_s=1,
                rx1_dr_offset=0,
                rx2_dr=0,
                rx2_freq_hz=869_525_000,
                state="active",
                created_at_us=1,
                last_uplink_at_us=1_700_000_000_000_000,
                radio=None,
            )
        ],
        nonces={1: [300, 9]},
        downlinks=[
            DownlinkItem("d", 1, 2, b"\x03", False, 11, None, "queued", None, None, 3, 5, 0, 77),
            DownlinkItem("a", 1, 1, b"\x01", True, 9, None, "sent", None, 6, 1, 0, 1, None),
            DownlinkItem("b", 1, 2, b"\x02", False, 10, 99, "queued", None, None, 2, 0, 0, None),
        ],
        gateways=[],
        templates={1: TemplateRow(1, {}), 2: TemplateRow(2, RULES)},
        applications={1: "default", 2: "a"},
    )


def test_template_and_server_fill_in_what_a_device_leaves_open(registry: Registry) -> None:
    registry.devices.add(abp(1))
    registry.templates.add({"name": "t", "fcnt_reset_allowed": True, "codec": "cayenne-lpp"})
    registry.devices.add(otaa(2, template="t"))
    filled = [(d.region, d.codec_id, d.fcnt_reset_allowed, d.variables) for d in registry.load_network().devices]
    assert filled == [("EU868", None, False, {}), ("EU868", 1, True, {})]


def test_equal_settings_are_one_object(registry: Registry) -> None:
    registry.templates.add({"name": "t", "network": {"device_class": "C"}})
    registry.devices.add_many([otaa(1), otaa(2), otaa(3, template="t"), abp(4, network={"device_class": "C"})])
    first, second, third, fourth = (device.settings for device in registry.load_network().devices)
    assert (first is second, third.device_class, fourth) == (True, "C", third)
    assert registry.load_network(["70b3d57ed0000003"]).devices[0].settings is third


def test_root_keys_and_rejoin_counters_are_loaded(registry: Registry) -> None:
    registry.templates.add({"name": "t", "lorawan_version": "1.1"})
    registry.devices.add(otaa(1, template="t", nwk_key=NWK_KEY, gen_app_key=APP_S_KEY))
    execute(registry.path, "UPDATE device SET rj_count1 = 9")
    (row,) = registry.load_network().devices
    keys = (row.nwk_key, row.app_key, row.gen_app_key)
    assert keys == tuple(map(bytes.fromhex, (NWK_KEY, APP_KEY, APP_S_KEY)))
    assert (row.lorawan_version, row.rj_count0, row.rj_count1) == ("1.1", -1, 9)


def test_part_of_the_devices_is_loaded_by_dev_eui(registry: Registry) -> None:
    registry.devices.add_many([abp(i) for i in range(1200)])
    wanted = [f"70b3d57ed{i:07x}" for i in range(0, 1200, 2)]
    part = registry.load_network([*wanted, "ffffffffffffffff"])
    assert [d.dev_eui for d in part.devices] == wanted
    assert [s.dev_addr[-7:] for s in part.sessions] == [eui[-7:] for eui in wanted]
    assert registry.load_network([]).devices == []


def test_part_of_the_devices_is_loaded_by_id(registry: Registry) -> None:
    assert registry.devices.last_id() == 0
    registry.devices.add_many([abp(i) for i in range(250)])
    registry.devices.delete("70b3d57ed0000000")
    last_id = registry.devices.last_id()
    parts = [registry.load_network(range(first, first + 100)) for first in range(1, last_id + 1, 100)]
    assert [len(part.devices) for part in parts] == [99, 100, 50]
    whole = registry.load_network()
    assert [d for part in parts for d in part.devices] == whole.devices
    assert sorted(s.id for part in parts for s in part.sessions) == sorted(s.id for s in whole.sessions)
