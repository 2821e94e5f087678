"""The consumer seam: everything right of the exchange is one of these, with its own durable position."""

from collections.abc import Sequence
from typing import Protocol

from lns.exchange.records import Stored


class Consumer(Protocol):
    """A reader of the log. The loop in `lns.exchange.loop` drives it, retries it and measures its lag."""

    name: str
    topics: frozenset[str]
    max_batch: int

    async def position(self) -> int | None:
        """Seq of the last record applied, where the consumer keeps it with its data; None: the exchange keeps it."""

    async def handle(self, batch: Sequence[Stored]) -> None:
        """Apply records in order; may see a record again after a crash. An exception means: retry the whole batch."""
