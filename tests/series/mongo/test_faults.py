"""A server that is killed or frozen, a writer that is killed: nothing lost, nothing double."""

import asyncio
import os
import random
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("pymongo", reason="the mongodb store needs: pip install 'inflight-lns[mongo]'")

from pymongo import AsyncMongoClient

from lns.config.stores import Mongo
from lns.errors import StoreError
from lns.series.mongo.store import MongoSeries
from lns.series.store import Rows, SeriesStore, WriteResult
from tests.mongo import BATCH_ROWS, MongoServer, shared_server
from tests.series.build import DAY_US, DEVICE, T0, Clock, row, rows, running
from tests.series.mongo.leaks import LEAKS_A_SOCKET, collected_here
from tests.series.mongo.own import OwnDatabase
from tests.series.test_kill import batch, expected

__all__ = ["collected_here"]

pytestmark = LEAKS_A_SOCKET

EVER = (T0 - 400 * DAY_US, T0 + DAY_US)
DEADLINE_S = 30.0

WRITER = """
import asyncio, sys
from lns.config.stores import Mongo
from lns.series.mongo.store import MongoSeries
from tests.series.build import Clock
from tests.series.test_kill import batch

async def main():
    store = MongoSeries(Mongo(url=sys.argv[1], database="kill", batch_rows=10), Clock(), {})
    await store.open()
    seq = await store.cursor()
    while True:
        upto = seq + 1 + seq % 13
        await store.write(batch(seq, upto), upto)
        print(upto, flush=True)
        seq = upto

asyncio.run(main())
"""


def store_on(server: MongoServer, **changes: object) -> MongoSeries:
    settings = {"url": server.url, "database": "kill", "timeout_s": 10.0, "batch_rows": BATCH_ROWS, **changes}
    return MongoSeries(Mongo(**settings), Clock(), {})


async def bring_up(store: SeriesStore, acknowledged: int) -> None:
    """Whatever was cut: the position claims no row that is missing, and the log's next ones make it whole."""
    position = await store.cursor()
    assert position >= acknowledged
    found = {(r.device_id, r.field, r.time_us): r.seq for r in await store.scan(*EVER, 1_000_000)}
    assert all(found[(d, f, t)] >= seq for d, f, t, _, _, seq in expected(position))
    upto = max([position, *found.values()])
    await store.write(batch(position, upto), upto)
    held = await store.scan(*EVER, 1_000_000)
    assert sorted((r.device_id, r.field, r.time_us, r.value, r.unit, r.seq) for r in held) == expected(upto)


async def test_an_older_row_loses_also_after_a_restart():
    first = OwnDatabase(shared_server().url, Clock())
    async with running(first):
        await first.write(rows(row(0, 2.0, seq=500)), None)
        async with running(MongoSeries(Mongo(url=first.url, database=first.database), Clock(), {})) as second:
            assert await second.write(rows(row(0, 1.0, seq=499), row(1, 1.0, seq=501)), None) == WriteResult(1, 1)
            assert [p.value for p in await second.range(DEVICE, "t", *EVER, 9)] == [2.0, 1.0]


@pytest.mark.kill
async def test_a_batch_cut_in_the_middle_by_kill_9_of_the_server_is_whole_when_it_is_written_again():
    with MongoServer() as server:
        async with running(store_on(server, batch_rows=10)) as store:
            await store.write(batch(0, 10), 10)
            await cut_in_the_middle(server, store)
            server.start()
            assert await store.cursor() == 10
            part = len(await store.scan(*EVER, 1_000_000))
            assert len(expected(10)) < part < len(expected(300))
            result = await store.write(batch(10, 300), 300)
            assert result.rejected == ()
            assert await store.cursor() == 300
            held = await store.scan(*EVER, 1_000_000)
            assert sorted((r.device_id, r.field, r.time_us, r.value, r.unit, r.seq) for r in held) == expected(300)


async def cut_in_the_middle(server: MongoServer, store: SeriesStore) -> None:
    """Kill the server once it holds some rows of a batch."""
    async with AsyncMongoClient(server.url) as client, asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(refused(store))
        deadline = time.monotonic() + DEADLINE_S
        before = len(expected(10))
        while await client["kill"]["measurements"].count_documents({}) <= before:
            assert time.monotonic() < deadline
            assert not writing.done()
        server.kill()


async def refused(store: SeriesStore) -> None:
    with pytest.raises(StoreError, match="cannot be reached"):
        await store.write(batch(10, 300), 300)


@pytest.mark.kill
async def test_nothing_acknowledged_is_lost_by_kill_9_of_the_server():
    chance = random.Random(2)
    with MongoServer() as server:
        async with running(store_on(server)) as store:
            upto = 0
            for _ in range(5):
                asyncio.get_running_loop().call_later(chance.uniform(0.05, 0.2), server.kill)
                upto = await write_until_it_fails(store, upto)
                server.start()
                await bring_up(store, upto)
                upto = await store.cursor()


async def write_until_it_fails(store: SeriesStore, acknowledged: int) -> int:
    while True:
        upto = acknowledged + 1 + acknowledged % 9
        try:
            await store.write(batch(acknowledged, upto), upto)
        except StoreError:
            return acknowledged
        acknowledged = upto


@pytest.mark.kill
async def test_every_row_up_to_the_position_is_there_after_kill_9_of_the_writer():
    chance = random.Random(3)
    with MongoServer() as server:
        for _ in range(3):
            acknowledged = await write_and_kill(server.url, chance)
            async with running(store_on(server)) as store:
                await bring_up(store, acknowledged)


async def write_and_kill(url: str, chance: random.Random) -> int:
    folder = Path(__file__).parents[3]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, url),
        stdout=asyncio.subprocess.PIPE,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
    )
    assert process.stdout is not None
    lines = [await process.stdout.readline()]
    asyncio.get_running_loop().call_later(chance.uniform(0, 0.2), process.kill)
    lines += (await process.stdout.read()).splitlines()
    await process.wait()
    return max(map(int, lines))


async def test_a_frozen_server_is_an_error_and_the_same_batch_goes_through_after_it():
    with MongoServer() as server:
        async with running(store_on(server, timeout_s=2.0)) as store:
            await store.write(batch(0, 10), 10)
            server.freeze()
            with pytest.raises(StoreError, match=r"did not answer in 2 s|cannot be reached"):
                await store.write(batch(10, 20), 20)
            server.thaw()
            await written(store, batch(10, 20), 20)
            await bring_up(store, 20)


async def test_a_store_that_could_not_be_opened_is_opened_once_the_server_is_there():
    with MongoServer() as server:
        server.kill()
        store = store_on(server, timeout_s=1.0)
        with pytest.raises(StoreError, match="cannot be reached"):
            await store.open()
        server.start()
        async with running(store):
            await store.write(batch(0, 10), 10)
            await bring_up(store, 10)


async def written(store: SeriesStore, some: Rows, cursor: int) -> None:
    """Write, again and again as the exchange does."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            await store.write(some, cursor)
            return
        except StoreError:
            assert time.monotonic() < deadline
