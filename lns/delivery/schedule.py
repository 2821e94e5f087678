"""When to try again: growing waits with full jitter, Retry-After, and a rate. Pure."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from math import floor
from typing import Annotated

import msgspec
from msgspec import Meta

WAITS_S = (5.0, 30.0, 120.0, 600.0, 1800.0, 7200.0, 21_600.0, 43_200.0, 86_400.0)
RETRY_AFTER_CAP_S = 3600.0


class Schedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Longest waits after each failed attempt, in s; one attempt more than waits. `refusals`: tries of a refused one.

    The deadline counts from a delivery's first attempt since it was opened or replayed.
    """

    waits_s: tuple[Annotated[float, Meta(ge=0, le=604_800)], ...] = WAITS_S
    refusals: Annotated[int, Meta(ge=1, le=100)] = 3
    deadline_s: Annotated[float, Meta(gt=0, le=2_592_000)] = 259_200.0
    retry_after_cap_s: Annotated[float, Meta(ge=0, le=86_400)] = RETRY_AFTER_CAP_S


def next_wait_s(schedule: Schedule, attempts: int, chance: float, retry_after_s: float | None = None) -> float | None:
    """Seconds until the next attempt after `attempts` of them; None when there is none left.

    Full jitter (any wait up to the longest is as likely): deliveries that failed together do not come back together.
    """
    if attempts > len(schedule.waits_s):
        return None
    wait_s = chance * schedule.waits_s[attempts - 1]
    return max(wait_s, min(retry_after_s or 0.0, schedule.retry_after_cap_s))


def retry_after_s(text: str, now_us: int) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3: seconds or a date); None where it is neither."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return float(text)
    try:
        date = parsedate_to_datetime(text)
        at_s = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, at_s - now_us / 1e6)


class Pace:
    """Spaces deliveries evenly at `per_s`, after a burst of one second's worth; 0 sets no limit."""

    def __init__(self, per_s: float) -> None:
        self._gap_us = 1e6 / per_s if per_s else 0.0
        self._burst_us = max(1e6 - self._gap_us, 0.0)
        self._full_us = 0.0

    def room(self, now_us: int) -> int:
        """How many may leave now."""
        if not self._gap_us:
            return 1_000_000_000
        return max(0, floor((now_us + self._burst_us - max(self._full_us, now_us)) / self._gap_us) + 1)

    def take(self, count: int, now_us: int) -> None:
        """`count` leave now."""
        self._full_us = max(self._full_us, now_us) + count * self._gap_us

    def deadline_us(self) -> int:
        """When the next may leave."""
        return int(self._full_us - self._burst_us) if self._gap_us else 0
