"""What every outlet shares: how it says that it failed, and how it sets a record aside."""

from collections.abc import Awaitable, Callable

import msgspec


class OutletError(Exception):
    """A destination did not take a batch; the consumer loop tries again. `reason` is a slug for metrics."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Refused(msgspec.Struct, frozen=True):
    """A record a destination will never take: it is skipped so that the others behind it go on."""

    outlet: str
    seq: int
    topic: str
    id: bytes
    device_id: int | None
    dev_eui: str | None
    reason: str
    text: str


SetAside = Callable[[Refused], Awaitable[None]]
"""Records a refusal durably; the outlet goes on only after it has returned."""
