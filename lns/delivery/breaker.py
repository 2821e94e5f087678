"""Keeps an outlet from knocking at a dead door: waiting for a breaker costs a delivery no attempt. Pure.

closed -> open (nothing leaves until a time) -> half open (one probe) -> closed or open, for twice as long.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Annotated

import msgspec
from msgspec import Meta


class Door(Enum):
    """The state of a breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Knock(Enum):
    """What moves it."""

    TRIP = "trip"
    PROBE = "probe"
    SUCCEED = "succeed"
    FAIL = "fail"


TABLE: Mapping[Door, Mapping[Knock, Door]] = {
    Door.CLOSED: {Knock.TRIP: Door.OPEN},
    Door.OPEN: {Knock.PROBE: Door.HALF_OPEN, Knock.SUCCEED: Door.CLOSED},
    Door.HALF_OPEN: {Knock.SUCCEED: Door.CLOSED, Knock.FAIL: Door.OPEN},
}


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Trips after `row` failures in a row, or when `share` of at least `least` attempts in a window failed.

    A `share` above 1 leaves it to `row`.
    """

    row: Annotated[int, Meta(ge=1, le=1_000_000)] = 10
    window_s: Annotated[float, Meta(gt=0, le=86_400)] = 30.0
    least: Annotated[int, Meta(ge=1, le=1_000_000)] = 10
    share: Annotated[float, Meta(gt=0, le=2)] = 0.7
    open_s: Annotated[float, Meta(gt=0, le=86_400)] = 30.0
    open_most_s: Annotated[float, Meta(gt=0, le=86_400)] = 900.0


class Breaker:
    """One outlet's breaker; `open_until_us` is from before a restart, 0 where it was closed."""

    def __init__(self, limits: Limits, open_until_us: int = 0) -> None:
        self._limits = limits
        self.door = Door.OPEN if open_until_us else Door.CLOSED
        self.until_us = open_until_us
        self._held_us = 0
        self._times_open = 1 if open_until_us else 0
        self._row = 0
        self._window_us, self._tried, self._failed = 0, 0, 0

    def deadline_us(self) -> int:
        """When something may leave again; in the past where it may now."""
        return max(self._held_us, self.until_us if self.door is Door.OPEN else 0)

    def room(self, now_us: int, in_flight: int) -> int | None:
        """How many more may be under way at once: None sets no limit."""
        if now_us < self.deadline_us():
            return 0
        if self.door is Door.OPEN:
            self._move(Knock.PROBE)
        if self.door is Door.HALF_OPEN:
            return max(0, 1 - in_flight)
        return None

    def hold(self, until_us: int) -> None:
        """The destination asked for a pause."""
        self._held_us = max(self._held_us, until_us)

    def knock(self, now_us: int) -> None:
        """A person wants it tried: an open breaker lets its probe go now."""
        if self.door is Door.OPEN:
            self.until_us = min(self.until_us, now_us)

    def succeed(self, now_us: int) -> bool:
        """The destination has answered; True when that closes the breaker."""
        self._count(now_us, failed=0)
        self._row = 0
        if self.door is Door.CLOSED:
            return False
        self._move(Knock.SUCCEED)
        self._times_open, self.until_us = 0, 0
        self._window_us, self._tried, self._failed = now_us, 0, 0
        return True

    def fail(self, now_us: int) -> bool:
        """The destination was in trouble; True when that opens the breaker."""
        self._count(now_us, failed=1)
        self._row += 1
        if self.door is Door.OPEN:  # sent before it opened
            return False
        limits = self._limits
        often = self._tried >= limits.least and self._failed >= limits.share * self._tried
        if self.door is Door.CLOSED and self._row < limits.row and not often:
            return False
        self._move(Knock.TRIP if self.door is Door.CLOSED else Knock.FAIL)
        open_s = min(limits.open_s * 2.0 ** min(self._times_open, 30), limits.open_most_s)
        self.until_us = now_us + round(open_s * 1e6)
        self._times_open += 1
        return True

    def _count(self, now_us: int, failed: int) -> None:
        if now_us - self._window_us >= self._limits.window_s * 1e6:
            self._window_us, self._tried, self._failed = now_us, 0, 0
        self._tried += 1
        self._failed += failed

    def _move(self, knock: Knock) -> None:
        self.door = TABLE[self.door][knock]
