"""Every command against a real server: what people see, what scripts get, and the exit code."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.cli.server import ABP, APP_S_KEY, DEV_ADDR, DEV_EUI, GATEWAY, NWK_S_KEY, ROOT, Gateway, frame, table, until

OTAA = ("--join-eui", "70b3d57ed0000000", "--app-key", "2b7e151628aed2a6abf7158809cf4f3c")
CODEC = "function decodeUplink(input) { return {data: {level: input.bytes[0], open: input.bytes[0] > 99}}; }"
CODEC_THAT_FAILS = "function decodeUplink(input) {\n  return input.nothing.here;\n}"


@pytest.fixture
def device(on, tmp_path):
    """An ABP device with a codec; its session starts anew in each test."""
    (tmp_path / "level.js").write_text(CODEC)
    on("codec", "add", "level.js")
    assert on("device", "add", DEV_EUI, "--name", "tank", "--codec", "level", *ABP).code == 0
    yield DEV_EUI
    assert on("device", "remove", DEV_EUI).code == 0


def test_the_welcome_tells_where_everything_is(server):
    assert server.welcome[0] == "Inflight 0.1.0 serves EU868 from the folder data"
    assert server.welcome[1:] == [
        f"  gateways  Semtech UDP: server address 127.0.0.1, port up and down {server.udp_port}",
        f"  API       {server.url}/api/v1, documentation {server.url}/docs",
        f"  watch     {server.welcome[3].split()[1]} watch --url {server.url}",
        "  stop      Ctrl-C",
    ]


def test_status_tells_version_and_address(on, server):
    status = on("status", "--json").json
    assert (status["version"], status["region"]) == ("0.1.0", "EU868")
    assert status["udp"] == {"host": "127.0.0.1", "port": server.udp_port}
    assert ["version", "0.1.0"] in table(on("status"))


def test_a_gateway_is_seen_then_accepted_then_forgotten(on, server):
    eui = "a84041ffff000001"
    heard = Gateway(server, eui)
    rows = {row["eui"]: row["state"] for row in on("gateway", "list", "--json").json}
    assert rows[eui] == "seen"
    assert on("gateway", "accept", eui).out == f"gateway {eui} is served from now on\n"
    assert on("gateway", "show", eui, "--json").json["state"] == "accepted"
    assert [row[2] for row in table(on("gateway", "list")) if row[0] == eui] == ["accepted"]
    heard.close()
    assert on("gateway", "remove", eui).code == 0
    gone = on("gateway", "show", eui)
    assert (gone.code, gone.err) == (5, f"lns: gateway {eui} was neither added nor heard\n")


def test_a_gateway_can_be_added_before_it_is_heard(on):
    added = on("gateway", "add", "A84041FFFF000002", "--name", "roof", "--region", "US915", "--json").json
    assert (added["eui"], added["name"], added["region"]) == ("a84041ffff000002", "roof", "US915")
    assert added["state"] == "accepted"
    assert on("gateway", "add", "a84041ffff000002").code == 1


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


def test_a_codec_that_cannot_run_is_refused_with_its_place(on, tmp_path):
    (tmp_path / "broken.js").write_text("function decodeUplink(input) {\n  return {;\n}")
    ran = on("codec", "add", "broken.js")
    assert ran.code == 1
    assert "line 2, column" in ran.err


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


@pytest.fixture
def key_reader(on):
    """The secret of a key that may read keys, and see devices."""
    made = on("key", "create", "mover", "--permission", "keys:read", "--permission", "read", "--json").json
    yield made["secret"]
    assert on("key", "revoke", made["id"]).code == 0


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


def test_multicast_groups_have_members_and_downlinks(on, device, key_reader):
    ran = on("multicast", "add", "lamps", "--dr", "3", "--mc-addr", "0a0b0c0d", "--expires-in", "30d")
    assert ran.out.endswith("McAddr 0a0b0c0d\n")
    group = on("multicast", "show", "lamps", "--json").json
    assert (group["dr"], group["devices"], group["expires_at"] > group["created_at"]) == (3, [], True)
    assert on("multicast", "join", "lamps", "tank").out == "multicast group lamps has 1 member(s)\n"
    assert on("multicast", "show", str(group["id"]), "--json").json["devices"] == [{"dev_eui": DEV_EUI, "name": "tank"}]
    sent = on("multicast", "send", "lamps", "--fport", "2", "--hex", "01", "--at", "2126-01-31T08:00:00Z", "--json")
    assert (sent.json["at"], sent.json["state"]) == ("2126-01-31T08:00:00.000000Z", "queued")
    assert [row["id"] for row in on("multicast", "downlinks", "lamps", "--json").json] == [sent.json["id"]]
    keys = on("multicast", "keys", group["id"], "--key", key_reader, "--json").json
    assert sorted(keys) == ["mc_app_s_key", "mc_key", "mc_nwk_s_key"]
    assert "lamps" in [row[1] for row in table(on("multicast", "list"))]
    assert on("multicast", "leave", "lamps", "tank").out == "1 device(s) left multicast group lamps\n"
    assert on("multicast", "remove", "lamps").code == 0
    gone = on("multicast", "show", "lamps")
    text = "lns: no multicast group has the name or id 'lamps': see `lns multicast list`\n"
    assert (gone.code, gone.err) == (5, text)
    wrong = on("multicast", "send", "lamps", "--fport", "2", "--hex", "01", "--at", "soon")
    assert wrong.code in (2, 5)


def test_refusals_say_what_to_do(on, gateway):
    gateway.uplink(frame(8, b"\x2a", dev_addr="0b0b0b0b"))
    found = until(lambda: on("refusals", "--dev-addr", "0b0b0b0b", "--json").json)
    assert (found[0]["reason"], found[0]["gateway_eui"]) == ("unknown_dev_addr", GATEWAY)
    shown = on("refusals", "--gateway", GATEWAY, "--reason", "unknown_dev_addr").out
    assert "0b0b0b0b" in shown
    assert found[0]["hint"][:40] in shown
    assert on("refusals", "--reason", "log_behind").out == "none yet\n"


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


IMPORT = """dev_eui,name,app_key
70b3d57ed0000101,one,2b7e151628aed2a6abf7158809cf4f3c
70b3d57ed00001,two,2b7e151628aed2a6abf7158809cf4f3c

70b3d57ed0000103,three,2b7e151628aed2a6abf7158809cf4f3c
70b3d57ed0000101,again,2b7e151628aed2a6abf7158809cf4f3c
"""


def test_an_import_refuses_bad_rows_and_adds_the_good_ones(on, tmp_path):
    (tmp_path / "devices.csv").write_text(IMPORT)
    dry = on("device", "import", "devices.csv", "--dry-run", "--json")
    assert dry.code == 1
    assert (dry.json["dry_run"], dry.json["created"], dry.json["failed"]) == (True, 0, 2)
    assert on("device", "show", "70b3d57ed0000101").code == 5
    ran = on("device", "import", "devices.csv")
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert [row[:3] for row in table(ran)[1:5]] == [
        ["2", "70b3d57ed0000101", "added"],
        ["3", "70b3d57ed00001", "refused:"],
        ["5", "70b3d57ed0000103", "added"],
        ["6", "70b3d57ed0000101", "refused:"],
    ]
    assert lines[-1] == "2 added, 2 refused"
    assert on("device", "show", "70b3d57ed0000103", "--json").json["name"] == "three"


def test_an_import_of_many_rows_is_sent_in_parts_and_counts_lines_over_all(on, tmp_path):
    key = "2b7e151628aed2a6abf7158809cf4f3c"
    rows = [f"70b3d57ed1{n:06x},,{key}" for n in range(2500)]
    rows[2400] = f"nonsense,,{key}"
    (tmp_path / "many.csv").write_text("\n".join(["dev_eui,name,app_key", *rows]))
    ran = on("device", "import", "many.csv")
    assert ran.code == 1
    assert table(ran)[1][:3] == ["2402", "nonsense", "refused:"]
    assert ran.out.splitlines()[-1] == "2499 added, 1 refused"
    assert len(on("device", "list", "--search", "70b3d57ed1", "--json").json) == 2499


def test_an_import_with_an_unknown_column_is_refused_whole(on, tmp_path):
    (tmp_path / "devices.csv").write_text("dev_eui,colour\n70b3d57ed0000201,red\n")
    ran = on("device", "import", "devices.csv")
    assert (ran.code, ran.out) == (1, "")
    assert "line 1: column 'colour' is not known" in ran.err


def values(on, field):
    """What `lns series tank FIELD` has."""
    ran = on("series", "tank", field, "--json")
    return [item["value"] for item in ran.json["fields"][0]["items"]] if ran.code == 0 else []


def test_an_uplink_becomes_measurements_that_series_shows(on, gateway, device):
    for fcnt, level in enumerate((42, 77, 120)):
        gateway.uplink(frame(fcnt, bytes([level])))
    assert until(lambda: len(values(on, "level")) == 3)
    assert values(on, "level") == [42, 77, 120]
    assert values(on, "open") == [False, False, True]
    overview = {row[0]: row for row in table(on("series", "tank", "--since", "1h"))}
    assert overview["level"][1] == "120"
    assert overview["level"][-4:-1] == ["3", "42", "120"]
    assert overview["link.rssi"][1:3] == ["-87", "dBm"]
    assert [row[-1] for row in table(on("series", "tank", "level"))] == ["level", "value", "42", "77", "120"]
    bucket = on("series", "tank", "level", "--bucket", "1h", "--json").json["fields"][0]["items"]
    assert sum(item["count"] for item in bucket) == 3
    plot = on("series", "tank", "--since", "1h", "--plot").out.splitlines()
    assert plot[0] == "level"
    assert plot[1].startswith("120 ┤")
    assert (plot[13], plot[14][:5]) == ("open", "  1 ┤")
    assert on("device", "session", "tank", "--json").json["fcnt_up"] == 2


def test_series_says_what_it_does_not_have(on, gateway, device):
    gateway.uplink(frame(0, b"\x01"))
    assert until(lambda: values(on, "level"))
    ran = on("series", "tank", "pressure")
    assert ran.code == 5
    assert ran.err.startswith("lns: tank has no field 'pressure'; it has level, link.dr")
    assert on("series", "nobody").code == 5
    wrong = on("series", "tank", "--since", "yesterday")
    assert wrong.code == 2
    assert on("series", "tank", "--bucket", "0x").code == 2


def test_watch_json_prints_a_line_an_event(on, server, gateway, device):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "lns", "watch", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as watching:
        until(lambda: "established" in connections(watching.pid, server))
        gateway.uplink(frame(7, b"\x2a"))
        gateway.uplink(frame(8, b"\x2a", dev_addr="01020304"))
        events = {}
        while not {"uplink", "decoded", "refusal"} <= events.keys():
            event = json.loads(watching.stdout.readline())
            events[event["kind"]] = event
        watching.terminate()
    assert (events["uplink"]["dev_eui"], events["uplink"]["fcnt"]) == (DEV_EUI, 7)
    assert events["decoded"]["fields"] == {"level": 42, "open": False}
    assert events["refusal"]["reason"] == "unknown_dev_addr"


def connections(pid, server):
    """ "established" once the process has a connection to the API (state 01 in the kernel's table)."""
    port = f":{int(server.url.rpartition(':')[2]):04X}"
    with open(f"/proc/{pid}/net/tcp") as file:
        rows = [line.split() for line in file]
    inodes = {row[9] for row in rows if row[2].endswith(port) and row[3] == "01"}
    try:
        links = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    except OSError:
        return ""
    return "established" if links & {f"socket:[{inode}]" for inode in inodes} else ""


def test_watch_without_a_terminal_wants_json(on):
    ran = on("watch")
    assert ran.code == 2
    assert ran.err == "lns: standard output is not a terminal: use --json for one line an event\n"


def test_downlinks_are_queued_listed_and_deleted(on, device):
    first = on("downlink", "send", "tank", "--fport", "2", "--hex", "0100003c", "--confirmed", "--json").json
    assert (first["payload"], first["confirmed"], first["state"]) == ("0100003c", True, "queued")
    second = on("downlink", "send", device, "--fport", "3", "--hex", "ff", "--expires-in", "1h")
    assert second.out.endswith("queued: it leaves when the device listens next, see `lns downlink list`\n")
    assert [row["fport"] for row in on("downlink", "list", "tank", "--json").json] == [2, 3]
    assert on("downlink", "delete", "tank", first["id"]).code == 0
    assert on("downlink", "delete", "tank", first["id"]).code == 5
    assert on("downlink", "flush", "tank", "--json").json == {"deleted": 1}
    assert on("downlink", "list", "tank").out == "none yet\n"
    wrong = on("downlink", "send", "tank", "--fport", "2", "--hex", "0g")
    assert wrong.code == 2
    wrong = on("downlink", "send", "tank", "--fport", "2", "--hex", "00", "--at", "soon")
    assert (wrong.code, wrong.err) == (2, "lns: --at: 'soon' is not a time such as 2026-01-31T08:00\n")


def test_downlinks_have_priorities_are_replaced_and_remembered(on, device):
    low = on("downlink", "send", "tank", "--fport", "1", "--hex", "01", "--json").json
    high = on("downlink", "send", "tank", "--fport", "2", "--hex", "02", "--priority", "10", "--json").json
    assert [row["id"] for row in on("downlink", "list", "tank", "--json").json] == [high["id"], low["id"]]
    ran = on("downlink", "replace", "tank", low["id"], "--fport", "9", "--hex", "09")
    assert ran.out == f"downlink {low['id']} replaced\n"
    assert on("downlink", "flush", "tank", "--json").json == {"deleted": 2}
    past = on("downlink", "list", "tank", "--past", "--json").json
    assert [(row["id"], row["payload"], row["state"]) for row in past] == [
        (high["id"], "02", "deleted"),
        (low["id"], "09", "deleted"),
    ]
    assert on("downlink", "list", "tank", "--past", "--limit", "1", "--json").json == past[:1]


def test_a_failed_decode_is_listed_and_retried(on, gateway, device, tmp_path):
    (tmp_path / "level.js").write_text(CODEC_THAT_FAILS)
    assert on("codec", "add", "level.js").code == 0
    gateway.uplink(frame(0, b"\x05"))
    failures = until(lambda: on("codec", "failures", "--device", "tank", "--json").json)
    assert (failures[0]["reason"], failures[0]["line"]) == ("exception", 2)
    assert "line 2, column" in on("codec", "failures").out
    assert on("codec", "retry", "--device", "tank").code == 1
    assert on("codec", "activate", "level", "1").code == 0
    ran = on("codec", "retry", "--device", "tank")
    assert (ran.code, ran.out) == (0, "1 decoded now, 0 failed again\n")
    assert until(lambda: values(on, "level")) == [5]
    assert on("codec", "failures", "--device", "tank").out == "none yet\n"


def test_a_codec_that_costs_too_much_is_shown_with_its_uplink_and_released(on, gateway, device, tmp_path):
    (tmp_path / "endless.js").write_text("function decodeUplink(input) { for (;;) {} }\n")
    assert on("codec", "add", "endless.js").code == 0
    assert on("device", "set", "tank", "--codec", "endless").code == 0
    gateway.uplink(frame(0, b"\x0c\x57"))
    (row,) = until(lambda: on("codec", "quarantine", "--json").json)
    assert (row["codec"], row["parked"], row["overruns"], row["input"]["payload"]) == ("endless", False, 1, "0c57")
    assert "watched" in on("codec", "quarantine").out
    assert on("codec", "release", "endless").out == "0 versions of codec endless run again\n"
    assert on("codec", "quarantine").out == "none yet\n"


def test_keys_are_made_listed_and_revoked(on):
    made = on("key", "create", "dashboard", "--permission", "read", "--expires-in", "90d", "--json").json
    assert on("gateway", "list", "--key", made["secret"]).code == 0
    refused = on("application", "add", "x", "--key", made["secret"])
    assert refused.code == 4
    assert "this needs write" in refused.err
    assert ["dashboard", "read"] in [row[1:3] for row in table(on("key", "list"))]
    assert on("key", "revoke", made["id"]).code == 0
    assert on("gateway", "list", "--key", made["secret"]).code == 4


def test_without_a_key_the_command_says_where_to_get_one(on, monkeypatch, tmp_path):
    monkeypatch.setenv("LNS_DATA", str(tmp_path))
    ran = on("status")
    assert ran.code == 4
    text = "the server wants an API key: give --key or LNS_API_KEY, or --data with the folder of its admin.key"
    assert ran.err == f"lns: {text}\n"


def test_exchange_status_lists_the_consumers(on):
    status = on("exchange", "status", "--json").json
    assert [consumer["name"] for consumer in status["consumers"]] == ["decoder", "latest", "series.sqlite"]
    assert ["decoder", "running"] in [row[:2] for row in table(on("exchange", "status"))]


def test_a_second_server_on_the_same_folder_is_refused(on, server, tmp_path):
    (tmp_path / "free.toml").write_text("[udp]\nhost = '127.0.0.1'\nport = 0\n[api]\nport = 0\n")
    ran = on("serve", "--config", "free.toml", "--data", server.folder / "data")
    assert ran.code == 1
    assert ran.err.endswith(f"is in use by another server (process {server.process.pid})\n")


def test_a_taken_port_is_one_sentence(on, server, tmp_path):
    (tmp_path / "taken.toml").write_text(f"[udp]\nhost = '127.0.0.1'\nport = {server.udp_port}\n[api]\nport = 0\n")
    ran = on("serve", "--config", "taken.toml", "--data", "data")
    assert ran.code == 1
    assert ran.err == f"lns: udp port {server.udp_port} on 127.0.0.1 is taken by another program\n"
