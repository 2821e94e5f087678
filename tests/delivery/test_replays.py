"""Replays of outlets: what is stored is sent once more, at a rate, once, whatever comes between."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from lns.config import Exchange as ExchangeConfig
from lns.delivery.dispatch import Intake
from lns.delivery.history import Extent, LoggedRecords, Page
from lns.delivery.pipe import Pipe
from lns.delivery.replay_jobs import Job, Spec, job_of
from lns.delivery.replays import OPEN_MOST, ReplayRefused, Replays, Running
from lns.delivery.schedule import Schedule
from lns.errors import StoreError
from tests.delivery.build import TROUBLE, message
from tests.delivery.running import Told, running
from tests.exchange import build
from tests.exchange.build import uplink

UPLINKS = frozenset({"uplink"})


async def render(stored):
    return [message(stored.seq, f"{stored.record.device_id}")]


@asynccontextmanager
async def world(folder, told, records=450, **pipe):
    """An outlet `x` that has not read a log of `records`, and its replays."""
    async with build.running(folder / "log.db") as exchange, running(folder) as run:
        if exchange.head_seq == 0:
            await exchange.append([("uplink", uplink(n, n % 7)) for n in range(records)])
        worker = await run.dispatch.add("x", told, Pipe(at_once=16, **pipe))
        found = {"x": Running(worker, Intake(worker, run.around, UPLINKS, render))}
        replays = Replays(run.around, LoggedRecords(exchange, UPLINKS), found.get)
        await replays.open()
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(replays.run())
            try:
                yield run, replays, found
            finally:
                task.cancel()


async def over(job: Job) -> None:
    async with asyncio.timeout(20):
        while job.is_open:
            await asyncio.sleep(0.005)


async def test_everything_is_counted_and_then_sent_in_order(tmp_path):
    told = Told()
    async with world(tmp_path, told) as (run, replays, _):
        counted = await replays.start(Spec("x", dry_run=True))
        await over(counted)
        assert (counted.state, counted.messages, counted.done, told.got) == ("done", 450, 1.0, [])
        job = await replays.start(Spec("x", max_per_s=100_000))
        await over(job)
        await run.until({"delivered": 450})
        assert (job.records, job.messages, job.position, job.finished_us is not None) == (450, 450, 450, True)
        for device in range(7):
            seqs = [m.seq for m in told.got if m.lane == f"{device}"]
            assert seqs == sorted(seqs)
        assert replays.all() == [job, counted]
        assert [job_of(text) for text in await run.store.replays()] == [job]
        # a second one sends the same ids again
        await over(await replays.start(Spec("x", max_per_s=100_000)))
        await run.until({"delivered": 450})
    assert sorted(told.ids) == sorted([f"uplink_{n}" for n in range(1, 451)] * 2)


async def test_one_of_an_outlet_is_under_way_at_a_time(tmp_path):
    async with world(tmp_path, Told()) as (_, replays, _):
        job = await replays.start(Spec("x", max_per_s=0.1))
        with pytest.raises(ReplayRefused, match=f"replay {job.id} of this outlet is under way"):
            await replays.start(Spec("x"))
        counted = await replays.start(Spec("x", dry_run=True))
        await over(counted)
        await replays.cancel(job)
        assert (job.state, replays.get(job.id)) == ("cancelled", job)
        assert (await replays.start(Spec("x"))).state == "waiting"


async def test_it_waits_while_its_outlet_has_much_to_send(tmp_path):
    told = Told()
    told.go.clear()
    async with world(tmp_path, told, records=OPEN_MOST + 800) as (run, replays, _):
        job = await replays.start(Spec("x", max_per_s=100_000))
        async with asyncio.timeout(20):
            while job.position < OPEN_MOST:
                await asyncio.sleep(0.005)
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert job.position < OPEN_MOST + 400
        told.go.set()
        await over(job)
        await run.until({"delivered": OPEN_MOST + 800})


async def test_a_stop_only_delays_it_and_nothing_is_added_twice(tmp_path):
    told = Told()
    async with world(tmp_path, told) as (run, replays, _):
        job = await replays.start(Spec("x", max_per_s=1000))
        async with asyncio.timeout(20):
            while job.position < 200:
                await asyncio.sleep(0.005)
        assert job.is_open
    async with world(tmp_path, told) as (run, replays, _):
        (job,) = replays.all()
        assert job.is_open
        await over(job)
        await run.until({"delivered": 450})
        assert (job.messages, job.state) == (450, "done")
    assert sorted(told.ids) == sorted(f"uplink_{n}" for n in range(1, 451))


async def test_an_outlet_that_is_changed_meanwhile_goes_on_and_one_that_is_gone_ends_it(tmp_path):
    told = Told()
    async with world(tmp_path, told) as (_, replays, found):
        outlet = found.pop("x")  # it is being changed
        job = await replays.start(Spec("x", max_per_s=100_000))
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert (job.position, job.is_open) == (0, True)
        found["x"] = outlet
        await over(job)
        assert job.messages == 450
        found.pop("x")
        job = await replays.start(Spec("x"))
        await replays.removed("x")
        assert (job.state, job.error) == ("cancelled", "the outlet was removed")


async def test_a_fault_ends_one_replay_and_no_other(tmp_path):
    class Broken:
        def __init__(self, history):
            self.history, self.errors = history, [StoreError("the archive is away"), KeyError("a bug")]

        async def extent(self, since_us, until_us):
            return await self.history.extent(since_us, until_us)

        def reader(self, job):
            self.inner = self.history.reader(job)
            return self

        async def read(self, limit, choose):
            if self.errors:
                raise self.errors.pop(0)
            return await self.inner.read(limit, choose)

    told = Told(then=TROUBLE)
    async with world(tmp_path, told, schedule=Schedule(waits_s=())) as (_, replays, _):
        replays.history = Broken(replays.history)
        job = await replays.start(Spec("x", max_per_s=100_000))
        await over(job)
        assert (job.state, job.error) == ("failed", "KeyError: 'a bug'")  # it had gone on after the first
        job = await replays.start(Spec("x", max_per_s=100_000))
        await over(job)
        assert job.state == "done"


async def test_only_records_that_the_outlet_may_want_are_read_and_counted(tmp_path):
    told = Told()
    async with world(tmp_path, told) as (run, replays, found):
        one = found["x"]
        found["x"] = Running(one.worker, one.intake, lambda batch: [s for s in batch if s.record.device_id == 3])
        job = await replays.start(Spec("x", max_per_s=100_000))
        await over(job)
        await run.until({"delivered": 64})
        assert (job.records, job.messages, {m.lane for m in told.got}) == (64, 64, {"3"})


async def test_a_time_is_a_part_of_the_log(tmp_path):
    async with build.running(tmp_path / "log.db") as exchange:
        logged = LoggedRecords(exchange, UPLINKS)
        assert await logged.extent(None, None) == Extent(0, 0)
        await exchange.append([("uplink", uplink(n)) for n in range(3)])
        begins_us = uplink(0).received_at_us
        assert await logged.extent(None, None) == Extent(0, 3, begins_us)
        assert await logged.extent(0, 1) == Extent(0, 0, begins_us)
        assert await logged.extent(begins_us, None) == Extent(0, 3)
        assert await logged.extent(2**62, None) == Extent(3, 3)
        assert await logged.page(1, 3, 1) == Page((await exchange.read(1, UPLINKS, 1))[0], 2)
        assert [one.seq for one in (await logged.page(1, 3, 9)).records] == [2, 3]
        assert await logged.page(3, 3, 9) == Page([], 3)


async def test_what_is_dropped_before_it_was_read_is_counted_and_said(tmp_path):
    config = ExchangeConfig(commit_interval_ms=1.0, retention_days=0.0)
    async with build.running(tmp_path / "log.db", config) as exchange:
        for first in (0, 3, 6):
            await exchange.append([("uplink", uplink(n)) for n in range(first, first + 3)])
        reader = exchange.cursor("live", UPLINKS, 3)
        logged = LoggedRecords(exchange, UPLINKS)
        where = await logged.extent(None, None)
        job = Job("a", Spec("x"), 0, where.first, where.last, where.first)
        page = await logged.reader(job).read(2, list)
        assert ([one.seq for one in page.records], page.lost) == ([1, 2], 0)
        job.position = page.upto
        assert await exchange.expire(2**62) > 0
        page = await logged.reader(job).read(2, list)
        assert ([one.seq for one in page.records], page.upto, page.lost) == ([4, 5], 5, 1)
        assert await logged.extent(None, None) == Extent(3, 9, uplink(3).received_at_us)
        assert await logged.extent(None, uplink(0).received_at_us) == Extent(0, 0, uplink(3).received_at_us)
        reader.advance(9, 6)
        assert await exchange.expire(2**62) > 0
        assert await logged.page(5, 9, 2) == Page([], 9, lost=4)
        assert await logged.extent(None, None) == Extent(9, 9)
        exchange.detach(reader)
