"""How the time axis is cut into partitions. Pure.

From `daily_from_us` on each is `width_us` wide; before that, one a calendar year. A device with a wrong clock may name
any day since 2000: each a partition of its own would be nine thousand of them, which every plan has to look through.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from lns.clock import DAY_US

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_US = -62_135_596_800_000_000  # the years 1 to 9999, all that datetime knows
_LAST_US = 253_402_300_799_999_999


def instant(time_us: int) -> datetime:
    """UTC microseconds as a parameter; what lies outside the years 1 to 9999 becomes their end."""
    return _EPOCH + timedelta(microseconds=min(max(time_us, _FIRST_US), _LAST_US))


class Grid(msgspec.Struct, frozen=True):
    """Chunks of `width_us`, aligned to 1970; years before `daily_from_us`, which is aligned too."""

    width_us: int
    daily_from_us: int = _FIRST_US // DAY_US * DAY_US

    def chunk(self, time_us: int) -> tuple[int, int]:
        """Start and end of the chunk that holds a time."""
        if time_us >= self.daily_from_us:
            start_us = time_us // self.width_us * self.width_us
            return start_us, start_us + self.width_us
        year = instant(time_us).year
        return _year_us(year), min(_year_us(year + 1), self.daily_from_us)


def _year_us(year: int) -> int:
    return (datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
