"""One consumer's place in the log, and what a person wants to know of it."""

import asyncio
import time
from typing import TYPE_CHECKING, Any

from lns import metrics
from lns.exchange.records import Stored

if TYPE_CHECKING:
    from lns.exchange.sqlite import SqliteExchange

RATE_WINDOW_S = 10.0


class Cursor:
    """Reads on from `position`; `advance` after the records are applied."""

    def __init__(self, exchange: "SqliteExchange", name: str, topics: frozenset[str], position: int) -> None:
        self._exchange = exchange
        self._more = asyncio.Event()
        self._more.set()
        self._rate_since, self._rate_count, self._rate = time.monotonic(), 0, 0.0
        self.name, self.topics, self.position = name, topics, position
        self.applied = 0
        self.last_error: str | None = None
        self.last_error_at_us: int | None = None
        self.state = "running"
        self.told = False
        """Whether the consumer has said where it is, or failed to."""

    @property
    def lag(self) -> int:
        """Records of all topics between this position and the head."""
        return max(self._exchange.head_seq - self.position, 0)

    def wake(self) -> None:
        """The head has moved."""
        self._more.set()

    async def next(self, limit: int) -> tuple[list[Stored], int]:
        """Wait for records after the position; also returns the seq to advance to once they are applied."""
        while True:
            self._more.clear()
            if self.position < self._exchange.head_seq:
                found, upto = await self._exchange.read(self.position, self.topics, limit)
                if found:
                    return found, upto
                self.advance(upto, 0)
                continue
            await self._more.wait()

    def advance(self, seq: int, records: int) -> None:
        """Everything up to `seq` is applied."""
        if seq > self.position:
            self.position = seq
            self._exchange.note_position(self.name, seq)
        self.applied += records
        if records:
            metrics.consumer_records.inc(self.name, n=records)
        self._rate_count += records
        now = time.monotonic()
        if now - self._rate_since >= RATE_WINDOW_S:
            self._rate = self._rate_count / (now - self._rate_since)
            self._rate_since, self._rate_count = now, 0

    def begin(self, seq: int) -> None:
        """Go on where the consumer is, forward or back."""
        self.position, self.told = seq, True
        self._more.set()

    def failed(self, text: str) -> None:
        """Note why a batch was not applied."""
        self.told = True
        self.state, self.last_error, self.last_error_at_us = "retrying", text, time.time_ns() // 1000

    def recovered(self) -> None:
        self.state, self.told = "running", True

    def status(self) -> dict[str, Any]:
        """Position, lag, rate and last error, JSON-ready."""
        elapsed = time.monotonic() - self._rate_since
        rate = self._rate_count / elapsed if elapsed > 1 else self._rate
        return {
            "name": self.name,
            "position": self.position,
            "lag": self.lag,
            "rate_per_s": round(rate, 1),
            "applied": self.applied,
            "state": self.state,
            "last_error": self.last_error,
            "last_error_at_us": self.last_error_at_us,
        }
