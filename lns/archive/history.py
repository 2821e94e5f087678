"""Records for replays to outlets: those of the log, and before it the archive's uplinks with what they decode to.

What an uplink was decoded to goes with the page that its seq is in, wherever the log has it. So a position says all
that has been sent: what retention drops between two pages is neither sent twice nor passed over.
"""

from lns.archive import manifest
from lns.archive.around import ARCHIVE, Around
from lns.archive.catalogue import Catalogue
from lns.archive.chosen import Chosen, together
from lns.archive.manifest import Manifest
from lns.archive.priority import LiveFirst
from lns.archive.records import Records
from lns.decoding.sources import AHEAD
from lns.delivery.dispatch import Choose
from lns.delivery.history import Extent, LoggedRecords, Page, later
from lns.delivery.replay_jobs import Job
from lns.exchange.records import Decoded, Event, Stored, Uplink

_DECODED = frozenset({"decoded"})
_LOOK = 500  # records looked at per step for what became of a page's last uplinks


class WholeRecords:
    """`lns.delivery.history.History`. `decoder` is the consumer that decodes live uplinks."""

    def __init__(self, around: Around, logged: LoggedRecords, catalogue: Catalogue, decoder: str) -> None:
        self.around, self.logged, self.decoder = around, logged, decoder
        self._catalogue, self._exchange = catalogue, around.parts.exchange

    async def extent(self, since_us: int | None, until_us: int | None) -> Extent:
        """In the log by the time of the commit, in the archive by that of the reception. StoreError."""
        oldest = await self.logged.oldest()
        first = 0 if since_us is None else await self._exchange.seq_before(since_us)
        if first + 1 >= oldest:
            return await self.logged.extent(since_us, until_us)
        files = [one for one in await self.files() if one.first_seq < oldest]
        wanted = [one for one in files if since_us is None or one.max_at_us >= since_us]
        # what the log's first records were made of may be in neither
        first = max(min([oldest - 1 - AHEAD, *(one.first_seq - 1 for one in wanted)]), 0)
        last = self._exchange.head_seq if until_us is None else await self._exchange.seq_before(until_us)
        if last < oldest and until_us is not None:
            last = max((min(one.last_seq, oldest - 1) for one in wanted if one.min_at_us < until_us), default=first)
        begins = [one.min_at_us for one in files]
        if (log_begins_us := await self.logged.begins_us()) is not None:
            begins.append(log_begins_us)
        return Extent(min(first, last), last, later(min(begins, default=None), since_us))

    def reader(self, job: Job) -> "WholeReader":
        return WholeReader(self, job)

    async def files(self) -> list[Manifest]:
        """The archive's files of now. StoreError: it cannot be read, or is of another log."""
        found = await self._catalogue.read()
        for one in found:
            manifest.check_log(one, self._exchange.log_id)
        return found


class WholeReader:
    """`lns.delivery.history.Reader`. Live uplinks are decoded first; the job is told what it waits for."""

    def __init__(self, whole: WholeRecords, job: Job) -> None:
        self._whole, self._job = whole, job
        self._around, self._exchange = whole.around, whole.around.parts.exchange
        self._source, self._chosen = whole.around.source(), Chosen(whole.around.parts)
        self._records = Records(whole.around.parts, self._chosen.of, whole.around.link)
        self._live = LiveFirst(self._exchange, whole.around.live)
        self._files: list[Manifest] | None = None

    async def read(self, limit: int, choose: Choose) -> Page:
        after, last, logged = self._job.position, self._job.last, self._whole.logged
        while (oldest := await logged.oldest()) <= after + 1:
            decoded = self._exchange.head_seq - self._exchange.lag(self._whole.decoder)
            page = await logged.page(after, last, limit)
            if not page.lost:  # retention was not quicker than this
                return await self._logged(page, decoded, choose)
        await self._live.make_way(self._job)
        if self._files is None:
            self._files = await self._settled()
        return await self._archived(min(last, oldest - 1), limit, choose)

    async def _logged(self, page: Page, decoded: int, choose: Choose) -> Page:
        """What the decoder, which is at a seq, has not read yet is sent when it has, as everything live is."""
        own = [one for one in choose(page.records) if _place(one) > self._job.position]
        missing = {one.seq for one in own if isinstance(one.record, Uplink)}.difference(map(_decoded_of, own))
        own += await self._looked_up(page.upto, missing)
        missing = {seq for seq in missing.difference(map(_decoded_of, own)) if seq <= decoded}
        forgotten, upto = await self._together([one for one in own if one.seq in missing], page.upto)
        kept = [one for one in own if _place(one) <= upto]
        if forgotten:
            await self._live.make_way(self._job)
            kept += [one for one in await self._records.of(forgotten, {}) if one.topic == "decoded"]
        return Page(sorted(kept, key=lambda one: one.seq), upto)

    async def _looked_up(self, upto: int, missing: set[int]) -> list[Stored]:
        """What uplinks at these seqs were decoded to, from what stands after a page."""
        found: list[Stored] = []
        position, end = upto, min(upto + AHEAD, self._exchange.head_seq)
        while position < end and len(found) < len(missing):
            page, position = await self._exchange.read(position, _DECODED, _LOOK)
            found += [one for one in page if _decoded_of(one) in missing]
        return found

    async def _archived(self, last: int, limit: int, choose: Choose) -> Page:
        """A page of what the log does not have any more; what its uplinks were decoded to it may have still."""
        after, means = self._job.position, self._means
        stored, upto = await self._source.read(after, last, limit)
        meant, upto = await self._together([one for one in choose(stored) if means(one)], upto)
        known = await self._source.decodes(after, upto)
        records = await self._records.of(meant, known)
        archived = {one.seq for one in stored}
        alone = [Stored(at, "decoded", one) for seq, (at, one) in known.items() if seq not in archived]
        records += [one for one in choose(alone) if means(one)]
        return Page(records, upto, len(meant), await self._lost(upto, bool(stored)))

    async def _together(self, stored: list[Stored], upto: int) -> tuple[list[Stored], int]:
        """Of uplinks up to a seq those that are decoded in one go, each with its version of then, and up to where."""
        versions = await self._source.versions(self._job.position, upto) if stored else {}
        found, upto, _ = await together(self._chosen, stored, upto, versions)
        return found, upto

    async def _settled(self) -> list[Manifest]:
        """The archive's files, once it has read what has decoded its uplinks, up to now. StoreError."""
        await self._whole.files()
        self._around.flush()
        await self._live.passed(ARCHIVE, self._exchange.head_seq, self._job)
        return await self._whole.files()

    async def _lost(self, upto: int, found_any: bool) -> int:
        """How many records on the way are in neither: files that have gone, and gaps between files."""
        after, files = self._job.position, self._files or []
        if upto > max((one.last_seq for one in files), default=0):
            self._files = files = await self._whole.files()
        sure = [one for one in files if after < one.first_seq <= upto or after < one.last_seq <= upto]
        gone = [min(one.count, upto - after) for one in sure]
        gaps = (min(gap.last_seq, upto) - max(gap.first_seq - 1, after) for gap in manifest.gaps(files))
        return sum(max(size, 0) for size in gaps) + (0 if found_any else sum(gone[:1]))

    def _means(self, stored: Stored) -> bool:
        """Whether a record of the archive's time is asked for."""
        record, spec = stored.record, self._job.spec
        at_us = record.at_us if isinstance(record, Event) else record.received_at_us
        return (spec.since_us is None or at_us >= spec.since_us) and (spec.until_us is None or at_us < spec.until_us)


def _decoded_of(stored: Stored) -> int | None:
    """The seq of the uplink that live decoding made a record of; None: it is another record."""
    record = stored.record
    return record.uplink_seq if isinstance(record, Decoded) and record.replay is None else None


def _place(stored: Stored) -> int:
    """The seq with whose page a record is sent."""
    uplink_seq = _decoded_of(stored)
    return stored.seq if uplink_seq is None else uplink_seq
