"""Commands that need no server, and all commands when there is none."""

import socket
from pathlib import Path

import pytest
import typer.main

from lns.cli import app
from lns.folder import hold
from lns.registry.registry import Registry

NO_SERVER = "http://127.0.0.1:9"
UPLINK = "40F17DBE4900020001954378762B11FF0D"
NWK_S_KEY = "44024241ED4CE9A68C6A8BC055233FD3"
APP_S_KEY = "EC925802AE430CA77FD3DD73CB2CC588"


def commands(group, path=()):
    """Every command with the words that call it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_teaches_with_an_example(lns, words):
    ran = lns(*words, "--help")
    assert ran.code == 0
    assert "Example" in ran.out
    assert f"lns {' '.join(words)}" in ran.out


@pytest.mark.parametrize("words", [w for w in COMMANDS if w != ("serve",)], ids=" ".join)
def test_every_command_has_json(words):
    assert "--json" in {option for parameter in COMMANDS[words].params for option in parameter.opts}


def test_usage_errors_exit_with_2(lns):
    assert lns("device", "list", "--bogus").code == 2
    assert lns("nonsense").code == 2
    assert lns("device", "add").code == 2


def test_version_is_printed(lns):
    assert lns("--version").out == "0.1.0\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("gateway", "list"),
        ("device", "show", "a84041000181c061"),
        ("series", "a84041000181c061"),
        ("watch", "--json"),
        ("exchange", "status", "--json"),
    ],
    ids=" ".join,
)
def test_no_server_is_one_sentence_and_exit_code_3(lns, arguments):
    ran = lns(*arguments, "--url", NO_SERVER)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == (
        f"lns: no server answers at {NO_SERVER} (connection refused): "
        "start one with `lns serve`, or name it with --url\n"
    )


# inspect


def test_inspect_decrypts_and_checks_a_frame(lns):
    ran = lns("inspect", UPLINK, "--nwk-s-key", NWK_S_KEY, "--app-s-key", APP_S_KEY, "--json")
    assert ran.code == 0
    shown = ran.json
    assert (shown["dev_addr"], shown["fcnt"], shown["fport"]) == ("49be7df1", 2, 1)
    assert (shown["frm_payload"], shown["mic"], shown["mic_ok"]) == ("74657374", "2b11ff0d", True)


def test_inspect_draws_a_tree_for_people(lns):
    lines = lns("inspect", UPLINK, "--nwk-s-key", NWK_S_KEY).out.splitlines()
    assert lines[0] == "17 bytes"
    assert "├── dev_addr 49be7df1" in lines
    assert lines[-1] == "└── mic_ok yes"


def test_inspect_says_when_the_mic_was_not_checked(lns):
    ran = lns("inspect", UPLINK)
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "└── mic_ok not checked: give the key"


def test_inspect_exits_with_1_for_a_wrong_mic(lns):
    ran = lns("inspect", UPLINK, "--nwk-s-key", APP_S_KEY)
    assert ran.code == 1
    assert ran.out.splitlines()[-1] == "└── mic_ok NO, wrong key, counter or octets"


UPLINK_1_1 = "4044e46381007ad005e2fadd2aeb6aebc4f1984ef11683"
KEYS_1_1 = (
    *("--f-nwk-s-int-key", "c3ef172b1d2a33cc0cf7bc74fe3e5208"),
    *("--s-nwk-s-int-key", "6b442aec3705024e3c292875cd98d8f9"),
    *("--nwk-s-enc-key", "b9a5b50fc3a2ad94873aa1500b37ed8a"),
)


def test_inspect_finds_how_a_1_1_uplink_was_sent(lns):
    lines = lns("inspect", UPLINK_1_1, *KEYS_1_1).out.splitlines()
    assert lines[-3:] == ["├── mic_ok yes", "└── sent_with", "    └── tx_dr 3, tx_ch 2"]


def test_inspect_tells_a_wrong_channel_from_a_wrong_key(lns):
    ran = lns("inspect", UPLINK_1_1, *KEYS_1_1, "--tx-dr", 3, "--tx-ch", 9)
    assert ran.code == 1
    assert ran.out.splitlines()[-1] == "└── mic_ok NO, the mic is right for tx_dr 3 with tx_ch 2"


def test_inspect_says_what_is_missing_to_check_a_1_1_mic(lns):
    ran = lns("inspect", UPLINK_1_1, *KEYS_1_1[:2])
    assert ran.code == 0
    text = "the half under FNwkSIntKey is right, SNwkSIntKey checks the other"
    assert ran.out.splitlines()[-1] == f"└── mic_ok not checked: {text}"


EARLY_1_1 = (
    *("--f-nwk-s-int-key", "821d70ac87e8b8cfc24d064521be7e43"),
    *("--s-nwk-s-int-key", "35e382a535822b4fbf62c60039a81add"),
    *("--nwk-s-enc-key", "1bcfdf5565f11bcaab93779da752a333"),
)


def test_inspect_names_the_commands_in_fopts(lns):
    ran = lns("inspect", "40e8bd0c840325dee85afb662247f49790325351b7", *EARLY_1_1)
    lines = [line.strip("│├└─ ") for line in ran.out.splitlines()]
    assert [line for line in lines if line in {"LinkADRAns", "DeviceTimeReq"}] == ["LinkADRAns", "DeviceTimeReq"]
    assert "fopts_hint encrypted as before the erratum of 1.1, by a 1.1.0 device" in lines


def test_inspect_opens_a_join_accept_of_1_1(lns):
    ran = lns(
        "inspect",
        "20471bbfed40e32f8f8b259e6f9161589fc6d719b2e2e5b49996ed9fb744231dc8",
        *("--nwk-key", "4402e3a83cf0fd3c426a8ed1ed6e9067", "--join-eui", "5765D8C7937AB568"),
        *("--dev-eui", "0c-3b-7d-c8-ae-31-de-5d", "--dev-nonce", 62326, "--json"),
    )
    assert ran.code == 0
    assert (ran.json["dev_addr"], ran.json["dl_settings"]["opt_neg"], ran.json["mic_ok"]) == ("52f5b4dd", True, True)


def test_inspect_shows_a_beacon(lns):
    ran = lns("inspect", "--beacon", "0001009e3355ff93009cec510cd97aec73")
    assert ran.code == 0
    assert ran.out.splitlines()[1:3] == ["├── time_gps_s 1429446144", "├── time 2025-04-23T12:22:06+00:00"]


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("zz",), 2, "'zz' is not hex"),
        ((UPLINK, "--app-key", "12"), 2, "the key has 2 characters: 32 hex digits are needed"),
        ((UPLINK, "--dev-eui", "12"), 2, "'12' is not an EUI: 16 hex digits are needed"),
        (
            (UPLINK, "--nwk-s-key", NWK_S_KEY, "--nwk-s-enc-key", NWK_S_KEY),
            2,
            "--nwk-s-key is the key of a 1.0 session, the others are those of a 1.1 session",
        ),
        (("40F17DBE490002",), 1, "data frame is 7 octets, at least 12 are needed"),
        (("--beacon", "00"), 1, "beacon is 1 octets, 17, 19 or 23 are needed"),
    ],
)
def test_inspect_says_what_is_wrong(lns, arguments, code, text):
    ran = lns("inspect", *arguments)
    assert ran.code == code
    assert ran.err.startswith(f"lns: {text}")


# check


def test_check_says_what_would_listen_where(lns, tmp_path):
    ran = lns("check")
    assert ran.code == 0
    assert ran.out.splitlines()[:3] == [
        "ok      gateways, Semtech UDP: would listen on udp 0.0.0.0:1700",
        "ok      REST API, metrics and health: would listen on tcp 127.0.0.1:8080",
        "ok      data folder data: would be made",
    ]
    assert not (tmp_path / "data").exists()


def test_check_prints_settings_that_are_a_valid_file(lns, tmp_path):
    (tmp_path / "in.toml").write_text("[udp]\nport = 0\nhost = '127.0.0.1'\n[api]\nport = 0\n")
    printed = lns("check", "--config", "in.toml").out.partition("\n\n")[2]
    (tmp_path / "out.toml").write_text(printed)
    again = lns("check", "--config", "out.toml", "--json").json["settings"]
    assert again == lns("check", "--config", "in.toml", "--json").json["settings"]
    assert again["udp"] == {**again["udp"], "host": "127.0.0.1", "port": 0}


def test_check_finds_a_port_that_is_taken(lns, tmp_path):
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        (tmp_path / "in.toml").write_text(f"[udp]\nhost = '127.0.0.1'\nport = {port}\n[api]\nport = 0\n")
        ran = lns("check", "--config", "in.toml")
    assert ran.code == 1
    problem = f"cannot listen on udp 127.0.0.1:{port}: address already in use"
    assert ran.out.splitlines()[0] == f"problem gateways, Semtech UDP: {problem}"


def test_check_finds_a_data_folder_that_is_a_file(lns, tmp_path):
    (tmp_path / "data").write_text("")
    ran = lns("check")
    assert ran.code == 1
    assert f"data folder data: {tmp_path / 'data'} is not a folder that can be written to" in ran.out


def test_check_notes_answers_that_cannot_make_rx1(lns, tmp_path):
    (tmp_path / "in.toml").write_text("[network]\ndedup_window_ms = 900\n")
    ran = lns("check", "--config", "in.toml")
    assert ran.code == 0
    text = "answers always use RX2: dedup_window_ms and downlink_margin_ms take 1050 ms, RX1 opens after 1000 ms"
    assert f"note    {text}" in ran.out


def test_check_refuses_a_wrong_file_with_exit_code_2(lns, tmp_path):
    (tmp_path / "in.toml").write_text("[udp]\nprot = 1\n")
    ran = lns("check", "--config", "in.toml")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "lns: in.toml: $.udp.prot is not a known key; did you mean port\n"


# key create


def test_key_create_without_a_server_writes_to_the_data_folder(lns, tmp_path):
    (tmp_path / "data").mkdir()
    ran = lns("key", "create", "first", "--permission", "admin", "--url", NO_SERVER)
    assert ran.code == 0
    secret = ran.out.strip()
    assert ran.err == "no server answers: written to data/inflight.db, known to a server that is started from now on\n"
    registry = Registry(Path("data/inflight.db"))
    registry.open()
    found = registry.keys.verify(secret, 0)
    registry.close()
    assert (found.name, found.permissions) == ("first", ("admin",))


def test_key_create_takes_the_key_file_of_the_configuration(lns, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "in.toml").write_text("[keys]\nfile = 'elsewhere.key'\n")
    ran = lns("key", "create", "first", "--config", "in.toml", "--url", NO_SERVER)
    assert ran.code == 0
    assert (tmp_path / "elsewhere.key").exists()
    assert not (tmp_path / "data" / "key-encryption.key").exists()


# key-encryption


def test_rotation_seals_every_key_with_a_new_one(lns, tmp_path):
    registry = Registry(tmp_path / "data" / "inflight.db")
    registry.open()
    registry.multicast.add({"name": "lamps"})
    registry.close()
    ran = lns("key-encryption", "rotate", "--json")
    assert (ran.code, ran.json["sealed"], ran.json["origin"]) == (0, 1, "data/key-encryption.key")
    again = lns("key-encryption", "rotate", "--data", "data")
    assert again.out.startswith("1 keys are sealed with key ")
    assert again.out.endswith(f" of data/key-encryption.key, no longer with {ran.json['new_id']}\n")


def test_rotation_is_refused_while_a_server_runs_and_without_a_database(lns, tmp_path):
    with hold(tmp_path / "data"):
        ran = lns("key-encryption", "rotate")
    assert ran.code == 1
    assert ran.err.startswith("lns: the data folder data is in use by another server (process ")
    ran = lns("key-encryption", "rotate")
    text = "lns: there is no database data/inflight.db: start the server once, or name its data folder\n"
    assert (ran.code, ran.err) == (1, text)


def test_key_create_refuses_a_folder_that_a_server_holds(lns, tmp_path):
    with hold(tmp_path / "data"):
        ran = lns("key", "create", "first", "--url", NO_SERVER)
    assert ran.code == 3
    assert ran.err.startswith("lns: the data folder data is in use by another server (process ")
    assert ran.err.endswith("): name its address with --url\n")


def test_key_create_without_server_and_folder_is_refused(lns):
    assert lns("key", "create", "first", "--url", NO_SERVER).code == 3


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--permission", "root"), "'root' is not a permission: read, write, keys:read, admin"),
        (("--expires-in", "soon"), "--expires-in: 'soon' is not a duration such as 90s, 15m, 1h, 7d or 2w"),
    ],
)
def test_key_create_refuses_what_it_does_not_know(lns, arguments, text):
    ran = lns("key", "create", "x", *arguments, "--url", NO_SERVER)
    assert (ran.code, ran.err) == (2, f"lns: {text}\n")


WRONG = {
    "[postgres]\nenabled = true\ndsn = 'postgres//foo'": "postgres.dsn is neither a URI nor a libpq connection string",
    "[postgres]\nenabled = true\npassword_env = 'NOT_SET'": "postgres.password_env names the environment variable "
    "NOT_SET, which is not set",
    "[influxdb]\nenabled = true\nurl = '127.0.0.1:8086'": "influxdb.url is '127.0.0.1:8086': it must begin with "
    "http:// or https:// and a host",
    "[influxdb]\nenabled = true\nsecret_env = 'NOT_SET'": "influxdb.secret_env names the environment variable NOT_SET, "
    "which is not set",
    "[mongodb]\nenabled = true\nurl = '127.0.0.1:27017'": "mongodb.url cannot be used: Invalid URI scheme: URI must "
    "begin with 'mongodb://' or 'mongodb+srv://'",
    "[mongodb]\nenabled = true\nsecret_env = 'NOT_SET'": "mongodb.secret_env names the environment variable NOT_SET, "
    "which is not set",
    "[latest]\nredis_url = 'localhost:6379'": "latest.redis_url is 'localhost:6379': it must begin with redis://",
    "[latest]\nredis_url = 'redis://127.0.0.1'\npassword_env = 'NOT_SET'": "latest.password_env names the environment "
    "variable NOT_SET, which is not set",
    "[archive]\nenabled = true\nbucket = 'b'\naccess_key_env = 'NOT_SET'": "archive.access_key_env names the "
    "environment variable NOT_SET, which is not set",
    "[archive]\nenabled = true\nfolder = '/proc/nope'": "archive folder /proc/nope: /proc is not a folder that can be "
    "written to",
    "[series]\nreads_from = 'postgres'": "series.reads_from is 'postgres', which is not enabled; enabled: sqlite",
    "[kafka]\nenabled = true\nsecurity_protocol = 'sasl_ssl'": "kafka.security_protocol sasl_ssl needs "
    "kafka.sasl_mechanism",
}
NEEDS = {
    "postgres]": "psycopg",
    "mongodb]": "pymongo",
    "latest]": "redis",
    "archive]": "pyarrow",
    "kafka]": "confluent_kafka",
}


@pytest.mark.parametrize(("section", "problem"), WRONG.items())
def test_check_finds_what_the_server_would_refuse_or_never_could_use(lns, tmp_path, section, problem):
    if extra := NEEDS.get(section[1:].partition("\n")[0]):
        pytest.importorskip(extra)
    (tmp_path / "in.toml").write_text(f"{section}\n[udp]\nhost = '127.0.0.1'\nport = 0\n[api]\nport = 0\n")
    ran = lns("check", "--config", "in.toml", "--json")
    [found] = [finding["text"] for finding in ran.json["findings"] if finding["ok"] is False]
    assert (ran.code, found.startswith(problem)) == (1, True), found
    assert not (tmp_path / "data").exists()


def test_check_tells_every_fault_at_once(lns, tmp_path):
    (tmp_path / "in.toml").write_text(
        "[influxdb]\nenabled = true\nurl = 'x'\n[series]\nreads_from = 'mongodb'\n"
        "[udp]\nhost = '127.0.0.1'\nport = 0\n[api]\nport = 0\n"
    )
    ran = lns("check", "--config", "in.toml")
    problems = [line.removeprefix("problem ")[:18] for line in ran.out.splitlines() if line.startswith("problem")]
    assert (ran.code, problems) == (1, ["influxdb.url is 'x", "series.reads_from "])
