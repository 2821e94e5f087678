"""Replay: stored uplinks are decoded again and what is stored of them is corrected.

    replays = Replays(Parts(registry, exchange, pool, codecs, series), failures)
    await replays.open()                      # after exchange.open(); jobs that a stop has cut off go on
    tasks.create_task(replays.run())          # works on one job after the other
    job = await replays.start(Spec(codec="climate", since_us=...))   # Refused, RegistryError
    replays.jobs(), replays.job(id), replays.progress(job), replays.cancel(id), await replays.finished(id)

A correction is a `decoded` record of the log with a replay mark, holding only what differs, so that every store gets
it the way it gets everything. Corrections and the job's progress are one commit: nothing is done twice or left out,
whenever the process is killed. Live traffic goes first: a replay waits while consumers lag, hands the decoders one
batch at a time and keeps to its rate.
"""

import asyncio
import logging
import secrets
import sqlite3
import time

import msgspec

from lns.decoding.batch import Choose
from lns.decoding.codecs import Codec
from lns.decoding.failures import Failures
from lns.decoding.jobs import Job, Jobs, Spec, State
from lns.decoding.memory import Memories, MemoryTable
from lns.decoding.page import Corrector, Page, Plan, Selection
from lns.decoding.parts import Parts, Refused, codec_id, version
from lns.decoding.sources import ListedUplinks, LoggedUplinks, UplinkSource
from lns.errors import StoreError
from lns.registry.errors import RegistryError
from lns.series.store import SeriesStore

_logger = logging.getLogger(__name__)

PAGE = 1000  # uplinks per commit
WARM_UP_US = 86_400_000_000  # before the first uplink that is meant: what scripts remember has to come from somewhere
LAG = 5000  # records that live consumers may be behind while a replay works
WAIT_S = 0.05
FIRST_RETRY_S, LAST_RETRY_S = 0.2, 30.0


class Progress(msgspec.Struct, frozen=True):
    """How far a job is. `done` is the share of the log that is behind, 0 to 1; None: not known yet."""

    done: float
    uplinks: int
    rate_per_s: float | None
    remaining_s: float | None


class _Pace(msgspec.Struct):
    """Of the job in work: when it began or went on, and where it was then."""

    job: Job
    began_s: float
    position: int
    uplinks: int


class Replays:
    """All replays, of which one is in work. `decoder` is the name of the live decoder's consumer."""

    def __init__(self, parts: Parts, failures: Failures, decoder: str = "decoder") -> None:
        self._parts, self._failures, self._decoder = parts, failures, decoder
        self._series_consumer = f"series.{parts.series.name}" if parts.series else ""
        self._jobs, self._table = Jobs(), MemoryTable()
        self._wanted = asyncio.Event()
        self._in_work: Job | None = None
        self._pace: _Pace | None = None
        self._finished: dict[str, asyncio.Event] = {}

    async def open(self) -> None:
        """Read the jobs of earlier runs; those that were not finished are worked on again. sqlite3.Error."""
        self._parts.exchange.enlist(self._jobs)
        self._parts.exchange.enlist(self._table)
        await asyncio.to_thread(self._jobs.load, self._parts.registry.path)
        self._wanted.set()

    async def start(self, spec: Spec) -> Job:
        """Queue a replay. Refused or RegistryError where it cannot be done."""
        _, plan, source = await self._prepare(spec)
        begin_us = spec.since_us
        if begin_us is not None and plan.remembers and not spec.failures:
            begin_us -= WARM_UP_US
        span = await source.span(begin_us, spec.until_us)
        now_us = time.time_ns() // 1000
        job = Job(secrets.token_hex(8), spec, now_us, span.first, span.last, span.first)
        self._note(job)
        await self._parts.exchange.committed()
        self._wanted.set()
        return job

    def jobs(self) -> list[Job]:
        """All jobs, newest first."""
        return list(reversed(self._jobs.all.values()))

    def job(self, job_id: str) -> Job | None:
        """A job by its id."""
        return self._jobs.all.get(job_id)

    def cancel(self, job_id: str) -> Job | None:
        """Stop a job that is not finished; what it has corrected stays. None: there is no such job."""
        job = self._jobs.all.get(job_id)
        if job is not None and job.is_open:
            self._finish(job, "cancelled")
            self._tell(job)
        return job

    async def finished(self, job_id: str) -> Job:
        """Wait until a job is over and what it has done is stored. KeyError: there is no such job."""
        job = self._jobs.all[job_id]
        if job.is_open or job is self._in_work:
            await self._finished.setdefault(job_id, asyncio.Event()).wait()
        return job

    def progress(self, job: Job) -> Progress:
        """How far a job is, and when it will be done at the rate since it was taken up."""
        pace = self._pace
        if pace is None or pace.job is not job or not job.is_open:
            return Progress(job.done, job.report.uplinks, None, None)
        seconds = time.monotonic() - pace.began_s
        moved = job.position - pace.position
        remaining_s = (job.last - job.position) * seconds / moved if moved else None
        return Progress(job.done, job.report.uplinks, (job.report.uplinks - pace.uplinks) / seconds, remaining_s)

    async def run(self) -> None:
        """Work on jobs, oldest first, for ever."""
        while True:
            job = next((job for job in self._jobs.all.values() if job.is_open), None)
            if job is None:
                self._wanted.clear()
                await self._wanted.wait()
                continue
            self._in_work = job
            try:
                await self._work(job)
            except (Refused, RegistryError) as error:  # the codec has gone, or the script is not run any more
                job.error = str(error)
                self._finish(job, "failed")
            except Exception as error:  # the top of the task: the fault of one job must not end the others
                _logger.warning("replay %s failed: %s", job.id, error, exc_info=error)
                job.error = f"{type(error).__name__}: {error}"[:500]
                self._finish(job, "failed")
            await self._parts.exchange.committed()
            self._in_work = None
            self._tell(job)

    async def _work(self, job: Job) -> None:
        store, plan, source = await self._prepare(job.spec)
        job.state = "running"
        self._pace = _Pace(job, time.monotonic(), job.position, job.report.uplinks)
        corrector = Corrector(self._parts, store, plan, job.id, await self._memories(job))
        delay_s = FIRST_RETRY_S
        while job.is_open:
            try:
                await self._step(job, corrector, source)
            except (StoreError, sqlite3.Error) as error:
                job.error = str(error)
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, LAST_RETRY_S)
            else:
                job.error, delay_s = None, FIRST_RETRY_S
        self._pace = None

    async def _memories(self, job: Job) -> Memories:
        """What the job itself has seen of devices; those of live uplinks are of another time."""
        if job.spec.dry_run:
            return Memories()
        known = await asyncio.to_thread(self._table.load, self._parts.registry.path, job.id)
        return Memories(known, self._table, job.id)

    async def _prepare(self, spec: Spec) -> tuple[SeriesStore, Plan, UplinkSource]:
        parts = self._parts
        if parts.series is None:
            raise Refused("measurements are not kept here (series.enabled is false): there is nothing to correct")
        choose: Choose = parts.codecs.of
        of_codec, chosen = None, None
        if spec.codec is not None:
            of_codec = await codec_id(parts, spec.codec)
            if spec.version is not None:
                chosen = await version(parts, spec.codec, spec.version)
                choose = _always(chosen)
        elif spec.version is not None:
            raise Refused(f"version is {spec.version}, but no codec is named")
        open_failures = await asyncio.to_thread(parts.registry.failures.uplink_seqs)
        source: UplinkSource
        if spec.failures:
            source = ListedUplinks(parts.exchange, open_failures)
        else:
            source = LoggedUplinks(parts.exchange, self._decoder)
        selection = Selection(of_codec, frozenset(spec.devices), spec.since_us, spec.until_us)
        remembers = parts.codecs.remember(of_codec) if chosen is None else chosen.needs.memory
        plan = Plan(choose, selection, frozenset(open_failures), spec.remove, spec.outlets, remembers)
        return parts.series, plan, source

    async def _step(self, job: Job, corrector: Corrector, source: UplinkSource) -> None:
        """One page: read, decode, compare; then, in one go, append corrections and move on."""
        await self._make_way()
        stored, upto = await source.read(job.position, job.last, PAGE)
        began_s = time.monotonic()
        page = await corrector.page(stored, job.report)
        if not job.is_open:
            self._table.drop(job.id)
            return
        if not job.spec.dry_run:
            self._put(page)
        until_s = began_s + (page.report.uplinks - job.report.uplinks) / job.spec.max_per_s
        job.report, job.position = page.report, upto
        if upto >= job.last:
            self._finish(job, "done")
        else:
            self._note(job)
        if not job.spec.dry_run:
            await self._applied(await self._parts.exchange.committed())
        await asyncio.sleep(0)
        while job.is_open and (left_s := until_s - time.monotonic()) > 0:  # one that is cancelled makes way at once
            await asyncio.sleep(min(left_s, WAIT_S))

    def _put(self, page: Page) -> None:
        for decoded in page.corrections:
            self._parts.exchange.put("decoded", decoded)
        for seq in page.mended:
            self._failures.retried(seq)
        for decoded in page.failed_again:
            self._failures.opened(decoded, time.time_ns() // 1000)

    async def _make_way(self) -> None:
        exchange = self._parts.exchange
        while max(exchange.lag(self._decoder), exchange.lag(self._series_consumer)) > LAG:
            await asyncio.sleep(WAIT_S)

    async def _applied(self, seq: int) -> None:
        """Wait until the store holds everything up to a seq: the next page is compared with it."""
        exchange = self._parts.exchange
        while exchange.head_seq - exchange.lag(self._series_consumer) < seq:
            await asyncio.sleep(WAIT_S)

    def _tell(self, job: Job) -> None:
        if job.id in self._finished:
            self._finished.pop(job.id).set()

    def _note(self, job: Job) -> None:
        self._jobs.note(job)
        self._parts.exchange.touch()

    def _finish(self, job: Job, state: State) -> None:
        job.state = state
        job.finished_at_us = time.time_ns() // 1000
        if not job.spec.dry_run:
            self._table.drop(job.id)
        self._note(job)


def _always(chosen: Codec) -> Choose:
    return lambda _: chosen
