"""kill -9 of a process that writes and rolls up, or of its server: position, rows and roll-ups agree, whole."""

import asyncio
import os
import random
import sys
from pathlib import Path

import pytest

from lns.errors import StoreError
from lns.series.postgres.store import PostgresSeries
from lns.series.store import SeriesStore
from tests.postgres import Postgres, config, shared
from tests.series.build import DAY_US, Clock, running
from tests.series.test_kill import EVER, batch, by_day, expected

ROUNDS = 6

WRITER = """
import asyncio, sys
from lns.config.stores import Postgres
from lns.series.postgres.store import PostgresSeries
from tests.series.build import Clock
from tests.series.test_kill import batch

async def main():
    store = PostgresSeries(Postgres(dsn=sys.argv[1], schema=sys.argv[2]), Clock())
    await store.open()
    seq = await store.cursor()
    while True:
        upto = seq + 1 + seq % 89
        await store.write(batch(seq, upto), upto)
        if seq % 3 == 0:
            await store.refresh()
        print(upto, flush=True)
        seq = upto

asyncio.run(main())
"""


async def check(store: SeriesStore, acknowledged: int) -> None:
    position = -1
    while position != await store.cursor():  # a commit that the dead process had sent may still be under way
        position = await store.cursor()
        held = await store.scan(*EVER, 10_000_000)
    assert position >= acknowledged
    assert sorted((r.device_id, r.field, r.time_us, r.value, r.unit, r.seq) for r in held) == expected(position)
    for device in range(3):
        assert await store.buckets(device, "t", *EVER, DAY_US) == by_day(held, device)


async def write_until_it_fails(store: SeriesStore, acknowledged: int) -> int:
    while True:
        upto = acknowledged + 1 + acknowledged % 89
        try:
            await store.write(batch(acknowledged, upto), upto)
            if acknowledged % 3 == 0:
                await store.refresh()
        except StoreError:
            return acknowledged
        acknowledged = upto


@pytest.mark.kill
async def test_position_and_rows_agree_after_kill_9_of_the_writer():
    settings, chance = config(shared().dsn), random.Random(2)
    for _ in range(ROUNDS):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WRITER, settings.dsn, settings.schema),
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[3],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        )
        assert process.stdout is not None
        lines = [await process.stdout.readline()]
        asyncio.get_running_loop().call_later(chance.uniform(0, 0.1), process.kill)
        lines += (await process.stdout.read()).splitlines()
        await process.wait()
        async with running(PostgresSeries(settings, Clock())) as store:
            await check(store, max(map(int, lines)))


@pytest.mark.kill
async def test_nothing_acknowledged_is_lost_by_kill_9_of_the_server():
    chance = random.Random(3)
    with Postgres() as server:
        async with running(PostgresSeries(config(server.dsn), Clock())) as store:
            for _ in range(4):
                acknowledged = await store.cursor()
                asyncio.get_running_loop().call_later(chance.uniform(0.02, 0.2), server.kill)
                acknowledged = await write_until_it_fails(store, acknowledged)
                server.start()
                await check(store, acknowledged)
