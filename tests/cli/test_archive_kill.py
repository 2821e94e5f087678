"""A server that is killed again and again in the middle of a backfill goes on with it by itself, to the last row."""

import asyncio
import random
import threading

import pytest

pytest.importorskip("pyarrow", reason="no Parquet: pip install inflight-lns[archive]")

from lns.series.checksum import checksum
from lns.series.sqlite import SqliteSeries
from lns.series.store import Key, Removal, Rows
from tests.cli.server import ABP, DEV_EUI, GATEWAY, Gateway, Server, frame, until

CONFIG = """
[udp]
host = "127.0.0.1"
port = 0
max_datagrams_per_s = 100000
[api]
port = 0
[archive]
enabled = true
file_age_s = 1.0
file_uplinks = 1000
"""
CODEC = "function decodeUplink(i) { return { data: { v: i.bytes[0], w: i.bytes[1] } }; }"
UPLINKS = 3000  # three pages, after each of which it rests
KILLS = 3
EVER = (0, 2**62)


async def summed(file, *, empty=False):
    """The checksum of a store whose server is not running; on request everything is deleted then."""
    store = SqliteSeries(file)
    await store.open()
    found, after = await checksum(store, *EVER), None
    while empty and (rows := list(await store.scan(*EVER, 5000, after))):
        await store.write(Rows(), None, [Removal(r.device_id, r.field, r.time_us, 2**40) for r in rows])
        after = Key(rows[-1].device_id, rows[-1].field, rows[-1].time_us)
    await store.close()
    return found


def kill(server):
    server.process.kill()
    server.process.wait()
    server.process.stdout.close()
    server._errors.close()


@pytest.fixture
def server(tmp_path, lns):
    (tmp_path / "own.toml").write_text(CONFIG)
    started = Server(tmp_path, "--config", "own.toml")
    yield started
    if started.process.poll() is None:
        kill(started)


def fill(server, lns, folder):
    """A device with uplinks, all of them archived."""
    (folder / "probe.js").write_text(CODEC)
    gateway = Gateway(server)
    for arguments in (
        ("gateway", "accept", GATEWAY),
        ("codec", "add", "probe.js"),
        ("device", "add", DEV_EUI, "--codec", "probe", *ABP),
    ):
        assert lns(*arguments).code == 0
    for fcnt in range(1, UPLINKS + 1):
        gateway.uplink(frame(fcnt, bytes([fcnt * 7 % 256, fcnt % 256])))
    gateway.close()
    until(lambda: lns("archive", "status", "--json").json["uplinks"] == UPLINKS, 60)


@pytest.mark.kill
def test_a_server_that_is_killed_in_the_middle_of_a_backfill_ends_it(server, lns, monkeypatch, tmp_path):
    monkeypatch.setenv("LNS_URL", server.url)
    fill(server, lns, tmp_path)
    assert server.stop() == 0
    file = tmp_path / "data" / "series.db"
    before = asyncio.run(summed(file, empty=True))
    assert before.count >= 2 * UPLINKS
    chance, job, states = random.Random(7), None, []
    for _ in range(KILLS):
        server._start()
        monkeypatch.setenv("LNS_URL", server.url)
        if job is None:
            job = lns("backfill", "--into", "sqlite", "--rate", "500", "--detach", "--json").json["id"]
        states.append(lns("backfill", "show", job, "--json").json["state"])
        threading.Event().wait(chance.uniform(0.0, 0.4))
        kill(server)
    assert set(states[:2]) <= {"waiting", "running"}
    server._start()
    monkeypatch.setenv("LNS_URL", server.url)
    lns("backfill", "rate", job, "100000")
    assert lns("backfill", "show", job, "--follow").code == 0
    found = lns("backfill", "show", job, "--json").json["found"]
    assert (found["uplinks"], found["missing"], found["present"]) == (UPLINKS, before.count, 0)
    assert server.stop() == 0
    assert asyncio.run(summed(file)) == before
