"""Where records are read from once more: the log, or what is put in its place that goes further back."""

from typing import Protocol

from lns.decoding.sources import Span
from lns.exchange.records import Stored
from lns.exchange.sqlite import SqliteExchange


class History(Protocol):
    """Records of the past, each once, in the order of the log. A position is a seq."""

    async def span(self, since_us: int | None, until_us: int | None) -> Span:
        """Where records of a time lie (UTC microseconds, `until_us` excluded); there may be others in between."""

    async def read(self, after: int, last: int, limit: int) -> tuple[list[Stored], int]:
        """Up to `limit` records after a position, and the position up to which there are no more than these.

        That position is `last` when there is nothing left. What retention has dropped is passed over.
        """


class LoggedRecords:
    """All records of some topics that the exchange still holds."""

    def __init__(self, exchange: SqliteExchange, topics: frozenset[str]) -> None:
        self._exchange, self._topics = exchange, topics

    async def span(self, since_us: int | None, until_us: int | None) -> Span:
        """By the time of the commit."""
        head = self._exchange.head_seq
        first = 0 if since_us is None else await self._exchange.seq_before(since_us)
        last = head if until_us is None else await self._exchange.seq_before(until_us)
        return Span(min(first, last), last)

    async def read(self, after: int, last: int, limit: int) -> tuple[list[Stored], int]:
        if after >= last:
            return [], last
        found, upto = await self._exchange.read(after, self._topics, limit)
        if upto == after:
            return [], last
        return [stored for stored in found if stored.seq <= last], min(upto, last)
