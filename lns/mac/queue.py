"""A downlink that waits in a device's queue, and the rules of waiting."""

from collections import deque
from collections.abc import Iterable

import msgspec


class DownlinkItem(msgspec.Struct, frozen=True):
    """One application downlink. `state` is queued, sent, acked, nacked, expired, failed or deleted.

    `reason` says why it is in that state; `fcnt_down` is set once a frame carried it.
    """

    id: str
    device_id: int
    fport: int
    payload: bytes
    confirmed: bool
    enqueued_at_us: int
    expires_at_us: int | None = None
    state: str = "queued"
    reason: str | None = None
    fcnt_down: int | None = None
    position: int = 0

    def to(self, state: str, reason: str | None = None, fcnt_down: int | None = None) -> "DownlinkItem":
        """The same item in another state."""
        return msgspec.structs.replace(
            self, state=state, reason=reason, fcnt_down=self.fcnt_down if fcnt_down is None else fcnt_down
        )


def expire(queue: deque[DownlinkItem], now_us: int) -> list[DownlinkItem]:
    """Take the items out of `queue` whose time has passed; returned in state expired."""
    gone = [item for item in queue if item.expires_at_us is not None and item.expires_at_us <= now_us]
    for item in gone:
        queue.remove(item)
    return [item.to("expired", "expired before a receive window opened") for item in gone]


def find(queue: Iterable[DownlinkItem] | None, item_id: str) -> DownlinkItem | None:
    """The waiting item with this id."""
    return next((item for item in queue or () if item.id == item_id), None)
