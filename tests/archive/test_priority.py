"""Work on history waits for live consumers, but not for one whose engine is away."""

import asyncio
import re

import pytest

from lns.archive import priority
from lns.archive.priority import LiveFirst
from lns.decoding.worklist import Work
from tests.archive.build import D0, at
from tests.exchange.build import running

UPLINK = frozenset({"uplink"})


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(priority, "LAG", 3)
    monkeypatch.setattr(priority, "PATIENCE_S", 0.3)


def job(state="running"):
    return Work(id="a", created_at_us=1, first=0, last=9, position=0, state=state)


async def test_a_consumer_that_is_behind_and_moves_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(priority, "PATIENCE_S", 60.0)
    async with running(tmp_path / "x.db") as exchange:
        cursor = exchange.cursor("live", UPLINK, 0)
        await exchange.append([("uplink", at(n, D0)) for n in range(1, 11)])
        live = LiveFirst(exchange, lambda: ["live", "not running"])
        async with asyncio.TaskGroup() as tasks:
            work = job()
            waiting = tasks.create_task(live.make_way(work))
            for seq in range(1, 8):
                assert not waiting.done()
                for _ in range(20):
                    await exchange.committed()
                cursor.advance(seq, 1)
            async with asyncio.timeout(5):
                await waiting
            assert work.error is not None
            assert re.fullmatch(r"live goes first, it is ([4-9]|10) records behind", work.error)
        exchange.detach(cursor)


async def test_one_that_does_not_move_is_away_until_it_moves(tmp_path, monkeypatch):
    async with running(tmp_path / "x.db") as exchange:
        cursor = exchange.cursor("live", UPLINK, 0)
        await exchange.append([("uplink", at(n, D0)) for n in range(1, 11)])
        live = LiveFirst(exchange, lambda: ["live"])
        async with asyncio.timeout(5):
            await live.make_way(job())
        async with asyncio.timeout(0.25):  # it is known by now
            await live.make_way(job())
        cursor.advance(1, 1)
        monkeypatch.setattr(priority, "PATIENCE_S", 60.0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await live.make_way(job())
        exchange.detach(cursor)


async def test_waiting_ends_with_the_job(tmp_path):
    async with running(tmp_path / "x.db") as exchange:
        cursor = exchange.cursor("live", UPLINK, 0)
        await exchange.append([("uplink", at(n, D0)) for n in range(1, 11)])
        live = LiveFirst(exchange, lambda: ["live"])
        async with asyncio.timeout(5):
            await live.make_way(job("paused"))
            await live.passed("live", 5, job("cancelled"))
            await live.passed("not running", 5, job())
            cursor.advance(5, 1)
            await live.passed("live", 5, job())
        exchange.detach(cursor)
