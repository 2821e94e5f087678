"""What a store lacks comes back from the archive, into that store alone, whatever stops it on the way."""

import asyncio
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from contextlib import asynccontextmanager, closing
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("pyarrow", reason="no Parquet: pip install inflight-lns[archive]")

from lns.archive import filling, priority
from lns.archive.around import Around
from lns.archive.backfill import Backfills
from lns.archive.backfill_jobs import RATE, BackfillSpec
from lns.archive.found import Found, Gained
from lns.archive.reader import ArchivedUplinks, WholeHistory
from lns.archive.storage import Folder
from lns.archive.writer import Writer
from lns.config import Measurements as MeasurementsConfig
from lns.decoding.parts import Refused
from lns.decoding.sources import LoggedUplinks
from lns.series.sqlite import SqliteSeries
from lns.series.store import Removal, Row, Rows
from tests.decoding.build import EVER, MINUTE_US, T0, one, scene
from tests.exchange.build import until

RULES = {"sum": {"deadband_abs": 3.0, "heartbeat_s": 1800}, "text": {"heartbeat_s": 0}}
COUNTING = """
var stateVersion = 1;
function decodeUplink(i) {
  i.state.n = (i.state.n || 0) + 1;
  if (i.bytes[0] % 50 === 7) throw new Error('no');
  return {data: {sum: i.bytes[0], text: 'y', n: i.state.n}};
}
"""
UPLINKS = 600
KILLS = 6

WORKER = """
import asyncio, sys
from pathlib import Path
import lns.archive.filling as filling
from lns.archive.backfill_jobs import BackfillSpec
from tests.archive.test_backfill import backfilling
from tests.decoding.build import scene

filling.PAGE = 20

async def main():
    folder = Path(sys.argv[1])
    async with scene(folder) as s, backfilling(s, folder) as (b, other):
        job = b.jobs()[0] if b.jobs() else await b.start(BackfillSpec("other"), 4500.0)
        finished = asyncio.create_task(b.finished(job.id))
        while not finished.done():
            print(job.found.uplinks, flush=True)
            await asyncio.sleep(0.005)
        print("done", flush=True)

asyncio.run(main())
"""


@asynccontextmanager
async def backfilling(s, folder, link=False, live=("decoder", "series.sqlite")):
    """Backfills into the scene's store, `sqlite`, and into an empty one, `other`; both are given."""
    other = SqliteSeries(folder / "other.db")
    await other.open()
    storage = Folder(folder / "archive")
    stores = {"sqlite": s.series, "other": other}

    def source():
        return WholeHistory(ArchivedUplinks(storage), LoggedUplinks(s.exchange, "decoder"))

    async def opened(name):
        return stores[name]

    found = Backfills(Around(s.parts, stores, opened, source, lambda: live, link=link))
    await found.open()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(found.run(), name="backfills")
        try:
            yield found, other
        finally:
            task.cancel()
    await other.close()


def heard(n, device_id, data):
    """An uplink as well received as only this one."""
    uplink = one(n, device_id, data)
    best = msgspec.structs.replace(uplink.rx[0], rssi_dbm=-80.0 - n * 13 % 11, snr_db=float(n % 7))
    return msgspec.structs.replace(uplink, rx=(best,))


async def archive_all(s, folder):
    await Writer(Folder(folder / "archive")).write((await s.exchange.read(0, frozenset({"uplink"}), 100_000))[0], 0)


async def done(backfills, rate=RATE, **spec):
    job = await backfills.start(BackfillSpec(**spec), rate)
    async with asyncio.timeout(30):
        return await backfills.finished(job.id)


async def rows_of(store):
    return sorted(await store.scan(*EVER, 100_000), key=lambda row: (row.device_id, row.field, row.time_us))


def values(rows):
    return [(row.device_id, row.field, row.time_us, row.value, row.unit) for row in rows]


@pytest.mark.parametrize("link", [False, True])
async def test_deleted_hours_come_back_and_nothing_is_left_to_do(tmp_path, link):
    config = MeasurementsConfig(link=link)
    async with scene(tmp_path, config, rules=RULES) as s, backfilling(s, tmp_path, link) as (b, _):
        await s.put(*(heard(n, 1 + n % 2, bytes([n * 7 % 200])) for n in range(1, 101)))
        await s.decoded(100)
        await s.rows()
        await archive_all(s, tmp_path)
        before = await rows_of(s.series)
        gone = [row for row in before if T0 + 20 * MINUTE_US <= row.time_us < T0 + 70 * MINUTE_US]
        await s.series.write(Rows(), None, [Removal(r.device_id, r.field, r.time_us, 10**9) for r in gone])
        head = s.exchange.head_seq
        job = await done(b, into="sqlite", since_us=T0 + 20 * MINUTE_US, until_us=T0 + 70 * MINUTE_US)
        assert (job.state, job.error, job.done) == ("done", None, 1.0)
        assert values(await rows_of(s.series)) == values(before)
        assert (job.found.uplinks, job.found.missing, job.found.rejected) == (50, len(gone), 0)
        assert sum(one.count for one in job.found.fields.values()) == len(gone)
        assert {one.count for one in job.found.devices.values()} == {
            sum(row.device_id == device_id for row in gone) for device_id in (1, 2)
        }
        (whole,) = job.found.ranges
        times = sorted(row.time_us for row in gone)
        assert (whole.count, whole.first_us, whole.last_us) == (len(gone), times[0], times[-1])
        assert s.exchange.head_seq == head  # no other store, no outlet hears of it
        again = await done(b, into="sqlite")
        assert (again.found.uplinks, again.found.missing, again.found.differing) == (100, 0, 0)
        assert again.found.present == len(before)


async def test_an_empty_store_is_filled_from_archive_and_log(tmp_path):
    async with scene(tmp_path, rules=RULES) as s, backfilling(s, tmp_path) as (b, other):
        await s.put(*(one(n, data=bytes([n])) for n in range(1, 31)))
        await s.decoded(30)
        await archive_all(s, tmp_path)
        await s.put(*(one(n, data=bytes([n])) for n in range(31, 41)))
        await s.decoded(40)
        await s.rows()
        job = await done(b, into="other")
        assert job.found.uplinks == 40
        assert values(await rows_of(other)) == values(await rows_of(s.series))


async def test_a_value_that_is_there_stays_and_is_counted(tmp_path):
    async with scene(tmp_path) as s, backfilling(s, tmp_path) as (b, other):
        await s.put(one(1), one(2))
        await s.decoded(2)
        await archive_all(s, tmp_path)
        await other.write(Rows.of([Row(1, "sum", T0 + MINUTE_US, 3.5, None, 1)]), None)
        job = await done(b, into="other")
        first, last = T0 + MINUTE_US, T0 + 2 * MINUTE_US
        assert job.found == Found(
            uplinks=2,
            missing=3,
            differing=1,
            fields={"sum": Gained(1, last, last), "text": Gained(2, first, last)},
            devices={f"{1:016x}": Gained(3, first, last)},
            ranges=[Gained(3, first, last)],
        )
        assert [r.value for r in await rows_of(other)] == [3.5, 15.0, "x", "x"]


async def test_only_the_named_devices_are_filled_and_failures_are_counted(tmp_path):
    async with scene(tmp_path) as s, backfilling(s, tmp_path) as (b, other):
        await s.put(one(1), one(2, 2, b"\x07"), one(3, 2, b"\xff"))
        await s.decoded(3)
        await archive_all(s, tmp_path)
        job = await done(b, into="other", devices=(f"{2:016x}",))
        assert (job.found.uplinks, job.found.failed, job.found.otherwise) == (2, {"exception": 1}, 0)
        assert {name: one.count for name, one in job.found.fields.items()} == {"v": 1}
        assert [(r.device_id, r.value) for r in await rows_of(other)] == [(2, 7.0)]


async def test_a_live_write_wins_over_a_backfill(tmp_path):
    async with scene(tmp_path) as s, backfilling(s, tmp_path) as (b, other):
        await s.put(one(1))
        await s.decoded(1)
        await archive_all(s, tmp_path)
        await done(b, into="other")
        assert {row.seq for row in await rows_of(other)} == {1}  # the uplink's, below that of its decode


async def test_an_unknown_store_is_refused(tmp_path):
    async with scene(tmp_path) as s, backfilling(s, tmp_path) as (b, _):
        with pytest.raises(Refused, match=r"^there is no store or outlet 'influx', stores are: sqlite, other$"):
            await b.start(BackfillSpec("influx"))


async def test_a_job_can_be_cancelled(tmp_path):
    async with scene(tmp_path) as s, backfilling(s, tmp_path) as (b, _):
        await s.put(*(one(n) for n in range(1, 20)))
        await s.decoded(19)
        await archive_all(s, tmp_path)
        job = await b.start(BackfillSpec("other"), 0.1)
        await b.cancel(job)
        async with asyncio.timeout(10):
            assert (await b.finished(job.id)).state == "cancelled"
        assert b.job("none") is None


async def test_a_store_that_is_locked_is_waited_for_and_scripts_remember_nothing_twice(tmp_path):
    async with scene(tmp_path) as s, backfilling(s, tmp_path) as (b, other):
        await s.use("good", COUNTING)
        await s.put(*(one(n, data=bytes([n])) for n in range(1, 6)))
        await s.decoded(5)
        await archive_all(s, tmp_path)
        with closing(sqlite3.connect(tmp_path / "other.db", isolation_level=None)) as another:
            another.execute("BEGIN IMMEDIATE")
            job = await b.start(BackfillSpec("other"))
            await until(lambda: job.error is not None, 30)
            another.execute("ROLLBACK")
        async with asyncio.timeout(30):
            await b.finished(job.id)
        assert (job.state, job.error, job.found.missing) == ("done", None, 15)
        assert [row.value for row in await rows_of(other) if row.field == "n"] == [1.0, 2.0, 3.0, 4.0, 5.0]


async def test_live_traffic_goes_first(tmp_path, monkeypatch):
    monkeypatch.setattr(priority, "LAG", 0)
    async with scene(tmp_path) as s, backfilling(s, tmp_path, live=["slow"]) as (b, _):
        slow = s.exchange.cursor("slow", frozenset({"uplink"}), 0)
        await s.put(one(1))
        await s.decoded(1)
        await archive_all(s, tmp_path)
        job = await b.start(BackfillSpec("other"))
        await until(lambda: job.state == "running")
        for _ in range(20):
            await s.exchange.committed()
        assert job.position == job.first
        slow.advance(s.exchange.head_seq, 1)
        async with asyncio.timeout(10):
            await b.finished(job.id)
        s.exchange.detach(slow)


async def test_a_rate_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(filling, "PAGE", 10)
    async with scene(tmp_path) as s, backfilling(s, tmp_path) as (b, _):
        await s.put(*(one(n) for n in range(1, 31)))
        await s.decoded(30)
        await archive_all(s, tmp_path)
        began_s = time.monotonic()
        await done(b, 200.0, into="other")
        assert time.monotonic() - began_s >= 0.2  # after the last of three pages nothing has to be waited for


async def run(folder, kill_after):
    """Work on the job in a process of its own, killed after so many signs of progress; tells whether it has ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, str(folder), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    seen, ended = set(), False
    while line := await process.stdout.readline():
        ended = ended or line == b"done\n"
        seen.add(line)
        if kill_after is not None and len(seen) > kill_after:
            os.kill(process.pid, signal.SIGKILL)
            break
    await process.stdout.read()
    await process.wait()
    return ended


@pytest.mark.kill
async def test_a_backfill_survives_kill_9(tmp_path):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    killed.mkdir()
    async with scene(killed, rules=RULES) as s:
        await s.use("good", COUNTING)
        for start in range(1, UPLINKS + 1, 300):
            await s.put(*(one(n, data=bytes([n * 7 % 256])) for n in range(start, start + 300)))
        await s.decoded(UPLINKS)
        await archive_all(s, killed)
    shutil.copytree(killed, whole)
    assert await run(whole, None)
    chance, ended = random.Random(4), False
    for _ in range(KILLS):
        assert not ended
        ended = await run(killed, chance.randrange(1, 6))
    assert ended or await run(killed, None)
    found = []
    for folder in (killed, whole):
        async with scene(folder) as s, backfilling(s, folder) as (b, other):
            (job,) = b.jobs()
            assert job.state == "done"
            found.append((values(await rows_of(other)), job.found))
    assert found[0] == found[1]
    assert found[0][1].missing == len(found[0][0]) > UPLINKS
