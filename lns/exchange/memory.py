"""The newest part of the log in memory: what consumers that keep up read instead of the file."""

from collections import deque
from collections.abc import Iterable

from lns.exchange.log import Segment
from lns.exchange.records import Stored


class Memory:
    """At most `most` records; what everybody has passed goes, and then the oldest: a laggard reads the file."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._segments: deque[Segment] = deque()
        self._records = 0
        self._head_seq = 0

    def add(self, segments: Iterable[Segment], head_seq: int, floor: int) -> int:
        """Take what brought the log to `head_seq`, forget what ends at or before `floor`; returns how many came."""
        before, self._head_seq = self._records, head_seq
        for segment in segments:
            self._segments.append(segment)
            self._records += len(segment.stored)
        came = self._records - before
        while self._segments and (self._segments[0].last_seq <= floor or self._records > self._most):
            self._records -= len(self._segments.popleft().stored)
        return came

    def read(self, after_seq: int, topics: frozenset[str], limit: int) -> tuple[list[Stored], int] | None:
        """Records after a seq if memory reaches back that far, else None."""
        if not self._segments or self._segments[0].first_seq > after_seq + 1:
            return None
        tail: list[Segment] = []
        for segment in reversed(self._segments):
            if segment.last_seq <= after_seq:
                break
            tail.append(segment)
        found: list[Stored] = []
        for segment in reversed(tail):
            if segment.topic in topics:
                new = segment.stored[max(0, after_seq + 1 - segment.first_seq) :]
                if len(found) + len(new) > limit:
                    found += new[: limit - len(found)]
                    return found, found[-1].seq
                found += new
        return found, max(self._head_seq, after_seq)
