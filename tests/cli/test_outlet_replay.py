"""`lns outlet replay` of what only the archive has any more, against a server that is killed in the middle of it."""

import json
from collections import Counter
from contextlib import closing

import pytest

pytest.importorskip("pyarrow", reason="no Parquet: pip install inflight-lns[archive]")

from lns.exchange import log
from tests.cli.server import ABP, DEV_EUI, GATEWAY, Gateway, Server, frame, until
from tests.cli.test_archive_kill import CODEC, CONFIG, kill
from tests.cli.test_outlets import Receiver

UPLINKS = 250  # more than a page, after which it rests
MESSAGES = 2 * UPLINKS
OUTLET = ("outlet", "add", "hook", "webhook", "--set", "allow_private=true", "--sending", "at_once=16")
ONLY = ("--event", "uplink", "--event", "measurements")


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def server(tmp_path, lns):
    (tmp_path / "own.toml").write_text(CONFIG)
    started = Server(tmp_path, "--config", "own.toml")
    yield started
    if started.process.poll() is None:
        kill(started)


def fill(server, lns, folder, receiver):
    """Uplinks that were sent to an outlet, and archived."""
    (folder / "probe.js").write_text(CODEC)
    with closing(Gateway(server)) as gateway:
        for arguments in (
            ("gateway", "accept", GATEWAY),
            ("codec", "add", "probe.js"),
            ("device", "add", DEV_EUI, "--codec", "probe", *ABP),
            (*OUTLET, "--to", receiver.url, *ONLY),
        ):
            assert lns(*arguments).code == 0
        for fcnt in range(1, UPLINKS + 1):
            gateway.uplink(frame(fcnt, bytes([fcnt * 7 % 256, fcnt % 256])))
    until(lambda: lns("archive", "status", "--json").json["uplinks"] == UPLINKS, 60)
    until(lambda: len(receiver.bodies) == MESSAGES, 60)
    until(lambda: lns("outlet", "list", "--json").json[0]["open"] == 0)


def forget_log(folder):
    """What retention does when its time has come."""
    with closing(log.connect(folder / "data" / "inflight.db")) as connection:
        assert log.expire(connection, log.head_seq(connection), 2**62, 1_000_000) > 0
        assert log.first_seq(connection) is None


def told(bodies):
    """How often each message was sent, by event and counter."""
    return Counter(("measurements" in one, one["fcnt_up"]) for one in map(json.loads, bodies))


@pytest.mark.kill
@pytest.mark.timeout(180)
def test_what_only_the_archive_has_is_sent_again_through_a_kill(server, lns, monkeypatch, tmp_path, receiver):
    def started():
        server._start()
        monkeypatch.setenv("LNS_URL", server.url)

    monkeypatch.setenv("LNS_URL", server.url)
    fill(server, lns, tmp_path, receiver)
    assert server.stop() == 0
    forget_log(tmp_path)
    started()

    archived = f"\n{UPLINKS} uplinks come from the archive, which has no joins and other events\n"
    counted = lns("outlet", "replay", "hook", "--dry-run")
    assert counted.out.startswith(f"{MESSAGES} messages of {MESSAGES} records would be sent\nwhat is stored begins at ")
    assert counted.out.endswith(f": nothing is known of before{archived}")
    counted = lns("outlet", "replay", "hook", "--since", "1000d", "--dry-run", "--json").json
    assert (counted["archived"], counted["lost"], counted["begins_at"] is None) == (UPLINKS, 0, False)
    recent = lns("outlet", "replay", "hook", "--since", counted["begins_at"], "--dry-run", "--json").json
    assert (recent["messages"], recent["begins_at"]) == (MESSAGES, None)
    asked = lns("outlet", "replay", "hook")
    assert (asked.code, f"nothing is known of before{archived}" in asked.err) == (2, True)
    assert len(receiver.bodies) == MESSAGES

    job = lns("outlet", "replay", "hook", "--yes", "--no-wait", "--max-per-s", "100", "--json").json["id"]
    until(lambda: len(receiver.bodies) > MESSAGES + 50)
    (at,) = [one for one in lns("outlet", "replay", "hook", "--list", "--json").json if one["id"] == job]
    kill(server)
    assert (at["state"], at["messages"] < MESSAGES) == ("running", True)
    started()
    (done,) = until(
        lambda: [
            one
            for one in lns("outlet", "replay", "hook", "--list", "--json").json
            if (one["id"], one["state"]) == (job, "done")
        ],
        60,
    )
    assert (done["messages"], done["archived"], done["lost"], done["error"]) == (MESSAGES, UPLINKS, 0, None)
    until(lambda: set(told(receiver.bodies[MESSAGES:])) == set(told(receiver.bodies[:MESSAGES])))
    until(lambda: lns("outlet", "list", "--json").json[0]["open"] == 0)
    twice = len(receiver.bodies) - 2 * MESSAGES
    assert 0 <= twice <= 16, "only what was under way is sent for a second time"
    assert server.stop() == 0
