"""Where records are read from once more: the log, or what is put in its place that goes further back."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from lns.delivery.dispatch import Choose
from lns.delivery.replay_jobs import Job
from lns.exchange.records import Event, Stored
from lns.exchange.sqlite import SqliteExchange


class Extent(msgspec.Struct, frozen=True):
    """Where records of a time lie: after seq `first`, up to and with `last`; there may be others in between.

    `begins_us`: what is stored begins later than was asked for, at this time (UTC microseconds).
    """

    first: int
    last: int
    begins_us: int | None = None


class Page(msgspec.Struct, frozen=True):
    """Records, and the seq up to which there are no more than these.

    `archived` are the uplinks among them that an archive gave, which has no events. `lost` counts records on the way of
    which nothing is known any more.
    """

    records: Sequence[Stored]
    upto: int
    archived: int = 0
    lost: int = 0


class Reader(Protocol):
    """The records of one job, in the order of the log, each once, after its position."""

    async def read(self, limit: int, choose: Choose) -> Page:
        """The next page, of at most `limit` stored records; what is not chosen need not be made. StoreError."""


class History(Protocol):
    """Records of the past."""

    async def extent(self, since_us: int | None, until_us: int | None) -> Extent:
        """Where records of a time are (UTC microseconds, `until_us` excluded; None: no bound). StoreError."""

    def reader(self, job: Job) -> Reader:
        """What reads for a job, as long as it is in work."""


class LoggedRecords:
    """`History` of all records of some topics that the exchange still holds."""

    def __init__(self, exchange: SqliteExchange, topics: frozenset[str]) -> None:
        self._exchange, self._topics = exchange, topics

    async def extent(self, since_us: int | None, until_us: int | None) -> Extent:
        """By the time of the commit."""
        oldest, head = await self.oldest(), self._exchange.head_seq
        first = 0 if since_us is None else await self._exchange.seq_before(since_us)
        last = head if until_us is None else await self._exchange.seq_before(until_us)
        begins_us = await self.begins_us() if first < oldest else None
        return Extent(min(max(first, oldest - 1), last), last, later(begins_us, since_us))

    def reader(self, job: Job) -> Reader:
        return _LoggedReader(self, job)

    async def oldest(self) -> int:
        """The first seq that the log still holds; the one to come where it holds nothing."""
        first: int | None = (await self._exchange.status())["first_seq"]
        return self._exchange.head_seq + 1 if first is None else first

    async def begins_us(self) -> int | None:
        """When the oldest record was received or happened; None: there is none."""
        found, _ = await self._exchange.read(await self.oldest() - 1, frozenset({"uplink", "event"}), 1)
        records = [stored.record for stored in found]
        return next((one.at_us if isinstance(one, Event) else one.received_at_us for one in records), None)

    async def page(self, after: int, last: int, limit: int) -> Page:
        """The records after a seq, up to and with another, `limit` at most; what has been dropped is counted."""
        while (start := max(after, await self.oldest() - 1)) < last:
            found, upto = await self._exchange.read(start, self._topics, limit)
            if await self.oldest() <= start + 1:  # retention was not quicker than this
                upto = last if upto == start else min(upto, last)
                return Page([stored for stored in found if stored.seq <= last], upto, lost=start - after)
        return Page([], max(last, after), lost=max(last - after, 0))


class _LoggedReader:
    """`Reader` of the log."""

    def __init__(self, logged: LoggedRecords, job: Job) -> None:
        self._logged, self._job = logged, job

    async def read(self, limit: int, choose: Choose) -> Page:
        page = await self._logged.page(self._job.position, self._job.last, limit)
        return msgspec.structs.replace(page, records=choose(page.records))


def later(begins_us: int | None, since_us: int | None) -> int | None:
    """When what is stored begins, if that is later than the time that was asked for."""
    return None if begins_us is None or (since_us is not None and begins_us <= since_us) else begins_us
