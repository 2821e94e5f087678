"""A downlink that waits in a device's queue, and the rules of waiting.

1. Items go in order: higher priority first, within a priority as they came. Nothing overtakes within a priority.
2. An item keeps its place: when it is replaced, when no gateway could send it, when it is sent again.
3. At most one confirmed item is outstanding. Until it is settled no other confirmed item leaves, nor what is behind it.
4. A confirmed item that is not acknowledged is sent again, `confirmed_attempts` times in all; each time with a new
   FCntDown, so a device of which only the acknowledgement was lost sees it twice.
5. An item leaves the queue for good only with a state and a reason: `TRANSITIONS` lists all ways.
6. An item for a later time (`at_us`) lets others pass until then.
7. MAC answers go before items. An item that would fit without them waits, one that cannot fit in any window fails.
"""

from collections import deque
from collections.abc import Iterable
from enum import Enum

import msgspec

FHDR_OCTETS = 7
FPORT_OCTETS = 1
MAX_FOPTS_OCTETS = 15


class Step(Enum):
    """What may happen to an item."""

    TAKEN = "a frame carries it"
    ACKNOWLEDGED = "the device acknowledged it"
    REPEATED = "not acknowledged, attempts are left"
    GIVEN_UP = "not acknowledged, no attempt is left"
    RETURNED = "no gateway could send it"
    EXPIRED = "its expiry passed"
    TOO_LONG = "it fits in no window"
    DELETED = "a user deleted it"


TRANSITIONS: dict[str, dict[Step, str]] = {
    "queued": {
        Step.TAKEN: "sent",
        Step.EXPIRED: "expired",
        Step.TOO_LONG: "failed",
        Step.DELETED: "deleted",
    },
    "sent": {
        Step.ACKNOWLEDGED: "acked",
        Step.REPEATED: "queued",
        Step.GIVEN_UP: "nacked",
        Step.RETURNED: "queued",
        Step.DELETED: "deleted",
    },
}
"""Sent is the last state of an unconfirmed item that a gateway took; acked, nacked, expired, failed, deleted are last
states of any."""


class DownlinkItem(msgspec.Struct, frozen=True):
    """One application downlink. `state` is queued, sent, acked, nacked, expired, failed or deleted.

    `reason` says why it is in that state; `fcnt_down` is set once a frame carried it, `attempts` counts such frames.
    `priority` is higher for what goes first; `at_us` (UTC) is the earliest time of sending.
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
    priority: int = 0
    attempts: int = 0
    at_us: int | None = None

    def to(self, state: str, reason: str | None = None, fcnt_down: int | None = None) -> "DownlinkItem":
        """The same item in another state."""
        return msgspec.structs.replace(
            self, state=state, reason=reason, fcnt_down=self.fcnt_down if fcnt_down is None else fcnt_down
        )

    def after(self, step: Step, reason: str | None = None) -> "DownlinkItem":
        """The same item one step on. KeyError for a step that its state does not know."""
        return msgspec.structs.replace(self, state=TRANSITIONS[self.state][step], reason=reason)


class Offer(msgspec.Struct, frozen=True, gc=False):
    """What a frame can carry: `room` is MACPayload octets of the roomiest window, at data rate `dr`.

    `answers` are octets of MAC commands that must go first.
    """

    room: int
    dr: int
    answers: int = 0


class Chosen(msgspec.Struct, frozen=True, gc=False):
    """What goes into a frame: `item` was taken out of the queue, `closed` are those that left it for good.

    `more` says that further items could go at once, which is what FPending tells the device.
    """

    item: DownlinkItem | None
    closed: tuple[DownlinkItem, ...]
    more: bool


# --- users' verbs


def insert(waiting: deque[DownlinkItem], item: DownlinkItem) -> None:
    """Put an item in its place: new ones behind their priority, returning ones where they were."""
    place = _place(item)
    for index, other in enumerate(waiting):
        if place < _place(other):
            waiting.insert(index, item)
            return
    waiting.append(item)


def _place(item: DownlinkItem) -> tuple[int, int]:
    return -item.priority, item.position


def next_position(waiting: Iterable[DownlinkItem] | None, outstanding: DownlinkItem | None) -> int:
    """The position of a new item, behind everything that waits or may come back."""
    known = [item.position for item in waiting or ()]
    if outstanding is not None:
        known.append(outstanding.position)
    return max(known, default=0) + 1


def find(queue: Iterable[DownlinkItem] | None, item_id: str) -> DownlinkItem | None:
    """The waiting item with this id."""
    return next((item for item in queue or () if item.id == item_id), None)


def replace(waiting: deque[DownlinkItem], new: DownlinkItem) -> DownlinkItem | None:
    """Let `new` take the place of the waiting item with the same id; None when that does not wait (any more).

    It keeps the time and order in which the id was queued, and has all attempts before it again.
    """
    old = find(waiting, new.id)
    if old is None:
        return None
    waiting.remove(old)
    kept = msgspec.structs.replace(new, enqueued_at_us=old.enqueued_at_us, position=old.position)
    insert(waiting, kept)
    return kept


def delete(waiting: deque[DownlinkItem], item_id: str) -> DownlinkItem | None:
    """Take one item out, returned in state deleted; None when it does not wait (any more)."""
    item = find(waiting, item_id)
    if item is None:
        return None
    waiting.remove(item)
    return item.after(Step.DELETED, "deleted by a user")


def flush(waiting: deque[DownlinkItem]) -> list[DownlinkItem]:
    """Take all items out, returned in state deleted."""
    items = [item.after(Step.DELETED, "flushed by a user") for item in waiting]
    waiting.clear()
    return items


def recall(outstanding: DownlinkItem) -> DownlinkItem:
    """Give up an item that was sent already: it is not sent again, but the device may have received it."""
    return outstanding.after(
        Step.DELETED, f"deleted by a user after it was sent with fcnt_down {outstanding.fcnt_down}"
    )


# --- the network's verbs


def expire(queue: deque[DownlinkItem], now_us: int) -> list[DownlinkItem]:
    """Take the items out of `queue` whose time has passed; returned in state expired."""
    gone = [item for item in queue if item.expires_at_us is not None and item.expires_at_us <= now_us]
    for item in gone:
        queue.remove(item)
    return [item.after(Step.EXPIRED, "expired before a receive window opened") for item in gone]


def choose(waiting: deque[DownlinkItem], outstanding: DownlinkItem | None, offer: Offer, now_us: int) -> Chosen:
    """Take the item that goes into the next frame out of `waiting`, and those that cannot go at all.

    `now_us` is when that frame will be on the air, which for a timed item is later than when it is decided.
    """
    closed: list[DownlinkItem] = expire(waiting, now_us)
    most = offer.room - FHDR_OCTETS - FPORT_OCTETS
    item = first_due(waiting, now_us)
    while item is not None and len(item.payload) > most:
        waiting.remove(item)
        text = f"payload is {len(item.payload)} octets, {max(most, 0)} fit at dr {offer.dr}"
        closed.append(item.after(Step.TOO_LONG, text))
        item = first_due(waiting, now_us)
    if item is None:
        return Chosen(None, tuple(closed), False)
    left = most - offer.answers
    # LoRaWAN 1.0.x: more than 15 octets of MAC commands need FPort 0, so no application data goes with them
    crowded_out = offer.answers > MAX_FOPTS_OCTETS or len(item.payload) > left
    if crowded_out or (item.confirmed and outstanding is not None):
        return Chosen(None, tuple(closed), True)
    waiting.remove(item)
    return Chosen(item, tuple(closed), first_due(waiting, now_us) is not None)


def first_due(waiting: Iterable[DownlinkItem], now_us: int) -> DownlinkItem | None:
    """The item that is next in a frame at `now_us`, if it can go at all."""
    for item in waiting:
        if item.at_us is None or item.at_us <= now_us:
            return item
    return None


def due_at_us(waiting: Iterable[DownlinkItem], now_us: int) -> int | None:
    """When the first item can go: `now_us`, a later time that items wait for, or None."""
    return min((max(now_us, item.at_us or 0) for item in waiting), default=None)


def taken(item: DownlinkItem, fcnt_down: int) -> DownlinkItem:
    """A frame with `fcnt_down` carries the item."""
    sent = item.after(Step.TAKEN)
    return msgspec.structs.replace(sent, fcnt_down=fcnt_down, attempts=item.attempts + 1)


def returned(item: DownlinkItem, reason: str) -> DownlinkItem:
    """No gateway could send the frame: it was not on the air, so the attempt does not count."""
    queued = item.after(Step.RETURNED, reason)
    return msgspec.structs.replace(queued, attempts=item.attempts - 1)


def acknowledged(item: DownlinkItem) -> DownlinkItem:
    """The device has received the item."""
    return item.after(Step.ACKNOWLEDGED)


def unacknowledged(item: DownlinkItem, attempts: int, why: str) -> DownlinkItem:
    """The outstanding item was not acknowledged: queued again, or nacked after so many `attempts`."""
    if item.attempts < attempts:
        return item.after(Step.REPEATED, f"{why}: attempt {item.attempts} of {attempts}")
    return item.after(Step.GIVEN_UP, f"{why}: attempt {item.attempts} of {attempts}")
