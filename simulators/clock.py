"""The time of a simulation: UTC in microseconds that never goes back, and never gives the same instant twice."""

import time


class Clock:
    """Starts at the system's UTC and goes on by its monotonic clock."""

    def __init__(self) -> None:
        self._offset_us = time.time_ns() // 1000 - time.monotonic_ns() // 1000
        self._last_us = 0

    def now_us(self) -> int:
        return self._offset_us + time.monotonic_ns() // 1000

    def unique_us(self) -> int:
        """Now, or the next microsecond that was not given out yet: it identifies a transmission."""
        self._last_us = max(self._last_us + 1, self._offset_us + time.monotonic_ns() // 1000)
        return self._last_us
