"""The archive follows the log: no uplink is missing or twice, whatever is killed or away."""

import asyncio
import os
import random
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("pyarrow", reason="no Parquet: pip install inflight-lns[archive]")

from lns.archive.consumer import Archiver
from lns.archive.reader import ArchivedUplinks
from lns.archive.s3 import Access, Bucket
from lns.archive.storage import Folder
from lns.archive.verify import verify
from lns.archive.writer import Writer
from lns.config import Exchange as ExchangeConfig
from lns.errors import StoreError
from lns.exchange.records import Decoded, Event
from tests.archive.build import D0, DAY_US, archive, at, stored
from tests.archive.seaweed import BUCKET, seaweed
from tests.exchange.build import running, until

__all__ = ["seaweed"]

EVENT = Event(b"", "log", D0, None, None, None, None, {})
NEVER_S = 3600.0
ROUNDS = 8

WORKER = """
import asyncio, sys
from pathlib import Path
from lns.archive.consumer import Archiver
from lns.archive.storage import Folder
from lns.archive.writer import Writer
from tests.archive.build import D0, DAY_US, at
from tests.exchange.build import running

async def main():
    folder = Path(sys.argv[1])
    async with running(folder / "x.db") as exchange, asyncio.TaskGroup() as tasks:
        tasks.create_task(Archiver(exchange, Writer(Folder(folder / "archive")), 20, 0.02).run())
        n = exchange.head_seq
        while True:
            n = await exchange.append([("uplink", at(n + i, D0 + (n + i) * DAY_US // 300)) for i in range(1, 9)])
            print(n, flush=True)

asyncio.run(main())
"""


@asynccontextmanager
async def archiving(exchange, storage, uplinks=1000, age_s=NEVER_S):
    archiver = Archiver(exchange, Writer(storage), uplinks, age_s)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(archiver.run(), name="archive")
        try:
            yield archiver
        finally:
            task.cancel()


async def archived(storage):
    found, after, source = [], 0, ArchivedUplinks(storage)
    last = await source.end()
    while after < last:
        page, after = await source.read(after, last, 1000)
        found += page
    return found


async def error_told(exchange):
    """The first error that the status of the exchange shows."""
    async with asyncio.timeout(60):
        while True:
            for shown in (await exchange.status())["consumers"]:
                if shown["last_error"] is not None:
                    assert (shown["name"], shown["state"]) == ("archive", "retrying")
                    return shown["last_error"]


def decoded(seq, version_id):
    record = at(seq, D0 + seq)
    who = (record.device_id, record.application_id, record.dev_eui, record.fcnt_up, record.fport)
    return Decoded(record.id, seq, *who, record.received_at_us, version_id, b"{}", ())


async def put(exchange, first, last, day=0):
    await exchange.append([("uplink", at(n, D0 + day * DAY_US + n)) for n in range(first, last + 1)])


async def test_a_file_is_written_when_it_is_full(tmp_path):
    storage = Folder(tmp_path / "archive")
    async with running(tmp_path / "x.db") as exchange, archiving(exchange, storage, uplinks=10):
        await put(exchange, 1, 9)
        await until(lambda: exchange.lag("archive") == 9)
        assert await storage.names("") == []
        await put(exchange, 10, 25)
        await until(lambda: exchange.lag("archive") == 5)
        assert [one.seq for one in await archived(storage)] == list(range(1, 21))


async def test_a_file_is_written_when_it_is_old_or_the_server_stops(tmp_path):
    storage = Folder(tmp_path / "archive")
    async with running(tmp_path / "x.db") as exchange:
        async with archiving(exchange, storage, age_s=0.01):
            await put(exchange, 1, 3)
            await exchange.caught_up()
        async with archiving(exchange, storage) as archiver:
            await put(exchange, 4, 6, day=1)
            archiver.hurry()
            await exchange.caught_up()
            assert [one.seq for one in await archived(storage)] == [1, 2, 3, 4, 5, 6]
        assert await Writer(storage).position() == 6


async def test_what_is_no_uplink_is_passed_over_and_makes_no_gap(tmp_path):
    storage = Folder(tmp_path / "archive")
    async with running(tmp_path / "x.db") as exchange, archiving(exchange, storage, age_s=0.0):
        for n in range(1, 6):
            await exchange.append([("uplink", at(n, D0 + n)), ("event", EVENT)])
            await exchange.caught_up()
        read = (await exchange.read(0, frozenset({"uplink"}), 100))[0]
    assert await archived(storage) == read
    verdict = await verify(storage)
    assert (verdict.is_whole, verdict.uplinks) == (True, 5)


async def test_the_log_keeps_what_is_not_archived(tmp_path):
    config = ExchangeConfig(commit_interval_ms=1.0, retention_days=0.0)
    storage = Folder(tmp_path / "archive")
    async with running(tmp_path / "x.db", config) as exchange:
        async with archiving(exchange, storage) as archiver:
            await put(exchange, 1, 5)
            await exchange.expire(2 * D0)
            archiver.hurry()
            await exchange.caught_up()
        assert len(await archived(storage)) == 5


async def test_what_the_log_has_dropped_is_a_gap_that_shows(tmp_path):
    storage = await archive(tmp_path / "archive", stored((1, D0), (2, D0)))
    config = ExchangeConfig(commit_interval_ms=1.0, retention_days=0.0)
    async with running(tmp_path / "x.db", config) as exchange:
        await put(exchange, 1, 5)
        cursor = exchange.cursor("other", frozenset({"uplink"}), 5)
        assert await exchange.expire(2 * D0 + DAY_US * 36_500) > 0
        exchange.detach(cursor)
        async with archiving(exchange, storage, age_s=0.0):
            await put(exchange, 6, 8)
            await exchange.caught_up()
    (gap,) = (await verify(storage)).gaps
    assert (gap.first_seq, gap.last_seq) == (3, 5)


async def test_the_archive_of_another_log_is_left_alone(tmp_path):
    storage = await archive(tmp_path / "archive", stored((1, D0), (70, D0)))
    async with running(tmp_path / "x.db") as exchange:
        await put(exchange, 1, 5)
        async with archiving(exchange, storage, age_s=0.0):
            assert await error_told(exchange) == (
                "StoreError: the archive goes to seq 70 without the log's uplink 5: it is of another log, or "
                "was away when the log was restored; name another folder, bucket or prefix"
            )
        assert len(await archived(storage)) == 2


async def test_a_storage_that_is_killed_in_the_middle_of_writing_loses_nothing(tmp_path, seaweed):
    storage = Bucket(Access(BUCKET, "", seaweed.url, "us-east-1", "any", "any"))
    heavy = [msgspec.structs.replace(at(n, D0 + n), data=os.urandom(240)) for n in range(1, 5001)]
    async with running(tmp_path / "x.db") as exchange:
        async with archiving(exchange, storage, uplinks=1000, age_s=0.0):
            await exchange.append([("uplink", one) for one in heavy])
            await until(lambda: exchange.lag("archive") <= 4000, 60)  # five files, the second is under way
            seaweed.kill()
            assert (await error_told(exchange)).startswith("StoreError: the archive in s3://uplinks cannot be used: ")
            seaweed.start()
            async with asyncio.timeout(60):
                await exchange.caught_up()
    assert [one.record for one in await archived(storage)] == heavy
    assert (await verify(storage)).is_whole


async def test_which_codec_versions_decoded_is_archived_too(tmp_path):
    storage = Folder(tmp_path / "archive")
    async with running(tmp_path / "x.db") as exchange:
        async with archiving(exchange, storage, age_s=0.0) as archiver:
            await put(exchange, 1, 3)
            await exchange.append([("decoded", decoded(1, 7)), ("decoded", decoded(2, None))])
            await exchange.caught_up()
            await exchange.append([("decoded", decoded(1, 8))])  # later, and no uplink with it
            await exchange.caught_up()
            assert archiver.fresh == {1: 8, 2: None}
            await put(exchange, 4, 4)
            await exchange.caught_up()
        assert archiver.fresh == {}
    source = ArchivedUplinks(storage)
    assert await source.versions(0, 100) == {1: 8, 2: None}
    assert await source.versions(1, 100) == {2: None}
    verdict = await verify(storage)
    assert (verdict.is_whole, verdict.files) == (True, 2)
    (newest,) = [name for name in await storage.names("decode") if name.endswith("7.parquet")]
    await storage.delete(newest)
    assert [(fault.name, fault.text) for fault in (await verify(storage)).faults] == [(newest, "the file is missing")]


async def test_the_archive_names_its_log_and_serves_no_other(tmp_path):
    storage = Folder(tmp_path / "archive")
    async with running(tmp_path / "x.db") as exchange:
        first = exchange.log_id
        archiver = Archiver(exchange, Writer(storage, first), 10, 0.0)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(archiver.run())
            await put(exchange, 1, 3)
            await exchange.caught_up()
            task.cancel()
    async with running(tmp_path / "x.db") as exchange:
        assert exchange.log_id == first
    async with running(tmp_path / "other.db") as other:
        assert other.log_id != first
        text = f"the archive is of the log {first}, this one is {other.log_id}: name another folder, bucket or prefix"
        with pytest.raises(StoreError, match=f"^{text}$"):
            await Writer(storage, other.log_id).position()
        with pytest.raises(StoreError, match=f"^{text}$"):
            await ArchivedUplinks(storage, other.log_id).end()
        (fault,) = (await verify(storage, log=other.log_id)).faults
        assert fault.text == f"the file is of the log {first}, this one is {other.log_id}"
    assert (await verify(storage, log=first)).is_whole


@pytest.mark.kill
async def test_the_archive_survives_kill_9(tmp_path):
    chance = random.Random(2)
    storage = Folder(tmp_path / "archive")
    for _ in range(ROUNDS):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WORKER, str(tmp_path), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        assert process.stdout is not None
        for _ in range(chance.randrange(1, 120)):
            await process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        await process.stdout.read()
        await process.wait()
        verdict = await verify(storage)
        assert verdict.is_whole
        assert verdict.overlaps == []
    async with running(tmp_path / "x.db") as exchange, archiving(exchange, storage, age_s=0.0):
        await exchange.caught_up()
        logged = (await exchange.read(0, frozenset({"uplink"}), 1_000_000))[0]
    assert await archived(storage) == logged
    assert (await verify(storage)).uplinks == len(logged) > 100


async def test_a_folder_that_cannot_be_written_is_told_before_there_are_uplinks(tmp_path):
    async with running(tmp_path / "x.db") as exchange, archiving(exchange, Folder(Path("/proc/nope"))):
        shown = {}
        async with asyncio.timeout(20):
            while not shown.get("last_error"):
                await asyncio.sleep(0.01)
                shown = next(iter((await exchange.status())["consumers"]), {})
        assert shown["state"] == "retrying"
        assert shown["last_error"].startswith("StoreError: the archive in /proc/nope cannot be used: ")
