"""`lns application`, `lns template` and `lns device` against a real server."""

import json
import re

from tests.cli.server import ABP, APP_S_KEY, DEV_ADDR, DEV_EUI, GATEWAY, NWK_S_KEY, OTAA, frame, table, until
from tests.cli.tank import device, key_reader

__all__ = ["device", "key_reader"]


def test_applications_are_added_and_removed(on):
    assert on("application", "add", "greenhouse", "--description", "halls 1 to 4").code == 0
    assert ["greenhouse", "halls", "1", "to", "4"] in table(on("application", "list"))
    again = on("application", "add", "greenhouse")
    assert again.code == 1
    assert "greenhouse" in again.err
    assert on("application", "remove", "greenhouse").code == 0
    assert on("application", "remove", "greenhouse").code == 5


def test_templates_are_added_changed_and_removed(on):
    rules = '{"level": {"deadband_abs": 2.0, "heartbeat_s": 600.0}}'
    added = on("template", "add", "tank", "--lorawan-version", "1.0.4", "--rules", rules, "--json").json
    assert added["rules"]["level"]["deadband_abs"] == 2.0
    assert on("template", "set", "tank", "--fcnt-reset").code == 0
    shown = on("template", "show", "tank", "--json").json
    assert (shown["lorawan_version"], shown["fcnt_reset_allowed"]) == ("1.0.4", True)
    limited = on("template", "set", "tank", "--rules", '{"level": {"max_per_hour": 6}}', "--max-per-hour", 60, "--json")
    assert (limited.json["rules"], limited.json["max_measurements_per_hour"]) == ({"level": {"max_per_hour": 6}}, 60)
    assert on("template", "set", "tank", "--max-per-hour", "none", "--json").json["max_measurements_per_hour"] is None
    wrong = on("template", "set", "tank", "--max-per-hour", "few")
    assert (wrong.code, wrong.err) == (2, "lns: --max-per-hour is 'few', a number or none is needed\n")
    wrong = on("template", "set", "tank", "--rules", "{")
    assert (wrong.code, wrong.err[:25]) == (2, "lns: --rules is not JSON:")
    assert on("template", "remove", "tank").code == 0


def test_templates_take_settings_of_the_mac_layer(on):
    added = on("template", "add", "lamp", "--device-class", "c", "--network", '{"rx1_delay_s": 5}', "--json").json
    assert added["network"] == {"device_class": "C", "rx1_delay_s": 5}
    assert on("template", "set", "lamp", "--network", '{"rx1_delay_s": null, "adr": {"max_dr": 3}}').code == 0
    assert on("template", "show", "lamp", "--json").json["network"] == {"device_class": "C", "adr": {"max_dr": 3}}
    wrong = on("template", "set", "lamp", "--device-class", "d")
    assert (wrong.code, wrong.err) == (1, "lns: network.device_class is 'D', expected one of 'A', 'B', 'C'\n")
    wrong = on("template", "set", "lamp", "--network", "[]")
    assert (wrong.code, wrong.err) == (2, "lns: --network is '[]', a JSON object is needed\n")


def test_devices_are_added_shown_changed_and_removed(on):
    assert on("device", "add", "70B3D57ED0000001", "--name", "cellar", "--tag", "room=b1", *OTAA).code == 0
    shown = on("device", "show", "cellar", "--json").json
    assert (shown["dev_eui"], shown["activation"], shown["tags"]) == ("70b3d57ed0000001", "otaa", {"room": "b1"})
    assert on("device", "set", "cellar", "--name", "attic", "--disabled", "--var", "height=3").code == 0
    shown = on("device", "show", "attic", "--json").json
    assert (shown["disabled"], shown["variables"]) == (True, {"height": "3"})
    session = on("device", "session", "attic")
    assert (session.code, session.err) == (5, "lns: attic has no session: it has not joined yet\n")
    assert "70b3d57ed0000001" in [row[0] for row in table(on("device", "list", "--search", "atti"))]
    assert on("device", "remove", "attic").out == "device attic removed\n"
    gone = on("device", "show", "attic")
    assert (gone.code, gone.err) == (5, "lns: no device has the DevEUI or name 'attic': see `lns device list`\n")


def test_a_device_needs_keys_of_one_kind(on):
    text = "lns: give either --join-eui and --app-key (OTAA) or --dev-addr and session keys (ABP)\n"
    for keys in ((), (*OTAA, *ABP)):
        ran = on("device", "add", "70b3d57ed0000002", *keys)
        assert (ran.code, ran.err) == (2, text)


def test_device_of_lorawan_1_1_has_two_root_keys_or_four_session_keys(on):
    assert on("template", "add", "new", "--lorawan-version", "1.1").code == 0
    key = "3c4fcf098815f7aba6d2ae2816157e2b"
    added = on("device", "add", "70b3d57ed0000301", "--template", "new", "--nwk-key", key, *OTAA, "--json").json
    assert (added["has_app_key"], added["has_nwk_key"]) == (True, True)
    refused = on("device", "add", "70b3d57ed0000302", "--template", "new", *OTAA)
    text = "nwk_key is missing: an otaa device of lorawan 1.1 joins with nwk_key and app_key"
    assert (refused.code, refused.err) == (1, f"lns: {text}\n")
    four = ("--f-nwk-s-int-key", key, "--s-nwk-s-int-key", key, "--nwk-s-enc-key", key, "--app-s-key", key)
    more = ("--dev-addr", "0d0d0d0d", *four, "--afcnt-down", "9")
    added = on("device", "add", "70b3d57ed0000303", "--template", "new", *more, "--json").json
    assert (added["session"]["lorawan"], added["session"]["afcnt_down"]) == ("1.1", 9)
    asked = on("device", "rejoin", "70b3d57ed0000301")
    assert asked.code == 1
    assert "no session" in asked.err


def test_device_settings_and_keys_can_be_changed(on):
    assert on("device", "add", "70b3d57ed0000304", *OTAA).code == 0
    changes = ("--join-eui", "any", "--gen-app-key", "2b7e151628aed2a6abf7158809cf4f3c", "--device-class", "B")
    assert on("device", "set", "70b3d57ed0000304", *changes).code == 0
    shown = on("device", "show", "70b3d57ed0000304", "--json").json
    assert (shown["join_eui"], shown["has_gen_app_key"], shown["network"]) == (None, True, {"device_class": "B"})
    limits = ("--rules", '{"level": {"min_interval_s": 600}}', "--max-per-hour", "0")
    shown = on("device", "set", "70b3d57ed0000304", *limits, "--json").json
    assert (shown["rules"], shown["max_measurements_per_hour"]) == ({"level": {"min_interval_s": 600}}, 0)
    none = ("--rules", "{}", "--max-per-hour", "none")
    assert on("device", "set", "70b3d57ed0000304", *none, "--json").json["rules"] == {}
    assert "held_back.min_interval" in on("device", "show", "70b3d57ed0000304").out


def test_a_bad_key_is_refused_with_its_reason(on):
    ran = on("device", "add", "70b3d57ed0000002", "--app-key", "12")
    assert ran.code == 1
    assert "32 hex digits" in ran.err


def test_devices_of_one_name_are_told_apart_by_their_dev_eui(on):
    for dev_eui in ("70b3d57ed0000003", "70b3d57ed0000004"):
        on("device", "add", dev_eui, "--name", "twin", *OTAA)
    ran = on("device", "show", "twin")
    assert ran.code == 1
    assert ran.err == (
        "lns: 2 devices are called 'twin', say which by its DevEUI: 70b3d57ed0000003, 70b3d57ed0000004\n"
    )


def test_keys_are_shown_to_a_key_that_may_read_them(on, device, key_reader):
    refused = on("device", "keys", "tank")
    assert (refused.code, "this needs keys:read" in refused.err) == (4, True)
    shown = on("device", "keys", "tank", "--key", key_reader, "--json").json
    assert shown["session"] == {"nwk_s_key": NWK_S_KEY, "app_s_key": APP_S_KEY}


def test_session_goes_to_a_file_and_comes_back(on, device, key_reader, tmp_path):
    ran = on("device", "export-session", "tank", "--to", "tank.json", "--key", key_reader)
    assert ran.out == "session of tank written to tank.json: it holds keys, keep it safe\n"
    assert (tmp_path / "tank.json").stat().st_mode & 0o777 == 0o600
    again = on("device", "export-session", "tank", "--to", "tank.json", "--key", key_reader)
    assert (again.code, again.err) == (2, "lns: cannot write tank.json: File exists\n")
    session = json.loads((tmp_path / "tank.json").read_text())
    assert on("device", "export-session", "tank", "--key", key_reader).json == session
    (tmp_path / "tank.json").write_text(json.dumps({**session, "fcnt_up": 77}))
    ran = on("device", "import-session", "tank.json")
    assert ran.out == f"device {DEV_EUI} has the session: DevAddr {DEV_ADDR}, FCntUp 77\n"
    (tmp_path / "tank.json").write_text("{}")
    ran = on("device", "import-session", "tank.json")
    assert (ran.code, ran.err) == (2, "lns: tank.json is no session: it has no dev_eui\n")


def test_link_of_a_device_is_drawn(on, gateway, device):
    for fcnt in (0, 3):
        gateway.uplink(frame(fcnt, b"\x2a"))
    assert until(lambda: on("device", "link", "tank", "--json").json["received"] == 2)
    shown = on("device", "show", "tank").out
    assert re.search(r"lost +2 of 4 \(50\.0 %\), of the last 2 50\.0 %", shown)
    bar = re.escape("█" * 15 + "·" * 9)
    assert re.search(rf"{GATEWAY} +{bar} +15\.0 dB margin, least 15\.0 +2 of 2", on("device", "link", "tank").out)
