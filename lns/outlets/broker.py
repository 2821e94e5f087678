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


class Unrouted(msgspec.Struct, frozen=True):
    """The broker has taken the message, and has nobody to give it to; `text` says so."""

    text: str


End = Failure | Unrouted | None
"""What has become of a message; None: it was taken."""


class Broker(Protocol):
    """One destination. `deliver` takes one call at a time and keeps the order of its messages."""

    async def open(self) -> None:
        """Get ready, without waiting for the broker. ConfigError where a setting cannot work."""

    async def deliver(self, messages: Sequence[Message]) -> Sequence[End]:
        """Send and wait for acknowledgements; an end for each message, in their order."""

    async def close(self) -> None:
        """Give up the connection."""
