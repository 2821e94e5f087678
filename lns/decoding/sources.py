"""Where stored uplinks are read from, in the order they were received: the log, or what is listed as failed.

A position is the seq of an uplink's record, so that reading goes on after it however long the reader was away.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from lns.exchange.records import Stored, Uplink
from lns.exchange.sqlite import SqliteExchange

_UPLINKS = frozenset({"uplink"})

BACK = 2000  # records looked at per step when the newest uplinks are searched


class Span(msgspec.Struct, frozen=True):
    """The part of a source that is to be read: positions after `first`, up to and with `last`."""

    first: int
    last: int


class UplinkSource(Protocol):
    """Stored uplinks."""

    async def span(self, since_us: int | None, until_us: int | None) -> Span:
        """Where uplinks of a time lie (UTC microseconds, `until_us` excluded); there may be others in between."""

    async def read(self, after: int, last: int, limit: int) -> tuple[list[Stored], int]:
        """Up to `limit` uplinks after a position, and the position up to which there are no more than these.

        That position is `last` when there is nothing left. What retention has dropped is passed over.
        """


class LoggedUplinks:
    """All uplinks that the exchange still holds and the decoder has read; what it has not read it decodes itself."""

    def __init__(self, exchange: SqliteExchange, decoder: str) -> None:
        self._exchange, self._decoder = exchange, decoder

    async def span(self, since_us: int | None, until_us: int | None) -> Span:
        first = 0 if since_us is None else await self._exchange.seq_before(since_us)
        last = self._exchange.head_seq - self._exchange.lag(self._decoder)
        return Span(min(first, last), last)

    async def read(self, after: int, last: int, limit: int) -> tuple[list[Stored], int]:
        if after >= last:
            return [], last
        found, upto = await self._exchange.read(after, _UPLINKS, limit)
        if upto == after:
            return [], last
        return [stored for stored in found if stored.seq <= last], min(upto, last)


class ListedUplinks:
    """The uplinks at these seqs, as the list of failed decodes has them."""

    def __init__(self, exchange: SqliteExchange, seqs: Sequence[int]) -> None:
        self._exchange = exchange
        self._seqs = sorted(seqs)

    async def span(self, since_us: int | None, until_us: int | None) -> Span:
        if not self._seqs:
            return Span(0, 0)
        first = 0 if since_us is None else await self._exchange.seq_before(since_us)
        return Span(min(first, self._seqs[-1]), self._seqs[-1])

    async def read(self, after: int, last: int, limit: int) -> tuple[list[Stored], int]:
        wanted = [seq for seq in self._seqs if after < seq <= last]
        picked = [await self._exchange.pick(seq) for seq in wanted[:limit]]
        found = [stored for stored in picked if stored is not None and isinstance(stored.record, Uplink)]
        return found, wanted[limit - 1] if len(wanted) > limit else last
