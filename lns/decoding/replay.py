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
import secrets
import time

from lns.decoding.batch import Choose
from lns.decoding.codecs import Codec
from lns.decoding.failures import Failures
from lns.decoding.jobs import TABLE, Job, Spec
from lns.decoding.memory import Memories, MemoryTable
from lns.decoding.page import Corrector, Page, Plan, Selection
from lns.decoding.parts import Parts, Refused, codec_id, version
from lns.decoding.sources import History, ListedUplinks, LoggedUplinks, UplinkSource, only_logged
from lns.decoding.worklist import WAIT_S, Progress, State, Worklist
from lns.series.store import SeriesStore

PAGE = 1000  # uplinks per commit
WARM_UP_US = 86_400_000_000  # before the first uplink that is meant: what scripts remember has to come from somewhere
LAG = 5000  # records that live consumers may be behind while a replay works


class Replays:
    """All replays, of which one is in work. `decoder` is the name of the live decoder's consumer; `history` tells what
    has become of uplinks that the log does not hold any more.
    """

    def __init__(
        self, parts: Parts, failures: Failures, decoder: str = "decoder", history: History = only_logged
    ) -> None:
        self._parts, self._failures, self._decoder, self._history = parts, failures, decoder, history
        self._series_consumer = f"series.{parts.series.name}" if parts.series else ""
        self._jobs, self._table = Worklist(Job, TABLE, parts.exchange), MemoryTable()

    async def open(self) -> None:
        """Read the jobs of earlier runs; those that were not finished are worked on again. sqlite3.Error."""
        self._parts.exchange.enlist(self._table)
        await self._jobs.open()

    async def start(self, spec: Spec) -> Job:
        """Queue a replay. Refused or RegistryError where it cannot be done."""
        _, plan, source = await self._prepare(spec)
        begin_us = spec.since_us
        if begin_us is not None and plan.remembers and not spec.failures:
            begin_us -= WARM_UP_US
        span = await source.span(begin_us, spec.until_us)
        job = Job(
            id=secrets.token_hex(8),
            created_at_us=time.time_ns() // 1000,
            first=span.first,
            last=span.last,
            position=span.first,
            spec=spec,
        )
        await self._jobs.add(job)
        return job

    def jobs(self) -> list[Job]:
        """All jobs, newest first."""
        return self._jobs.newest_first()

    def job(self, job_id: str) -> Job | None:
        """A job by its id."""
        return self._jobs.all.get(job_id)

    def cancel(self, job_id: str) -> Job | None:
        """Stop a job that is not finished; what it has corrected stays. None: there is no such job."""
        job = self._jobs.all.get(job_id)
        if job is not None and job.is_open:
            self._finish(job, "cancelled")
        return job

    async def finished(self, job_id: str) -> Job:
        """Wait until a job is over and what it has done is stored. KeyError: there is no such job."""
        return await self._jobs.finished(job_id)

    def progress(self, job: Job) -> Progress:
        """How far a job is, and when it will be done at the rate since it was taken up."""
        return self._jobs.progress(job)

    async def run(self) -> None:
        """Work on jobs, oldest first, for ever."""
        await self._jobs.run(self._work)

    async def _work(self, job: Job) -> None:
        store, plan, source = await self._prepare(job.spec)
        corrector = Corrector(self._parts, store, plan, job.id, await self._memories(job))
        await self._jobs.repeat(job, lambda: self._step(job, corrector, source))

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
            source = self._history(LoggedUplinks(parts.exchange, self._decoder))
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
        worth_s = (page.report.uplinks - job.report.uplinks) / job.spec.max_per_s
        job.report, job.position = page.report, upto
        if upto >= job.last:
            self._finish(job, "done")
        else:
            self._jobs.note(job)
        if not job.spec.dry_run:
            await self._applied(await self._parts.exchange.committed())
        await self._jobs.rest(job, began_s + worth_s - time.monotonic())

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

    def _finish(self, job: Job, state: State) -> None:
        if not job.spec.dry_run:
            self._table.drop(job.id)
        self._jobs.end(job, state)


def _always(chosen: Codec) -> Choose:
    return lambda _: chosen
