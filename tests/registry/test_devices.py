from typing import Any

import msgspec
import pytest

from lns.registry.device_input import parse_device
from lns.registry.key_blobs import DeviceKeys
from lns.registry.registry import Registry
from lns.registry.session_file import FRAMES_UNDER_WAY
from tests.registry.samples import (
    APP_KEY,
    APP_S_KEY,
    KEYS_1_1,
    NWK_KEY,
    NWK_S_KEY,
    TRACE_TABLES,
    abp,
    count,
    execute,
    otaa,
    refusal,
    write_traces,
)

EUI = "70b3d57ed0000001"


def test_otaa_device_is_created_without_a_session(registry: Registry) -> None:
    made = registry.devices.add(otaa(name="cellar", join_eui="70-B3-D5-7E-D0-00-00-00", tags={"room": "1"}))
    shown = msgspec.to_builtins(made)
    del shown["created_at_us"]
    assert shown == {
        "id": 1,
        "dev_eui": EUI,
        "name": "cellar",
        "application": "default",
        "template": "default",
        "activation": "otaa",
        "join_eui": "70b3d57ed0000000",
        "has_nwk_key": False,
        "has_app_key": True,
        "has_gen_app_key": False,
        "codec": None,
        "fcnt_reset_allowed": None,
        "disabled": False,
        "tags": {"room": "1"},
        "variables": {},
        "network": {},
        "last_seen_at_us": None,
        "session": None,
        "rules": {},
        "max_measurements_per_hour": None,
    }


def test_abp_device_is_created_with_its_session(registry: Registry) -> None:
    session = registry.devices.add(abp(1, {"fcnt_up": 41, "fcnt_down": 7})).session
    assert session is not None
    shown = msgspec.structs.asdict(session)
    assert 0 < shown.pop("id") < 1 << 62
    del shown["created_at_us"]
    assert shown == {
        "device_id": 1,
        "region": "EU868",
        "dev_addr": "00000001",
        "keys": bytes.fromhex(NWK_S_KEY + APP_S_KEY),
        "minor": 0,
        "fcnt_up": 41,
        "fcnt_down": 7,
        "afcnt_down": 0,
        "rx1_delay_s": 1,
        "rx1_dr_offset": 0,
        "rx2_dr": 0,
        "rx2_freq_hz": 869_525_000,
        "state": "active",
        "last_uplink_at_us": None,
        "radio": None,
    }


@pytest.mark.parametrize(
    ("values", "code", "text"),
    [
        ({"application": "x"}, "invalid", "application 'x' does not exist"),
        ({"template": "x"}, "invalid", "device template 'x' does not exist"),
        ({"codec": "x"}, "invalid", "codec 'x' does not exist"),
        ({"template": "fixed"}, "invalid", "device template 'fixed' does not support joins: give an abp session"),
    ],
)
def test_what_a_device_refers_to_must_exist(registry: Registry, values: dict[str, Any], code: str, text: str) -> None:
    registry.templates.add({"name": "fixed", "supports_join": False})
    assert refusal(registry.devices.add, otaa(**values)) == (code, text)
    assert registry.devices.page() == []


def test_dev_eui_is_given_once(registry: Registry) -> None:
    registry.devices.add(otaa())
    assert refusal(registry.devices.add, otaa()) == ("conflict", f"device {EUI} exists already")


def test_bad_devices_never_stop_the_good_ones(registry: Registry) -> None:
    news = [otaa(1), otaa(2, codec="x"), otaa(1), abp(3), otaa(4)]
    expected = [None, "codec 'x' does not exist", f"device {EUI} is given twice, the first one counts", None, None]
    assert [p and str(p) for p in registry.devices.add_many(news, dry_run=True)] == expected
    assert registry.devices.page() == []
    assert [p and str(p) for p in registry.devices.add_many(news)] == expected
    assert [d.dev_eui[-1] for d in registry.devices.page()] == ["1", "3", "4"]


def test_ids_and_sessions_belong_to_their_devices_in_bulk(registry: Registry) -> None:
    assert not any(registry.devices.add_many([abp(i) for i in range(2500)]))
    rows = execute(registry.path, "SELECT dev_eui, dev_addr FROM device JOIN session ON device.id = device_id")
    assert len(rows) == 2500
    assert all(dev_eui[-7:] == dev_addr[-7:] for dev_eui, dev_addr in rows)


def test_pages_follow_each_other(registry: Registry) -> None:
    registry.devices.add_many([otaa(i) for i in range(5)])
    first = registry.devices.page(limit=3)
    second = registry.devices.page(limit=3, after=first[-1].id)
    assert [d.dev_eui[-1] for d in [*first, *second]] == ["0", "1", "2", "3", "4"]


def test_search_finds_parts_of_names_and_euis(registry: Registry) -> None:
    registry.applications.add("a")
    registry.devices.add_many([otaa(1, name="Cellar 100%"), otaa(2, application="a", name="roof"), otaa(0xABC)])

    def found(**how: Any) -> list[str]:
        return [d.dev_eui[-3:] for d in registry.devices.page(**how)]

    assert found(search="cellar") == ["001"]
    assert found(search="%") == ["001"]
    assert found(search="_") == []
    assert found(search="ABC") == ["abc"]
    assert found(application_name="a") == ["002"]
    assert found(application_name="a", search="cellar") == []


def test_change_touches_only_what_is_given(registry: Registry) -> None:
    registry.applications.add("a")
    registry.templates.add({"name": "t"})
    made = registry.devices.add(otaa(name="cellar", tags={"a": "1"}, codec="cayenne-lpp"))
    assert registry.devices.change(EUI, {}) == made
    changes = {"application": "a", "template": "t", "join_eui": EUI, "disabled": True, "variables": {"k": "2"}}
    changed = registry.devices.change(EUI, {**changes, "fcnt_reset_allowed": True})
    expected = {**changes, "fcnt_reset_allowed": True}
    assert changed == msgspec.structs.replace(made, **expected)
    assert registry.devices.change(EUI, {"name": "", "codec": None}).name == EUI
    assert registry.devices.change(EUI, {"codec": "cayenne-lpp"}).codec == "cayenne-lpp"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"application": "x"}, "application 'x' does not exist"),
        ({"template": "x"}, "device template 'x' does not exist"),
        ({"template": "fixed"}, f"device template 'fixed' does not support joins, and {EUI} is an otaa device"),
        ({"codec": "x"}, "codec 'x' does not exist"),
        ({"app_key": None}, f"app_key cannot be taken from {EUI}: an otaa device joins with it"),
        (
            {"abp": {"dev_addr": "00000001", "nwk_s_key": APP_KEY, "app_s_key": APP_KEY}},
            f"device {EUI} joins over the air (otaa): it takes no fixed session",
        ),
    ],
)
def test_change_that_does_not_fit_is_refused_whole(registry: Registry, values: dict[str, Any], text: str) -> None:
    registry.templates.add({"name": "fixed", "supports_join": False})
    made = registry.devices.add(otaa())
    assert refusal(registry.devices.change, EUI, {"name": "new", **values}) == ("invalid", text)
    assert registry.devices.get(EUI) == made


def test_device_of_lorawan_1_1_needs_two_root_keys(registry: Registry) -> None:
    registry.templates.add({"name": "new", "lorawan_version": "1.1"})
    text = "nwk_key is missing: an otaa device of lorawan 1.1 joins with nwk_key and app_key"
    assert refusal(registry.devices.add, otaa(template="new")) == ("invalid", text)
    made = registry.devices.add(otaa())
    assert refusal(registry.devices.change, EUI, {"template": "new"}) == ("invalid", text)
    changed = registry.devices.change(EUI, {"template": "new", "nwk_key": NWK_KEY})
    assert (changed.has_nwk_key, changed.has_app_key, changed.has_gen_app_key) == (True, True, False)
    assert registry.devices.keys(EUI) == DeviceKeys(bytes.fromhex(NWK_KEY), bytes.fromhex(APP_KEY))
    assert refusal(registry.devices.change, EUI, {"nwk_key": None}) == ("invalid", text)
    back = registry.devices.change(EUI, {"template": "default", "nwk_key": None, "gen_app_key": NWK_KEY})
    assert back == msgspec.structs.replace(made, has_gen_app_key=True)


def test_abp_device_of_lorawan_1_1_needs_four_session_keys(registry: Registry) -> None:
    registry.templates.add({"name": "new", "lorawan_version": "1.1"})
    four = {"dev_addr": "00000001", **KEYS_1_1}
    text = "the session has keys of another version: an abp device of lorawan 1.0.3 needs dev_addr, nwk_s_key and "
    made = parse_device({"dev_eui": EUI, "abp": four})
    assert refusal(registry.devices.add, made)[1].startswith(text)
    session = registry.devices.add(msgspec.structs.replace(made, template="new")).session
    assert session is not None
    assert (session.minor, session.keys.hex()) == (1, "".join(KEYS_1_1.values()))
    assert refusal(registry.devices.change, EUI, {"template": "default"})[1].startswith(text)
    registry.devices.change(EUI, {"abp": {**four, "fcnt_down": 9, "afcnt_down": 7}})
    again = registry.devices.change(EUI, {"abp": {**four, "nwk_s_enc_key": NWK_KEY}}).session
    assert again is not None
    assert (again.fcnt_down, again.afcnt_down) == (2 * FRAMES_UNDER_WAY, 2 * FRAMES_UNDER_WAY)


def test_network_settings_are_merged(registry: Registry) -> None:
    registry.devices.add(otaa(network={"device_class": "C", "adr": {"max_dr": 4}}))
    changed = registry.devices.change(EUI, {"network": {"adr": {"min_dr": 1}, "rx1_delay_s": 5}})
    assert changed.network == {"device_class": "C", "adr": {"max_dr": 4, "min_dr": 1}, "rx1_delay_s": 5}
    assert registry.devices.change(EUI, {"network": {"device_class": None}}).network.keys() == {"adr", "rx1_delay_s"}
    text = "network.rx1_delay_s is 16, expected int <= 15"
    assert refusal(registry.devices.change, EUI, {"network": {"rx1_delay_s": 16}}) == ("invalid", text)


def test_keys_are_nowhere_in_the_database(registry: Registry) -> None:
    registry.devices.add_many([otaa(1), abp(2)])
    registry._database.checkpoint()
    octets = registry.path.read_bytes()
    assert [
        key for key in (APP_KEY, NWK_S_KEY, APP_S_KEY) if bytes.fromhex(key) in octets or key.encode() in octets
    ] == []


def test_abp_device_takes_no_app_key(registry: Registry) -> None:
    registry.devices.add(abp())
    text = f"device {EUI} has a fixed session (abp): it takes no app_key"
    assert refusal(registry.devices.change, EUI, {"app_key": APP_KEY}) == ("invalid", text)


def test_session_set_again_under_its_key_never_repeats_fcnt_down(registry: Registry) -> None:
    old = registry.devices.add(abp(1, {"fcnt_down": 7})).session
    keys = {"dev_addr": "00000009", "nwk_s_key": NWK_S_KEY, "app_s_key": APP_S_KEY}
    new = registry.devices.change(EUI, {"abp": keys}).session
    assert old is not None
    assert new is not None
    assert (new.dev_addr, new.fcnt_down, new.fcnt_up, new.id != old.id) == ("00000009", 7 + FRAMES_UNDER_WAY, -1, True)
    other_key = registry.devices.change(EUI, {"abp": {**keys, "nwk_s_key": APP_KEY}}).session
    assert other_key is not None
    assert other_key.fcnt_down == 0
    assert count(registry.path, "session") == 1


def test_deleted_device_leaves_nothing_and_its_id_is_never_given_again(registry: Registry) -> None:
    gone = registry.devices.add(otaa())
    write_traces(registry.path, gone.id)
    assert [count(registry.path, table) for table in TRACE_TABLES] == [1, 2, 4, 2]
    registry.devices.delete(EUI)
    assert [count(registry.path, table) for table in TRACE_TABLES] == [0, 0, 0, 0]
    assert registry.devices.add(otaa()).id == gone.id + 1
    assert refusal(registry.devices.delete, "70b3d57ed0000002")[0] == "not_found"


def test_what_a_join_wrote_of_a_deleted_device_is_swept_at_open(registry: Registry) -> None:
    write_traces(registry.path, 77)
    registry.close()
    registry.open()
    assert [count(registry.path, table) for table in TRACE_TABLES] == [0, 0, 0, 0]


def test_session_and_last_seen_are_those_of_the_exchange(registry: Registry) -> None:
    made = registry.devices.add(otaa())
    write_traces(registry.path, made.id)
    execute(registry.path, "UPDATE session SET state = 'pending'")
    shown = registry.devices.get(EUI)
    assert (shown.session, shown.last_seen_at_us) == (None, 1_700_000_000_000_000)
    execute(registry.path, "UPDATE session SET state = 'active'")
    session = registry.devices.get(EUI).session
    assert session is not None
    assert (session.dev_addr, session.fcnt_up, session.fcnt_down) == ("260b1f22", 41, 7)


def test_devices_of_a_template_are_named(registry: Registry) -> None:
    registry.templates.add({"name": "t"})
    registry.devices.add_many([otaa(1), otaa(2, template="t"), abp(3, template="t")])
    assert sorted(registry.devices.of_template("t")) == ["70b3d57ed0000002", "70b3d57ed0000003"]


def test_unknown_device_is_told(registry: Registry) -> None:
    for call in (registry.devices.get, registry.devices.id, lambda eui: registry.devices.change(eui, {})):
        assert refusal(call, EUI) == ("not_found", f"device {EUI} does not exist")
    registry.devices.add(parse_device({"dev_eui": EUI, "app_key": APP_KEY}))
    assert registry.devices.id(EUI) == 1


def test_settings_that_the_templates_region_does_not_have_are_refused(registry: Registry) -> None:
    registry.templates.add({"name": "us", "region": "US915"})
    text = "network.rx2_dr is 3, US915 has downlink data rates 8, 9, 10, 11, 12, 13"
    assert refusal(registry.devices.add, otaa(1, template="us", network={"rx2_dr": 3})) == ("invalid", text)
    dev_eui = registry.devices.add(otaa(1, network={"rx2_dr": 3})).dev_eui
    assert refusal(registry.devices.change, dev_eui, {"template": "us"}) == ("invalid", text)
    assert refusal(registry.devices.change, dev_eui, {"network": {"rx1_dr_offset": 6}}) == (
        "invalid",
        "network.rx1_dr_offset is 6, EU868 has 0 to 5",
    )
    assert registry.devices.change(dev_eui, {"template": "us", "network": {"rx2_dr": 9}}).network == {"rx2_dr": 9}
