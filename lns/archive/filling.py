"""A backfill into a store: pages of uplinks are decoded and compared as replays do it, and what is missing is written.

A row gets the seq of its uplink, which is lower than that of anything the live decoder or a replay writes, so that a
backfill never wins over them, and doing a page twice changes nothing.
"""

import asyncio
import time
from collections.abc import Sequence

import msgspec

from lns import metrics
from lns.archive.around import Around
from lns.archive.backfill_jobs import BackfillJob, BackfillSpec
from lns.archive.chosen import Chosen, together
from lns.archive.found import Found
from lns.archive.link_rows import LinkRows
from lns.archive.priority import LiveFirst
from lns.decoding.corrections import Report
from lns.decoding.memory import Memories, Memory, MemoryTable
from lns.decoding.page import Corrector, Plan, Selection
from lns.decoding.worklist import Worklist
from lns.exchange.records import Stored, Uplink
from lns.series.store import Row, Rows, SeriesStore

PAGE = 1000  # uplinks read at once


class _Page(msgspec.Struct):
    """What a page was found to be: rows that differ from the store's, and where the next page begins.

    `missing`: those that it lacks, when that was seen; `names`: DevEUIs by device.
    """

    rows: list[Row]
    found: Found
    names: dict[int, str]
    upto: int
    missing: list[Row] | None = None


class Filling:
    """One job. `table` keeps what scripts remember of devices, `jobs` how far the job is."""

    def __init__(
        self, job: BackfillJob, around: Around, store: SeriesStore, jobs: Worklist[BackfillJob], table: MemoryTable
    ) -> None:
        self._job, self._around, self._store, self._jobs, self._table = job, around, store, jobs, table
        codecs, spec = around.parts.codecs, job.spec
        self._source, self._chosen = around.source(), Chosen(around.parts)
        selection = Selection(None, frozenset(spec.devices), spec.since_us, spec.until_us)
        choose = self._chosen.of if spec.codec_version == "then" else codecs.of
        self._memories: dict[int, Memory] = {}
        self._noted: dict[int, Memory] = {}
        plan = Plan(choose, selection, frozenset(), remove=False, outlets=False)
        self._corrector = Corrector(around.parts, store, plan, job.id, Memories(self._memories))
        self._link_rows = LinkRows(codecs, store, selection) if around.link else None
        self._now: _Page | None = None

    async def open(self) -> None:
        """Read what scripts remember. sqlite3.Error."""
        known = await asyncio.to_thread(self._table.load, self._around.parts.registry.path, self._job.id)
        self._memories.update(known)
        self._noted.update(known)

    async def page(self, live: LiveFirst) -> float:
        """One page: read, decode, compare; note what is found, write it, move on; returns the seconds it is worth."""
        job = self._job
        await live.make_way(job)
        began_s = time.monotonic()
        if self._now is None:  # one that could not be written is not decoded again: scripts would remember it twice
            self._now = await self._page()
        page = self._now
        missing = await _missing(self._store, page)
        if job.state != "running":
            return 0.0
        if missing and not job.spec.dry_run:
            rejected = await self._fill(page.found, missing)
            (job.ahead or page.found).rejected = rejected
        if not job.is_open:
            return 0.0
        job.found.add(job.ahead or page.found)
        job.position, job.ahead, self._now = page.upto, None, None
        for device_id, memory in self._memories.items():
            if self._noted.get(device_id) != memory:
                self._table.note(job.id, device_id, memory)
                self._noted[device_id] = memory
        return max(page.found.rows, page.found.uplinks) / job.rate - (time.monotonic() - began_s)

    async def _page(self) -> _Page:
        job, spec = self._job, self._job.spec
        stored, upto = await self._source.read(job.position, job.last, PAGE)
        unknown: list[int] = []
        if spec.codec_version == "then":
            versions = await self._source.versions(job.position, upto)
            stored, upto, unknown = await together(self._chosen, stored, upto, versions)
        meant = [one for one in stored if _is_of(one, spec.application_id)]
        heard = None if self._link_rows is None else await self._link_rows.read(meant)
        page = await self._corrector.page(meant, Report())
        # From here on nothing is decoded: what is remembered for the next page is of this one whole.
        report = page.report
        rows = [
            Row(decoded.device_id, m.field, m.time_us, m.value, m.unit, decoded.uplink_seq)
            for decoded in page.corrections
            for m in decoded.measurements
        ]
        if self._link_rows is not None and heard is not None:
            rows += self._link_rows.rows(heard, rows, report)
        found = Found(
            uplinks=report.uplinks,
            skipped=report.skipped,
            otherwise=_count_meant(meant, set(unknown), spec),
            present=report.held - report.changed,
            differing=report.changed,
            failed=report.failed,
        )
        names = {one.record.device_id: one.record.dev_eui for one in meant if isinstance(one.record, Uplink)}
        return _Page(rows, found, names, upto)

    async def _fill(self, found: Found, missing: Sequence[Row]) -> int:
        """Write the rows of a page that the store lacks; returns how many it has set aside. StoreError."""
        if self._job.ahead is None:
            self._job.ahead = found
            self._jobs.note(self._job)
            await self._around.parts.exchange.committed()
        result = await self._store.write(Rows.of(missing), None)
        metrics.backfill_rows.inc(self._store.name, n=result.accepted)
        return len(result.rejected)


def _is_of(one: Stored, application_id: int | None) -> bool:
    return isinstance(one.record, Uplink) and application_id in (None, one.record.application_id)


def _count_meant(stored: Sequence[Stored], seqs: set[int], spec: BackfillSpec) -> int:
    """How many of these uplinks are among `seqs` and asked for."""
    return sum(one.seq in seqs and isinstance(one.record, Uplink) and spec.means(one.record) for one in stored)


async def _missing(store: SeriesStore, page: _Page) -> list[Row]:
    """Rows of a page that the store has no value for; others differ, and stay. StoreError."""
    if page.missing is not None:
        return page.missing
    rows = page.rows
    held = await store.at(list(dict.fromkeys((row.device_id, row.time_us) for row in rows))) if rows else Rows()
    there = set(zip(held.device_ids, held.fields, held.times_us, strict=True))
    page.missing = [row for row in rows if (row.device_id, row.field, row.time_us) not in there]
    page.found.miss((page.names[row.device_id], row.field, row.time_us) for row in page.missing)
    return page.missing
