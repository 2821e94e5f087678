"""Jobs are worked on in their order, survive a restart, and wait for what is away."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from lns.decoding import worklist
from lns.decoding.parts import Refused
from lns.decoding.worklist import Work, Worklist
from lns.errors import StoreError
from tests.exchange.build import running, until


class Count(Work, kw_only=True):
    """To count from first to last."""

    kept: bool = True

    @property
    def is_kept(self):
        return self.kept


def count(name, at_us=1, last=3, **more):
    return Count(id=name, created_at_us=at_us, first=0, last=last, position=0, **more)


@asynccontextmanager
async def working(exchange, step):
    jobs = Worklist(Count, "count_job", exchange)
    await jobs.open()

    async def work(job):
        async def once():
            await step(job)
            job.position += 1
            jobs.note(job)
            if job.position >= job.last:
                jobs.end(job, "done")

        await jobs.repeat(job, once)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(jobs.run(work))
        try:
            yield jobs
        finally:
            task.cancel()


async def finished(jobs, name):
    async with asyncio.timeout(10):
        return await jobs.finished(name)


async def nothing(_):
    await asyncio.sleep(0)


async def test_jobs_are_done_one_after_the_other_and_can_be_looked_up_after_a_restart(tmp_path):
    async with running(tmp_path / "x.db") as exchange:
        seen = []

        async def step(job):
            seen.append(job.id)

        async with working(exchange, step) as jobs:
            await jobs.add(count("a"))
            await jobs.add(count("b", 2))
            await jobs.add(count("c", 3, kept=False))
            for name in "abc":
                assert (await finished(jobs, name)).done == 1.0
        assert seen == ["a"] * 3 + ["b"] * 3 + ["c"] * 3
    async with running(tmp_path / "x.db") as exchange, working(exchange, nothing) as jobs:
        assert [(job.id, job.state) for job in jobs.newest_first()] == [("b", "done"), ("a", "done")]


async def test_a_job_that_a_stop_has_cut_off_goes_on_where_it_was(tmp_path):
    async def stuck(job):
        if job.position == 2:
            await asyncio.Event().wait()

    async with running(tmp_path / "x.db") as exchange, working(exchange, stuck) as jobs:
        await jobs.add(count("a"))
        await until(lambda: jobs.all["a"].position == 2)
    async with running(tmp_path / "x.db") as exchange:
        positions = []

        async def step(job):
            positions.append(job.position)

        async with working(exchange, step) as jobs:
            assert (await finished(jobs, "a")).state == "done"
        assert positions == [2]


async def test_what_is_away_is_waited_for_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr(worklist, "FIRST_RETRY_S", 0.01)
    away = asyncio.Event()

    async def step(job):
        if not away.is_set():
            raise StoreError("the store is away")

    async with running(tmp_path / "x.db") as exchange, working(exchange, step) as jobs:
        await jobs.add(count("a"))
        await until(lambda: jobs.all["a"].error == "the store is away")
        away.set()
        job = await finished(jobs, "a")
        assert (job.state, job.error) == ("done", None)


@pytest.mark.parametrize(
    ("error", "text"), [(Refused("no such store"), "no such store"), (ValueError("x"), "ValueError: x")]
)
async def test_a_job_that_cannot_be_done_fails_and_the_next_has_its_turn(tmp_path, error, text):
    async def step(job):
        if job.id == "a":
            raise error

    async with running(tmp_path / "x.db") as exchange, working(exchange, step) as jobs:
        await jobs.add(count("a"))
        await jobs.add(count("b", 2))
        assert (await finished(jobs, "b")).state == "done"
        assert (jobs.all["a"].state, jobs.all["a"].error) == ("failed", text)


async def test_a_paused_job_makes_way_at_once_and_stays_paused_over_a_restart(tmp_path):
    async with running(tmp_path / "x.db") as exchange:
        holder = {}

        async def step(job):
            await holder["jobs"].rest(job, 60 if job.id == "a" else 0)

        async with working(exchange, step) as jobs:
            holder["jobs"] = jobs
            await jobs.add(count("a"))
            await until(lambda: jobs.all["a"].state == "running")
            jobs.pause(jobs.all["a"])
            await jobs.add(count("b", 2))
            assert (await finished(jobs, "b")).state == "done"
            assert jobs.progress(jobs.all["a"]).rate_per_s is None
    async with running(tmp_path / "x.db") as exchange, working(exchange, nothing) as jobs:
        assert jobs.all["a"].state == "paused"
        jobs.resume(jobs.all["a"])
        assert (await finished(jobs, "a")).state == "done"


async def test_what_a_job_waited_for_is_no_error_of_one_that_is_done_also_after_a_restart(tmp_path):
    async def step(job):
        job.error = "something else goes first"

    async with running(tmp_path / "x.db") as exchange:
        async with working(exchange, step) as jobs:
            await jobs.add(count("a", last=1))
            assert (await finished(jobs, "a")).error is None
        again = Worklist(Count, "count_job", exchange)
        await again.open()
        assert (again.all["a"].state, again.all["a"].error) == ("done", None)
