"""Nothing is lost: servers that are stopped and killed under load, compared with the fleet's own ledger."""

import asyncio
import random
import signal
import time
from collections import Counter
from contextlib import closing

import pytest

from lns.exchange import log
from simulators.stored import SqliteFiles
from simulators.verify import read_ledger, verify
from tests.acceptance.servers import ServerProcess, running_fleet, summary

KILLS = 50
LOOSE = ("--ack-timeout", "0.5", "--window", "30000")
ENDLESS = ("--uplinks", "0", "--duration", "600", "--rate", "100", "--gateways", "2", "--loss", "0.02")
UNWRITTEN_S = 0.2 + 0.005 + 0.5
"""What a kill may cost: the deduplication window, the commit interval, and a slow moment of a busy machine."""


async def compare(server: ServerProcess, ledger):
    uplinks, _ = read_ledger(ledger)
    with closing(SqliteFiles(server.data / "series.db")) as store:
        return await verify(uplinks, store)


async def heard(server: ServerProcess, uplinks: int) -> None:
    """Wait until the server has accepted so many."""
    async with asyncio.timeout(60):
        while (await server.get("/status"))["counters"]["uplinks"].get("accepted", 0) < uplinks:
            await asyncio.sleep(0.02)


async def test_sigterm_under_load_loses_nothing_that_was_acknowledged(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    options = ("--activation", "abp", "--devices", "300", "--uplinks", "6000", "--rate", "1000", "--gateways", "2")
    async with ServerProcess(tmp_path) as server, running_fleet(server, ledger, *options, *LOOSE) as fleet:
        await heard(server, 1000)
        assert await server.stop() == 0
        await server.start()
        told = await summary(fleet)
        assert told["sent"] == 6000
        await server.caught_up()
        assert await server.stop() == 0
        verdict = await compare(server, ledger)
    assert (verdict.missing, verdict.doubled, verdict.unexpected, verdict.wrong) == ((), (), (), ())
    assert verdict.expected > 2000


@pytest.mark.kill
@pytest.mark.timeout(900)
async def test_kill_9_at_random_moments_loses_only_what_was_not_yet_written(tmp_path):
    chance, first, second = random.Random(7), tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    steady = ("--activation", "otaa", "--devices", "60", "--join-rate", "30", "--confirmed-share", "0.3", *ENDLESS)
    joining = ("--seed", "2", "--activation", "otaa", "--devices", "60", "--join-rate", "1", "--join-attempts", "9")
    kills_us = []
    async with ServerProcess(tmp_path) as server, running_fleet(server, first, *steady, *LOOSE) as fleet:
        await heard(server, 60)
        async with running_fleet(server, second, *joining, *ENDLESS, *LOOSE) as joiners:
            for _ in range(KILLS):
                await asyncio.sleep(chance.uniform(0.2, 1.6))  # the random moment is the test
                await server.stop(signal.SIGKILL)
                kills_us.append(time.time_ns() // 1000)
                await server.start()
            for ended in (fleet, joiners):
                ended.terminate()
            told = [await summary(fleet), await summary(joiners)]
        await server.caught_up()
        assert await server.stop() == 0
        verdicts = [await compare(server, ledger) for ledger in (first, second)]
    for verdict in verdicts:
        assert (verdict.doubled, verdict.unexpected, verdict.wrong) == ((), (), ())
        assert [lost for lost in verdict.missing if not _explained(lost.sent_at_us, kills_us)] == []
    assert verdicts[0].stored > 1000
    for says in told:
        assert (says["duplicate_fcnt_down"], says["downlinks_mic_bad"]) == (0, 0)
    assert told[0]["downlinks_received"] > 100
    _check_log(server)


def _explained(sent_at_us: int | None, kills_us: list[int]) -> bool:
    """A kill came before the frame can have been written."""
    assert sent_at_us is not None
    return any(sent_at_us <= kill_us <= sent_at_us + UNWRITTEN_S * 1e6 for kill_us in kills_us)


def _check_log(server: ServerProcess) -> None:
    """The log itself: gapless, each uplink once, each DevNonce accepted once."""
    with closing(log.connect(server.data / "inflight.db")) as connection:
        records, _ = log.read(connection, 0, frozenset(log.TOPICS), 10_000_000)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert [stored.seq for stored in records] == list(range(1, len(records) + 1))
    ids = Counter(stored.record.id for stored in records if stored.topic == "uplink")
    assert [uplink_id for uplink_id, count in ids.items() if count > 1] == []
    joins = [s.record for s in records if s.topic == "event" and s.record.kind == "join"]
    nonces = Counter((join.dev_eui, join.data["dev_nonce"]) for join in joins)
    assert joins
    assert [key for key, count in nonces.items() if count > 1] == []
