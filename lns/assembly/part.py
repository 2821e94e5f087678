"""What the server asks of each group of engines."""

from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any, Protocol

from lns.exchange.consumer import Consumer

Feeds = Sequence[tuple[Consumer, float]]
"""Consumers of the log, with the seconds a small batch waits for company."""
Runs = Sequence[tuple[str, Coroutine[Any, Any, None]]]
"""Tasks that run until they are cancelled, by name."""

STORE_LINGER_S = 0.1
"""A store rewrites fewer pages, and a broker takes fewer requests, in larger batches."""


class Part(Protocol):
    """A group of engines: the server opens it before anything listens, runs it, and tends it now and then."""

    async def open(self, stack: AsyncExitStack) -> None:
        """Open what must be there, and leave on the stack how to close it; StoreError and ConfigError end the start."""

    def feeds(self) -> Feeds:
        """What reads the log from the start on."""

    def runs(self) -> Runs:
        """What runs beside; called once."""

    async def upkeep(self, now_us: int) -> None:
        """Slow housekeeping, at most every half minute; StoreError: it is tried again the next time."""
