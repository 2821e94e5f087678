"""The seam between deliveries and message brokers."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message on its way to `topic`, which for AMQP is the routing key; what shares a `key` keeps its order.

    `at_us` is the time of what it tells, UTC; 0 where none is known.
    """

    topic: str
    value: bytes
    id: str
    seq: int
    key: str
    event: str
    at_us: int = 0
    retain: bool = False


class Failure(msgspec.Struct, frozen=True):
    """Why a message was not taken: `reason` is a slug, `final` says that it never will be."""

    reason: str
    text: str
    final: bool = False


class Broker(Protocol):
    """One destination. `deliver` takes one call at a time and keeps the order of its messages."""

    async def open(self) -> None:
        """Get ready, without waiting for the broker. ConfigError where a setting cannot work."""

    async def deliver(self, messages: Sequence[Message]) -> list[Failure | None]:
        """Send and wait for acknowledgements; an outcome for each message, None where it was acknowledged."""

    async def close(self) -> None:
        """Give up the connection."""
