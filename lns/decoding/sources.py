"""Where stored uplinks are read from, in the order they were received: the log, or what is listed as failed.

A position is the seq of an uplink's record, so that reading goes on after it however long the reader was away.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from lns.exchange.records import Decoded, Stored, Uplink
from lns.exchange.sqlite import SqliteExchange

_UPLINKS, _DECODED = frozenset({"uplink"}), frozenset({"decoded"})

AHEAD = 5000  # records after an uplink among which its decode is looked for
BACK = 2000  # records looked at per step when the newest uplinks are searched


Versions = dict[int, int | None]
"""The id of the codec version that has decoded an uplink, by its seq; None: no codec was in use."""


Decodes = dict[int, tuple[int, Decoded]]
"""What became of an uplink, with the seq of that record, by the uplink's seq."""


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


class VersionedSource(UplinkSource, Protocol):
    """Stored uplinks of which it is known how they were decoded."""

    async def versions(self, after: int, upto: int) -> Versions:
        """By which codec versions uplinks after a position, up to and with another, were decoded last."""

    async def decodes(self, after: int, upto: int) -> Decodes:
        """What live decoding made of uplinks after a position, up to and with another, as far as that is known."""


History = Callable[["LoggedUplinks"], UplinkSource]
"""What is known beyond the log: the log's uplinks, and those that it does not hold any more."""


class LoggedUplinks:
    """All uplinks that the exchange still holds and the decoder has read; what it has not read it decodes itself."""

    def __init__(self, exchange: SqliteExchange, decoder: str) -> None:
        self._exchange, self._decoder = exchange, decoder

    async def span(self, since_us: int | None, until_us: int | None) -> Span:
        first = 0 if since_us is None else await self._exchange.seq_before(since_us)
        last = self._exchange.head_seq - self._exchange.lag(self._decoder)
        return Span(min(first, last), last)

    async def oldest(self) -> int:
        """The first seq that the log still holds; the one to come where it holds nothing."""
        first: int | None = (await self._exchange.status())["first_seq"]
        return self._exchange.head_seq + 1 if first is None else first

    async def versions(self, after: int, upto: int) -> Versions:
        """By which codec versions uplinks after a seq, up to and with another, were decoded: live, not by replays."""
        return {seq: decoded.codec_version_id for seq, (_, decoded) in (await self.decodes(after, upto)).items()}

    async def decodes(self, after: int, upto: int) -> Decodes:
        """What became of uplinks after a seq, up to and with another, as far as the log still tells."""
        found: Decodes = {}
        position, end = after, min(upto + AHEAD, self._exchange.head_seq)
        while position < end:
            page, position = await self._exchange.read(position, _DECODED, AHEAD)
            for stored in page:
                record = stored.record
                if isinstance(record, Decoded) and record.replay is None and after < record.uplink_seq <= upto:
                    found[record.uplink_seq] = stored.seq, record
        return found

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


def only_logged(logged: LoggedUplinks) -> UplinkSource:
    """`History` where there is no archive."""
    return logged
