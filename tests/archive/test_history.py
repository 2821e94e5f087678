"""Replays to outlets of what the log does not hold any more: each record once, whatever retention drops meanwhile."""

import asyncio
import random
from contextlib import asynccontextmanager

import pytest

pytest.importorskip("pyarrow", reason="no Parquet: pip install inflight-lns[archive]")

from lns import metrics
from lns.archive import manifest, priority
from lns.archive.around import Around
from lns.archive.catalogue import Catalogue
from lns.archive.consumer import Archiver
from lns.archive.history import WholeRecords
from lns.archive.reader import ArchivedUplinks, WholeHistory
from lns.archive.s3 import Access, Bucket
from lns.archive.storage import Folder
from lns.archive.writer import Writer
from lns.decoding.sources import LoggedUplinks
from lns.delivery.dispatch import Intake
from lns.delivery.history import Extent, LoggedRecords
from lns.delivery.outcome import Outgoing
from lns.delivery.pipe import Pipe
from lns.delivery.replay_jobs import Job, Spec
from lns.delivery.replays import Replays, Running
from lns.errors import StoreError
from lns.exchange.records import Decoded, Event, Uplink
from tests.archive.seaweed import BUCKET, seaweed
from tests.decoding.build import MINUTE_US, T0, one, scene
from tests.delivery.running import Told, running
from tests.exchange.build import until

__all__ = ["seaweed"]

TOPICS = frozenset({"uplink", "decoded", "event"})


def event(n):
    return Event(n.to_bytes(16), "join", T0 + n * MINUTE_US, 1, 1, "00" * 8, None, {})


class World:
    """A scene with an archiver, and records of both; `drop` is retention."""

    def __init__(self, s, storage, archiver, whole):
        self.s, self.exchange, self.storage, self.archiver, self.whole = s, s.exchange, storage, archiver, whole
        self.held = self.exchange.cursor("held", frozenset({"uplink"}), 0)

    async def drop(self, upto):
        """Drop the log up to a seq, as far as it is archived."""
        async with asyncio.timeout(20):
            while self._is_behind() or await self._committed_more():
                self.archiver.flush()
                await asyncio.sleep(0.005)
        self.held.advance(max(upto, self.held.position), 0)
        await self.exchange.expire(2**62)

    async def _committed_more(self):
        """Decodes that were still to be written when the decoder had read all."""
        head_seq = self.exchange.head_seq
        return await self.exchange.committed() > head_seq

    def _is_behind(self):
        return any(map(self.exchange.lag, ("archive", "decoder", "series.sqlite")))

    async def job(self, **spec):
        spec = Spec("x", **spec)
        where = await self.whole.extent(spec.since_us, spec.until_us)
        return Job("a", spec, 0, where.first, where.last, where.first, "running", begins_us=where.begins_us)


@asynccontextmanager
async def world(folder, storage=None, live=(), **more):
    storage = storage or Folder(folder / "archive")
    async with scene(folder, **more) as s:
        exchange, catalogue = s.exchange, Catalogue(storage)
        archiver = Archiver(exchange, Writer(storage, exchange.log_id), 7, 60.0)

        def source():
            archived = ArchivedUplinks(storage, exchange.log_id, catalogue)
            return WholeHistory(archived, LoggedUplinks(exchange, "decoder"), lambda: archiver.fresh)

        async def opened(name):
            raise StoreError(name)

        around = Around(s.parts, {}, opened, source, lambda: live, archiver.flush, link=False)
        whole = WholeRecords(around, LoggedRecords(exchange, TOPICS), catalogue, "decoder")
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(archiver.run())
            try:
                yield World(s, storage, archiver, whole)
            finally:
                task.cancel()


async def turn(job, reader, limit, choose=list):
    """A page of a job: its records."""
    async with asyncio.timeout(20):
        page = await reader.read(limit, choose)
    assert job.position < page.upto <= job.last
    job.position, job.archived, job.lost = page.upto, job.archived + page.archived, job.lost + page.lost
    return list(page.records)


async def every(w, job, limit=3):
    found, reader = [], w.whole.reader(job)
    while job.position < job.last:
        found += await turn(job, reader, limit)
    return found


def named(records):
    """Kind and id of records."""
    return [(type(stored.record).__name__, int.from_bytes(stored.record.id)) for stored in records]


async def filled(w, count):
    """Uplinks of two devices, some before the decodes of others; an event between."""
    n = 0
    while n < count:
        size = min(1 + n % 3, count - n)
        await w.s.put(*(one(n + i + 1, 1 + (n + i) % 2) for i in range(size)))
        n += size
        if n % 2:
            await w.s.decoded(n)
    await w.exchange.append([("event", event(900))])
    await w.s.decoded(count)


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_archive_and_log_give_each_record_once_and_in_order(tmp_path, limit):
    async with world(tmp_path) as w:
        await filled(w, 30)
        whole = named((await w.exchange.read(0, TOPICS, 1000))[0])
        seqs = [stored.seq for stored in (await w.exchange.read(0, frozenset({"uplink"}), 1000))[0]]
        for border in (0, seqs[9], seqs[10], seqs[12] + 1, seqs[20], w.exchange.head_seq):
            await w.drop(border)
            job = await w.job()
            found = await every(w, job, limit)
            gone = {"Event"} if border == w.exchange.head_seq else set()  # no archive has events
            assert sorted(named(found)) == sorted(one for one in whole if one[0] not in gone)
            assert (job.lost, job.archived > 0) == (0, border > 0)
            for device in (1, 2):
                own = [stored for stored in found if stored.record.device_id == device]
                for kind in (Uplink, Decoded):
                    fcnts = [stored.record.fcnt_up for stored in own if isinstance(stored.record, kind)]
                    assert fcnts == sorted(fcnts)


@pytest.mark.parametrize("seed", range(4))
async def test_retention_that_overtakes_a_replay_and_kills_lose_nothing_and_repeat_nothing(tmp_path, seed):
    chance = random.Random(seed)
    async with world(tmp_path) as w:
        await filled(w, 40)
        whole = [one for one in named((await w.exchange.read(0, TOPICS, 1000))[0]) if one[0] != "Event"]
        await w.drop(chance.randrange(w.exchange.head_seq // 2))
        job = await w.job()
        reader, found = w.whole.reader(job), []
        while job.position < job.last:
            found += await turn(job, reader, chance.randrange(1, 6))
            if chance.random() < 0.3:
                reader = w.whole.reader(job)
            if chance.random() < 0.3:
                await w.drop(min(w.held.position + chance.randrange(1, 15), w.exchange.head_seq))
        events = [one for one in named(found) if one[0] == "Event"]
        assert sorted(one for one in named(found) if one[0] != "Event") == sorted(whole)
        assert (len(events) <= 1, job.lost) == (True, 0)


async def test_a_message_made_anew_is_what_it_was_with_the_version_of_then(tmp_path):
    async with world(tmp_path) as w:
        await w.s.put(one(1), one(2, 2, b"\x07"))
        await w.s.decoded(2)
        first = await w.s.use("good", "function decodeUplink(i) { return {data: {sum: 99}}; }")
        assert first == 2
        await w.s.put(one(3), one(4, 2, b"\xff"))
        then = await w.s.decoded(4)
        await w.s.use("good", "function decodeUplink(i) { return {data: {sum: 0}}; }")
        await w.drop(w.exchange.head_seq)
        made = [stored.record for stored in await every(w, await w.job(), 100) if stored.topic == "decoded"]
        same = [(r.id, r.codec_version_id, r.data_json, r.measurements, r.failure) for r in made]
        assert same == [(r.id, r.codec_version_id, r.data_json, r.measurements, r.failure) for r in then]


async def test_what_is_not_wanted_is_not_decoded_and_what_is_of_another_time_not_sent(tmp_path):
    async with world(tmp_path) as w:
        for n in range(1, 9):
            await w.s.put(one(n, 1 + n % 2))
        await w.s.decoded(8)
        await w.drop(w.exchange.head_seq)
        decoded = sum(metrics.decode_time.values["bad",][0])
        job = await w.job(since_us=T0 + 3 * MINUTE_US, until_us=T0 + 7 * MINUTE_US)
        found = await turn(job, w.whole.reader(job), 100, lambda batch: [s for s in batch if s.record.device_id == 1])
        assert named(found) == [("Uplink", 4), ("Decoded", 4), ("Uplink", 6), ("Decoded", 6)]
        assert (job.archived, job.begins_us, job.position) == (2, None, job.last)
        assert sum(metrics.decode_time.values["bad",][0]) == decoded


async def test_an_uplink_that_live_decoding_has_not_reached_is_left_to_it(tmp_path):
    async with world(tmp_path) as w:
        await w.s.put(*(one(n) for n in range(1, 4)))
        await w.s.decoded(3)
        w.whole.decoder, lagging = "lagging", w.exchange.cursor("lagging", frozenset({"uplink"}), 2)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("lns.archive.history.AHEAD", 0)  # as if decodes came much later
            found = await every(w, Job("a", Spec("x"), 0, 0, 3, 0, "running"))
        w.exchange.detach(lagging)
        assert named(found) == [("Uplink", 1), ("Decoded", 1), ("Uplink", 2), ("Decoded", 2), ("Uplink", 3)]


async def test_what_was_made_of_uplinks_that_are_in_neither_is_sent_as_far_as_the_log_has_it(tmp_path):
    async with world(tmp_path) as w:
        await w.s.put(one(1), one(2))
        await w.s.decoded(2)
        await w.drop(2)  # the uplinks
        for name in await w.storage.names(manifest.FOLDER):
            await w.storage.delete(name)
        job = await w.job()
        assert named(await every(w, job)) == [("Decoded", 1), ("Decoded", 2)]
        assert (job.begins_us, job.archived) == (None, 0)


async def test_live_traffic_goes_first_and_the_job_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(priority, "LAG", 3)
    monkeypatch.setattr(priority, "PATIENCE_S", 60.0)
    async with world(tmp_path, live=("slow",)) as w:
        await w.s.put(*(one(n) for n in range(1, 6)))
        await w.s.decoded(5)
        await w.drop(w.exchange.head_seq)
        slow = w.exchange.cursor("slow", TOPICS, 0)
        job = await w.job()
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(turn(job, w.whole.reader(job), 100))
            await until(lambda: job.error is not None)
            assert (job.error, reading.done()) == ("slow goes first, it is 10 records behind", False)
            slow.advance(10, 10)
        assert len(reading.result()) == 10
        slow.position, job.position, job.error = 0, 0, None
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(w.whole.reader(job).read(100, list))
            await until(lambda: job.error is not None)
            job.state = "cancelled"
        w.exchange.detach(slow)


async def test_from_when_on_there_are_records_is_told_where_it_is_later_than_was_asked(tmp_path):
    async with world(tmp_path) as w:
        assert await w.whole.extent(None, None) == Extent(0, 0)
        for n in range(1, 5):
            await w.s.put(one(n))
            await w.s.decoded(n)
        assert (await w.whole.extent(None, None)).begins_us == T0 + MINUTE_US
        await w.drop(4)
        begins_us = T0 + MINUTE_US
        for since_us, told in ((None, begins_us), (begins_us - 1, begins_us), (begins_us, None)):
            assert await w.whole.extent(since_us, None) == Extent(0, 8, told)
            assert await w.whole.logged.extent(since_us, None) == Extent(4, 8, T0 + 3 * MINUTE_US)
        assert await w.whole.extent(2**62, None) == await w.whole.logged.extent(2**62, None) == Extent(8, 8)
        assert await w.whole.extent(None, T0) == Extent(0, 0, begins_us)


async def test_what_is_in_neither_is_counted(tmp_path):
    async with world(tmp_path) as w:
        for first in range(1, 22, 7):
            await w.s.put(*(one(n) for n in range(first, first + 7)))
            await w.drop(w.exchange.head_seq)  # a file each
        first, second, third = await w.whole.files()
        assert [file.count for file in (first, second, third)] == [7, 7, 7]
        job = await w.job()
        reader = w.whole.reader(job)
        found = await turn(job, reader, 3)
        await w.storage.delete(second.name)
        while job.position < job.last:
            found += await turn(job, reader, 3)
        assert (len(found), job.archived, job.lost) == (28, 14, 7)
        await w.storage.delete(manifest.manifest_name(second.name))
        job = await w.job()
        assert len(await every(w, job)) == 28
        assert job.lost == second.last_seq - first.last_seq


async def render(stored):
    kind = type(stored.record).__name__
    return [Outgoing(f"{kind}_{stored.record.id.hex()}", stored.seq, f"{stored.record.device_id}", kind, b"{}")]


@asynccontextmanager
async def replaying(w, folder, told):
    """An outlet `x` and its replays."""
    async with running(folder) as run:
        worker = await run.dispatch.add("x", told, Pipe(at_once=16))
        replays = Replays(run.around, w.whole, {"x": Running(worker, Intake(worker, run.around, TOPICS, render))}.get)
        await replays.open()
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(replays.run())
            try:
                yield run, replays
            finally:
                task.cancel()


async def test_a_damaged_file_is_waited_for_and_named_and_the_job_goes_on_when_it_is_good(tmp_path):
    told = Told()
    async with world(tmp_path) as w, replaying(w, tmp_path, told) as (run, replays):
        await w.s.put(*(one(n) for n in range(1, 6)))
        await w.s.decoded(5)
        await w.drop(w.exchange.head_seq)
        (file,) = await w.whole.files()
        good = await w.storage.get(file.name)
        await w.storage.put(file.name, b"PAR1")
        job = await replays.start(Spec("x", max_per_s=100_000))
        await until(lambda: job.error is not None)
        assert job.error.startswith(f"the archive's file {file.name} is damaged: ")
        assert (job.state, job.position, told.got) == ("running", job.first, [])
        await w.storage.put(file.name, good)
        await until(lambda: not job.is_open)
        assert (job.state, job.error, job.messages, job.archived) == ("done", None, 10, 5)
        await run.until({"delivered": 10})


async def test_a_replay_that_is_cut_off_in_the_archive_goes_on_where_it_was(tmp_path):
    told = Told()
    async with world(tmp_path) as w:
        for first in range(1, 500, 250):
            await w.s.put(*(one(n) for n in range(first, first + 250)))
            await w.s.decoded(first + 249)
        await w.drop(w.exchange.head_seq)
        async with replaying(w, tmp_path, told) as (_, replays):
            job = await replays.start(Spec("x", max_per_s=2000))
            await until(lambda: job.position > 0)
            assert job.is_open
        async with replaying(w, tmp_path, told) as (run, replays):
            (job,) = replays.all()
            assert 0 < job.position < job.last
            await until(lambda: not job.is_open)
            await run.until({"delivered": 1000})
        assert (job.state, job.messages, job.archived, job.lost) == ("done", 1000, 500, 0)
        assert len(told.ids) == len(set(told.ids)) == 1000


async def test_a_storage_that_is_away_is_said_at_once_or_waited_for(tmp_path, seaweed):
    told = Told()
    storage = Bucket(Access(BUCKET, "", seaweed.url, "us-east-1", "any", "any"))
    async with world(tmp_path, storage) as w, replaying(w, tmp_path, told) as (_, replays):
        await w.s.put(*(one(n) for n in range(1, 6)))
        await w.drop(w.exchange.head_seq)
        where = await w.whole.extent(None, None)
        seaweed.kill()
        with pytest.raises(StoreError, match="the archive in s3://uplinks cannot be used"):
            await replays.start(Spec("x"))
        assert replays.all() == []
        recent = await replays.start(Spec("x", since_us=2**62))
        await until(lambda: not recent.is_open)
        assert (recent.state, recent.messages) == ("done", 0)  # the log is enough for it

        async def a_moment_ago(*_):
            return where

        w.whole.extent = a_moment_ago
        job = await replays.start(Spec("x"))
        await until(lambda: job.error is not None)
        assert job.error.startswith("the archive in s3://uplinks cannot be used")
        assert (job.position, job.state, told.got) == (job.first, "running", [])
        await replays.cancel(job)
