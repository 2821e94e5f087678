"""What a destination is given and what it says of it: one outcome for each message. Pure."""

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

import msgspec

KEPT_BYTES = 4096
"""Of an answer, and of a request's head."""


class Verdict(Enum):
    """What an attempt came to."""

    DELIVERED = "delivered"
    RETRY = "retry"  # the destination is in trouble: the message is not at fault
    THROTTLED = "throttled"  # it asks for less
    REFUSED = "refused"  # it does not want this message
    GONE = "gone"  # it wants no message any more


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """A message for one outlet. `id` is the same on every retry and replay; what shares a `lane` keeps its order.

    `at_us` is the time of what it tells, UTC; 0 where none is known.
    """

    id: str
    seq: int
    lane: str
    event: str
    body: bytes
    at_us: int = 0


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one attempt. `request` is its head without secrets, `response` head and body, both cut at 4 kB."""

    verdict: Verdict
    status: int | None = None
    error: str = ""
    retry_after_s: float | None = None
    request: str = ""
    response: str = ""

    @property
    def alive(self) -> bool:
        """The destination itself answered, whatever it thinks of the message."""
        if self.verdict in (Verdict.DELIVERED, Verdict.REFUSED):
            return True
        return self.status is not None and (200 <= self.status < 300 or 400 <= self.status < 500)


class Destination(Protocol):
    """Where an outlet sends to."""

    async def open(self) -> None:
        """Make ready, without waiting for the other side; ConfigError where a setting cannot be used."""

    async def close(self) -> None:
        """Give connections back."""

    async def deliver(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        """Try once to send `messages`; one outcome for each, in their order. Trouble is an outcome, not an error."""
