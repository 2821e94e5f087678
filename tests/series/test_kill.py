"""kill -9 of a process that writes batches and rolls them up: position, rows and roll-ups agree, whole, every time."""

import asyncio
import random
import sys
from itertools import groupby
from pathlib import Path

import pytest

from lns.series.sqlite import SqliteSeries
from lns.series.store import Bucket, Rows
from tests.series.build import DAY_US, T0, Clock, running

ROUNDS = 20
DEVICES = 50
START = T0 - 40 * DAY_US  # days that are over, so that they are rolled up
MINUTE_US = 60_000_000
EVER = (START, T0)

WRITER = """
import asyncio, sys
from pathlib import Path
from lns.series.sqlite import SqliteSeries
from tests.series.build import Clock
from tests.series.test_kill import batch

async def main():
    store = SqliteSeries(Path(sys.argv[1]), Clock())
    await store.open()
    seq = await store.cursor()
    while True:
        upto = seq + 1 + seq % 89
        await store.write(batch(seq, upto), upto)
        if seq % 3 == 0:
            await store.roll_up()
        print(upto, flush=True)
        seq = upto

asyncio.run(main())
"""


def batch(after: int, upto: int) -> Rows:
    """The rows of the records `after` < seq <= `upto`: three each, one of them the same key again and again."""
    table = Rows()
    for seq in range(after + 1, upto + 1):
        for field, time_us in (("t", START + seq * MINUTE_US), ("open", START + seq * MINUTE_US), ("last", START)):
            table.device_ids.append(seq % DEVICES)
            table.fields.append(field)
            table.times_us.append(time_us)
            table.values.append(seq % 2 == 0 if field == "open" else float(seq))
            table.units.append("C" if field == "t" else None)
            table.seqs.append(seq)
    return table


def expected(upto: int) -> list[tuple[object, ...]]:
    """What a store holds that has applied everything up to `upto`."""
    newest = {(row.device_id, row.field, row.time_us): row for row in batch(0, upto)}
    return sorted((*key, row.value, row.unit, row.seq) for key, row in newest.items())


def by_day(held: Rows, device: int) -> list[Bucket]:
    """What the rows of a device give."""
    of_device = sorted((r.time_us, r.value) for r in held if r.device_id == device and r.field == "t")
    days = [(start, [v for _, v in some]) for start, some in groupby(of_device, lambda item: item[0] // DAY_US)]
    return [Bucket(day * DAY_US, len(v), sum(v) / len(v), min(v), max(v), sum(v), v[0], v[-1]) for day, v in days]


@pytest.mark.kill
async def test_position_and_rows_agree_after_kill_9(tmp_path):
    path, chance = tmp_path / "series.db", random.Random(2)
    for _ in range(ROUNDS):
        acknowledged = await _write_and_kill(path, chance)
        async with running(SqliteSeries(path, Clock())) as store:
            position = await store.cursor()
            held = await store.scan(*EVER, 10_000_000)
            for device in range(3):
                assert await store.buckets(device, "t", *EVER, DAY_US) == by_day(held, device)
        assert position >= acknowledged
        assert sorted((r.device_id, r.field, r.time_us, r.value, r.unit, r.seq) for r in held) == expected(position)


async def _write_and_kill(path: Path, chance: random.Random) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(path), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    lines = [await process.stdout.readline()]
    asyncio.get_running_loop().call_later(chance.uniform(0, 0.06), process.kill)
    lines += (await process.stdout.read()).splitlines()
    await process.wait()
    return max(map(int, lines))
