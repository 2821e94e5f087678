"""The registry's one clock."""

import time


def now_us() -> int:
    """UTC in microseconds."""
    return time.time_ns() // 1000
