from lns.registry.device_input import AbpSession
from lns.registry.registry import Registry
from lns.registry.seal import Seal
from lns.registry.sessions import abp_row
from tests.registry.samples import abp


def test_abp_session_has_the_default_windows_of_its_region() -> None:
    seal, keys = Seal(bytes(16)), bytes(range(64))
    row = abp_row(5, "US915", AbpSession("260b1f22", keys, 41, 7, 3), seal)
    del row["id"], row["created_at_us"]
    assert seal.open(row.pop("keys")) == keys
    assert row == {
        "device_id": 5,
        "dev_addr": "260b1f22",
        "minor": 1,
        "fcnt_up": 41,
        "fcnt_down": 7,
        "afcnt_down": 3,
        "rx1_delay_s": 1,
        "rx1_dr_offset": 0,
        "rx2_dr": 8,
        "rx2_freq_hz": 923_300_000,
        "region": "US915",
        "state": "active",
    }


def test_abp_sessions_follow_the_region_of_their_template(registry: Registry) -> None:
    registry.templates.add({"name": "a"})
    registry.devices.add_many([abp(1, template="a"), abp(2)])
    registry.templates.change("a", {"region": "US915"})
    placed = [(d.session.region, d.session.rx2_freq_hz, d.session.rx2_dr) for d in registry.devices.page() if d.session]
    assert placed == [("US915", 923_300_000, 8), ("EU868", 869_525_000, 0)]
    registry.devices.change("70b3d57ed0000002", {"template": "a"})
    assert [d.session.region for d in registry.devices.page() if d.session] == ["US915", "US915"]


def test_abp_sessions_follow_the_region_of_the_server(registry: Registry) -> None:
    registry.devices.add(abp(1))
    registry.close()
    moved = Registry(registry.path, "US915")
    moved.open()
    session = moved.devices.get("70b3d57ed0000001").session
    assert session is not None
    assert (session.region, session.rx2_freq_hz) == ("US915", 923_300_000)
    moved.close()
