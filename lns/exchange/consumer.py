"""The consumer seam: everything right of the exchange is one of these, with its own durable position."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from lns.exchange.records import Stored


class Consumer(Protocol):
    """A reader of the log. The loop in `lns.exchange.loop` drives it, retries it and measures its lag."""

    name: str
    topics: frozenset[str]
    max_batch: int

    async def position(self) -> int | None:
        """Seq of the last record applied, where the consumer keeps it with its data; None: the exchange keeps it."""

    async def handle(self, batch: Sequence[Stored]) -> None:
        """Apply records in order; may see a record again after a crash or a restore. An exception: retry the batch."""


@runtime_checkable
class Following(Protocol):
    """A consumer that keeps beside its position which log it is of: of another log it means nothing."""

    async def log(self) -> str:
        """The id of that log; empty: it was never said."""

    async def follow(self, log_id: str) -> None:
        """From now on the position is of this log."""
