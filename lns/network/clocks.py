"""The network's two clocks in one value: it reads no other one, so a test can pass time by hand."""

import time
from collections.abc import Callable

import msgspec

from lns.mac.slots import Clock


def _utc_us() -> int:
    return time.time_ns() // 1000


class Clocks(msgspec.Struct, frozen=True):
    """`monotonic` gives seconds that only go on, `utc_us` UTC in microseconds; the event loop's timers keep step."""

    monotonic: Callable[[], float] = time.monotonic
    utc_us: Callable[[], int] = _utc_us

    def read(self) -> Clock:
        """Both at once."""
        return Clock(self.monotonic(), self.utc_us())


SYSTEM = Clocks()
