"""A trial and a repair of history on the command line, against a real server."""

import itertools
import os
import signal
import subprocess
import sys

import pytest

from tests.cli.server import APP_S_KEY, NWK_S_KEY, ROOT, frame, table, until

WRONG = """function decodeUplink(i) {
  if (i.bytes[0] === 3) throw new Error("three");
  return { data: { v: i.bytes[0], lost: true } };
}"""
RIGHT = "function decodeUplink(i) { return { data: { v: i.bytes[0] * 2 } }; }"


NUMBERS = itertools.count(1)


@pytest.fixture
def tank(on, gateway, tmp_path):
    """DevEUI and `hears(fcnt, octet)` of a device with three uplinks, decoded by the first version of a codec; the
    second is a draft. Every test has its own device: uplinks of a removed one stay in the log."""
    file = tmp_path / "probe.js"
    for source in (WRONG, RIGHT):
        file.write_text(source)
        on("codec", "add", file, "--no-activate")
    on("codec", "activate", "probe", "1")
    number = next(NUMBERS)
    dev_eui, dev_addr = f"70b3d57ed00007{number:02x}", f"070000{number:02x}"
    session = ("--dev-addr", dev_addr, "--nwk-s-key", NWK_S_KEY, "--app-s-key", APP_S_KEY)
    assert on("device", "add", dev_eui, "--name", "tank", "--codec", "probe", *session).code == 0

    def hears(fcnt, octet):
        gateway.uplink(frame(fcnt, bytes([octet]), dev_addr))

    for octet in (1, 2, 3):
        hears(octet, octet)
    until(lambda: on("codec", "failures", "--device", "tank", "--json").json)
    yield dev_eui, hears
    assert on("device", "remove", "tank").code == 0


def values(on, field):
    ran = on("series", "tank", field, "--json")
    return [item["value"] for item in ran.json["fields"][0]["items"]] if ran.code == 0 else []


def test_trial_shows_what_would_change_and_writes_nothing(on, tank):
    ran = on("codec", "trial", "probe@2", "--last", "100")
    assert ran.code == 0
    lines = ran.out.splitlines()
    told = "3 uplinks: 0 the same, 2 differ, 0 new failures, 1 fixed failures, 0 still failing"
    assert (lines[0], lines[1].startswith("an uplink takes ")) == (told, True)
    rows = table(ran)
    assert ["v", "-", "-", "-", "2"] in rows
    assert ["lost", "-", "-", "2", "-"] in rows
    assert [row[1:] for row in rows if row[-3:] == ["v", "1", "2"]] == [[tank[0], "1", "2", "01", "v", "1", "2"]]
    assert [row[5:] for row in rows if "exception:" in row] == [["exception:", "three", "at", "line", "2", "-"]]
    assert values(on, "v") == [1, 2]
    shown = on("codec", "trial", "probe@2", "--device", "tank", "--last", "1", "--json").json
    assert (shown["version"], shown["report"]["uplinks"]) == (2, 1)
    refused = on("codec", "trial", "probe@9")
    assert (refused.code, refused.err) == (5, "lns: codec 'probe' has no version 9, it has 1 to 2\n")


def test_trial_without_a_version_tries_the_draft(on, tmp_path):
    (tmp_path / "idle.js").write_text(RIGHT)
    on("codec", "add", "idle.js")
    refused = on("codec", "trial", "idle")
    assert (refused.code, refused.err) == (5, "lns: codec 'idle' has no draft version\n")
    (tmp_path / "idle.js").write_text(RIGHT + "//")
    on("codec", "add", "idle.js", "--no-activate")
    ran = on("codec", "trial", "idle")
    text = "the log holds no uplinks of devices with this codec; name some with --device\n"
    assert (ran.code, ran.out) == (0, text)


def test_replay_repairs_history_once(on, tank):
    assert on("codec", "activate", "probe", "2").code == 0
    dry = on("replay", "--codec", "probe", "--since", "1d", "--devices", "tank", "--dry-run")
    assert dry.code == 0
    head, told = dry.out.splitlines()[:2]
    assert head.endswith(" of codec probe, 1 device(s) is done")
    assert told == (
        "3 uplinks: 3 would be corrected, nothing was written; 0 as they were, 0 without codec or payload, "
        "0 not decodable, 1 that had failed before"
    )
    assert ["v", "1", "2", "0"] in table(dry)
    assert [tank[0], "1", "01", "v", "1", "2"] in table(dry)
    assert values(on, "v") == [1, 2]
    assert on("replay", "--codec", "probe", "--since", "1d", "--devices", "tank").code == 0
    assert until(lambda: values(on, "v") == [2, 4, 6])
    assert on("codec", "failures", "--device", "tank").out == "none yet\n"
    again = on("replay", "--codec", "probe", "--devices", "tank", "--json").json
    assert (again["state"], again["report"]["corrected"], again["report"]["unchanged"]) == ("done", 0, 3)
    newest = table(on("replay", "list"))[1]
    assert newest[:7] == [again["id"], "done", "probe", "100", "%", str(again["report"]["uplinks"]), "0"]
    assert on("replay", "show", again["id"], "--json").json == again
    ended = on("replay", "cancel", again["id"])
    assert ended.out == f"replay {again['id']} was done already\n"


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ((), 2, "say what to decode again: --codec, --since, --devices or --failures"),
        (
            ("--since", "noon"),
            2,
            "--since: 'noon' is neither a duration such as 1h nor a time such as 2026-01-31T08:00",
        ),
        (("--codec", "nothing"), 5, "codec 'nothing' does not exist"),
        (("--codec", "cayenne-lpp", "--since", "1h", "--until", "2h"), 1, "since is not before until"),
        (("--devices", "nobody"), 5, "no device has the DevEUI or name 'nobody': see `lns device list`"),
        (("show", "x"), 5, "there is no replay x"),
        (("cancel", "x"), 5, "there is no replay x"),
    ],
)
def test_replay_that_cannot_be_is_told(on, arguments, code, text):
    ran = on("replay", *arguments)
    assert (ran.code, ran.out, ran.err) == (code, "", f"lns: {text}\n")


def test_help_of_replay_teaches_with_examples(lns):
    ran = lns("replay", "--help")
    assert (ran.code, "lns replay --codec lht65 --since 7d --dry-run" in ran.out) == (0, True)


@pytest.fixture
def slow(on, tank):
    """Options of a replay that takes a minute: it rests after every thousand uplinks."""
    for fcnt in range(4, 2300):
        tank[1](fcnt, 4)
    until(lambda: on("device", "show", "tank", "--json").json["session"]["fcnt_up"] == 2299)
    until(lambda: all(row["lag"] == 0 for row in on("exchange", "status", "--json").json["consumers"]))
    return ("--codec", "probe@2", "--devices", "tank", "--max-per-s", "20")


class Watcher:
    """`lns replay` in a process of its own."""

    def __init__(self, on, *options):
        command = [sys.executable, "-m", "lns", "replay", *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.id = until(lambda: next((r["id"] for r in on("replay", "list", "--json").json if worked_on(r)), None))

    def ctrl_c(self):
        self._process.send_signal(signal.SIGINT)

    def ended(self):
        """Exit code, standard output and error."""
        out, err = self._process.communicate(timeout=20)
        return self._process.returncode, out, err


def worked_on(job):
    return job["state"] == "running" and job["done"] > 0


def test_replay_goes_on_without_its_watcher_and_can_be_cancelled(on, slow):
    watcher = Watcher(on, *slow)
    watcher.ctrl_c()
    left = f"replay {watcher.id} goes on at the server: lns replay show {watcher.id} --follow\n"
    assert watcher.ended() == (0, "", left)
    still = on("replay", "show", watcher.id)
    assert (still.code, " of codec probe@2, 1 device(s) is running at " in still.out) == (0, True)
    assert on("replay", "cancel", watcher.id).out == f"replay {watcher.id} is cancelled\n"
    followed = on("replay", "show", watcher.id, "--follow")
    assert (followed.code, followed.out.splitlines()[0].endswith(" is cancelled")) == (1, True)


def test_replay_and_its_watcher_go_on_after_a_restart_of_the_server(on, server, slow):
    watcher = Watcher(on, *slow)
    before = on("replay", "show", watcher.id, "--json").json
    server.restart()
    after = until(lambda: on("replay", "show", watcher.id, "--json").json)
    assert (after["state"], after["done"] >= before["done"] > 0) == ("running", True)
    assert on("replay", "cancel", watcher.id).code == 0
    code, out, err = watcher.ended()
    assert (code, err, out.splitlines()[0].endswith(" is cancelled")) == (1, "", True)
