"""The clock of stored instants, and a day of them."""

import time

DAY_US = 86_400_000_000


def now_us() -> int:
    """UTC in microseconds."""
    return time.time_ns() // 1000
