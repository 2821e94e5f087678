"""Backfill: what one store lacks is made again from stored uplinks and put there alone, or sent to an outlet again.

    backfills = Backfills(around)
    await backfills.open()                    # after exchange.open(); jobs that a stop has cut off go on
    tasks.create_task(backfills.run())        # works on one job after the other
    job = await backfills.start(BackfillSpec("sqlite", since_us=...))   # Refused, StoreError

Live traffic goes first: a job waits while the consumers named in `live` lag, and keeps to its rate.
"""

import secrets
import time

from lns.archive.around import ARCHIVE, Around
from lns.archive.backfill_jobs import OUTLET_RATE, RATE, TABLE, BackfillJob, BackfillSpec
from lns.archive.filling import Filling
from lns.archive.priority import LiveFirst
from lns.archive.resend import Resending
from lns.decoding.memory import MemoryTable
from lns.decoding.parts import Refused
from lns.decoding.replay import WARM_UP_US
from lns.decoding.worklist import Progress, State, Worklist


class Backfills:
    """All backfills, of which one is in work."""

    def __init__(self, around: Around) -> None:
        self._around, self._parts = around, around.parts
        self._jobs, self._table = Worklist(BackfillJob, TABLE, self._parts.exchange), MemoryTable()
        self._live = LiveFirst(self._parts.exchange, around.live)

    async def open(self) -> None:
        """Read the jobs of earlier runs; those that were not finished are worked on again. sqlite3.Error."""
        self._parts.exchange.enlist(self._table)
        await self._jobs.open()

    async def start(self, spec: BackfillSpec, rate: float | None = None) -> BackfillJob:
        """Queue a backfill. Refused: there is no such store or outlet; StoreError: the archive cannot be read."""
        await self._check(spec)
        begin_us = spec.since_us
        if begin_us is not None and self._parts.codecs.remember(None):
            begin_us -= WARM_UP_US
        span = await self._around.source().span(begin_us, spec.until_us)
        job = BackfillJob(
            id=secrets.token_hex(8),
            created_at_us=time.time_ns() // 1000,
            first=span.first,
            last=span.last,
            position=span.first,
            spec=spec,
            rate=rate or (RATE if spec.into in self._around.stores else OUTLET_RATE),
            settled=await self._parts.exchange.committed(),
        )
        await self._jobs.add(job)
        return job

    def jobs(self) -> list[BackfillJob]:
        """All jobs, newest first."""
        return self._jobs.newest_first()

    def job(self, job_id: str) -> BackfillJob | None:
        """A job by its id."""
        return self._jobs.all.get(job_id)

    async def change(self, job: BackfillJob, rate: float) -> None:
        """Look at so many measurements a second from the next page on."""
        job.rate = rate
        self._jobs.note(job)
        await self._parts.exchange.committed()

    async def pause(self, job: BackfillJob) -> None:
        """Lay a job aside, also over a restart. Refused where it is over."""
        if not job.is_open:
            raise Refused(f"backfill {job.id} is {job.state} already")
        self._jobs.pause(job)
        await self._parts.exchange.committed()

    async def resume(self, job: BackfillJob) -> None:
        """Let a paused job go on. Refused where it is not paused."""
        if job.state != "paused":
            raise Refused(f"backfill {job.id} is {job.state}, not paused")
        self._jobs.resume(job)
        await self._parts.exchange.committed()

    async def cancel(self, job: BackfillJob) -> None:
        """Stop a job that is not finished; what it has written stays."""
        if job.is_open:
            self._finish(job, "cancelled")
            await self._parts.exchange.committed()

    async def finished(self, job_id: str) -> BackfillJob:
        """Wait until a job is over. KeyError: there is no such job."""
        return await self._jobs.finished(job_id)

    def progress(self, job: BackfillJob) -> Progress:
        """How far a job is, and when it will be done at the rate since it was taken up."""
        return self._jobs.progress(job)

    async def run(self) -> None:
        """Work on jobs, oldest first, for ever."""
        await self._jobs.run(self._work)

    async def _check(self, spec: BackfillSpec) -> None:
        if "/" in spec.into:
            await self._around.outlet(spec.into)
        elif spec.into not in self._around.stores:
            known = ", ".join(self._around.stores) or "none"
            raise Refused(f"there is no store or outlet {spec.into!r}, stores are: {known}")

    async def _work(self, job: BackfillJob) -> None:
        await self._check(job.spec)
        work: Filling | Resending | None = None

        async def step() -> None:
            nonlocal work
            if work is None:
                work = await self._begin(job)
            seconds = await work.page(self._live)
            if job.is_open and job.position >= job.last:
                self._finish(job, "done")
            elif job.is_open:
                self._jobs.note(job)
            await self._parts.exchange.committed()
            await self._jobs.rest(job, seconds)

        await self._jobs.repeat(job, step)

    async def _begin(self, job: BackfillJob) -> Filling | Resending:
        """Everything that a job needs. StoreError: its store or the archive is away."""
        around, into = self._around, job.spec.into
        around.flush()
        await self._live.passed(ARCHIVE, job.settled, job)
        if "/" in into:
            return Resending(job, around.outlet, around.parts, around.source(), around.link)
        store = await around.opened(into)
        await self._live.passed(f"series.{store.name}", job.settled, job)
        filling = Filling(job, around, store, self._jobs, self._table)
        await filling.open()
        return filling

    def _finish(self, job: BackfillJob, state: State) -> None:
        self._table.drop(job.id)
        self._jobs.end(job, state)
