"""Sends what is stored to an outlet once more, under the same message ids, beside what is live.

A page's deliveries and the job's progress are one commit: a killed process goes on where it was, and sends nothing
for a second time that it had not to. A replay keeps to its rate, and waits while the outlet has much to send.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable

import msgspec

from lns.delivery.dispatch import Choose, Intake
from lns.delivery.history import History, Page, Reader
from lns.delivery.replay_jobs import Job, JobState, Spec, job_of
from lns.delivery.table import REPLAYS_KEPT
from lns.delivery.worker import OutletWorker, Surroundings
from lns.errors import StoreError

_logger = logging.getLogger(__name__)

PAGE = 200  # records a commit
OPEN_MOST = 1000  # deliveries of the outlet that are still to be sent while a replay adds more
WAIT_S = 0.05
FIRST_RETRY_S, LAST_RETRY_S = 0.2, 30.0


class ReplayRefused(ValueError):
    """A replay that cannot be begun; the text says why."""


class Running(msgspec.Struct, frozen=True):
    """An outlet that takes part: who sends, what renders, and a first look at which records it may want."""

    worker: OutletWorker
    intake: Intake
    choose: Choose = lambda batch: batch


Find = Callable[[str], Running | None]
"""The outlet with a key as it runs now; None while it is being changed, or is gone."""


class Replays:
    """All replays of all outlets; one of an outlet at a time, and beside it one that only counts."""

    def __init__(self, around: Surroundings, history: History, find: Find) -> None:
        self._around, self._find = around, find
        self.history = history
        self._jobs: dict[str, Job] = {}
        self._wanted, self._starting = asyncio.Event(), asyncio.Lock()

    async def open(self) -> None:
        """Read the jobs of earlier runs; those that were not finished are worked on again. StoreError."""
        self._jobs = {job.id: job for job in map(job_of, await self._around.store.replays())}

    def all(self, outlet: str | None = None) -> list[Job]:
        """Jobs, newest first."""
        return [job for job in reversed(self._jobs.values()) if outlet is None or job.spec.outlet == outlet]

    def get(self, job_id: str) -> Job | None:
        """A job by its id."""
        return self._jobs.get(job_id)

    async def start(self, spec: Spec) -> Job:
        """Begin a replay. ReplayRefused: the outlet has one under way; StoreError: the archive cannot be read."""
        async with self._starting:
            for job in self._jobs.values():
                if job.is_open and (job.spec.outlet, job.spec.dry_run) == (spec.outlet, spec.dry_run):
                    raise ReplayRefused(f"replay {job.id} of this outlet is under way: wait for it, or cancel it")
            where = await self.history.extent(spec.since_us, spec.until_us)
            job = Job(secrets.token_hex(8), spec, self._around.clock(), where.first, where.last, where.first)
            job.begins_us = where.begins_us
            await self._note(job)
            self._jobs[job.id] = job
        over = [job.id for job in self._jobs.values() if not job.is_open]
        for job_id in over[: max(0, len(over) - REPLAYS_KEPT)]:
            del self._jobs[job_id]
        self._wanted.set()
        return job

    async def cancel(self, job: Job) -> None:
        """Stop a job that is not finished; what it has added is sent."""
        if job.is_open:
            await self._finish(job, "cancelled")

    async def removed(self, outlet: str) -> None:
        """An outlet is gone: so are its replays."""
        for job in self.all(outlet):
            job.error = "the outlet was removed"
            await self.cancel(job)

    async def run(self) -> None:
        """Work on all jobs that are open, for ever."""
        working: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._wanted.clear()
                working = {id_: task for id_, task in working.items() if not task.done()}
                for job in self._jobs.values():
                    if job.is_open and job.id not in working:
                        working[job.id] = tasks.create_task(self._work(job), name=f"replay {job.id}")
                await self._wanted.wait()

    async def _work(self, job: Job) -> None:
        job.state = "running"
        reader, delay_s = self.history.reader(job), FIRST_RETRY_S
        try:
            while job.is_open and job.position < job.last:
                try:
                    await self._step(job, reader)
                except StoreError as error:
                    job.error = str(error)
                    await asyncio.sleep(delay_s)
                    delay_s = min(delay_s * 2, LAST_RETRY_S)
                else:
                    job.error, delay_s = None, FIRST_RETRY_S
            if job.is_open:
                await self._over(job, "done")
        except Exception as error:  # the top of a job: its fault must not end the others
            _logger.exception("replay %s failed", job.id)
            job.error = f"{type(error).__name__}: {error}"[:500]
            await self._over(job, "failed")

    async def _step(self, job: Job, reader: Reader) -> None:
        """One page: read, render; then, in one go, add deliveries and move on."""
        running = await self._turn(job)
        if running is None:
            return
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        page = await reader.read(PAGE, running.choose)
        messages = await running.intake.rendered(page.records)
        moved = _moved(job, page, len(messages))
        if not job.is_open:  # it was cancelled meanwhile
            return
        if not job.spec.dry_run:
            items = await self._around.store.resend(job.spec.outlet, messages, self._around.clock(), moved.noted())
            if (now := self._find(job.spec.outlet)) is not None:  # a changed outlet finds them in the store
                await now.worker.add(items)
        job.position, job.records, job.messages = moved.position, moved.records, moved.messages
        job.archived, job.lost = moved.archived, moved.lost
        spent_s = loop.time() - began_s
        wanted_s = spent_s if job.spec.dry_run else len(messages) / job.spec.max_per_s - spent_s
        await asyncio.sleep(max(wanted_s, 0.0))

    async def _turn(self, job: Job) -> Running | None:
        """The outlet, once it has not much else to send; None: the job is over."""
        while job.is_open:
            running = self._find(job.spec.outlet)
            if running is not None and (job.spec.dry_run or running.worker.open < OPEN_MOST):
                return running
            await asyncio.sleep(WAIT_S)
        return None

    async def _over(self, job: Job, state: JobState) -> None:
        """As `_finish`; what the disk does not take is found out again after a restart."""
        try:
            await self._finish(job, state)
        except StoreError as error:
            _logger.warning("replay %s is %s, which could not be written: %s", job.id, state, error)

    async def _finish(self, job: Job, state: JobState) -> None:
        job.state, job.finished_us = state, self._around.clock()
        await self._note(job)

    async def _note(self, job: Job) -> None:
        if not job.spec.dry_run:
            await self._around.store.note_replay(job.noted())


def _moved(job: Job, page: Page, messages: int) -> Job:
    """A job with a page behind it."""
    return msgspec.structs.replace(
        job,
        position=page.upto,
        records=job.records + len(page.records),
        messages=job.messages + messages,
        archived=job.archived + page.archived,
        lost=job.lost + page.lost,
    )
