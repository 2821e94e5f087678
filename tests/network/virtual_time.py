"""An event loop that never waits: when nothing is left to do, it is the time of the next timer.

Work in threads (the disk) takes no time: while any is under way the clock stands still.
"""

import asyncio
import selectors
from typing import Any

from lns.network.clocks import Clocks

START_S = 1000.0
MOST_TURNS = 20_000
"""Turns of the loop at one instant: whoever needs more never ends."""
START_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z, when the loop's clock shows START_S


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`asyncio.sleep(86_400)` takes no longer than what happens in that day."""

    def __init__(self) -> None:
        self._now_s = START_S
        self._threads = 0
        self._turns = 0
        super().__init__(_Leaping(self))
        self._clock_resolution = 1e-6  # a float has no nanoseconds after a year

    def time(self) -> float:
        return self._now_s

    def idle(self, seconds: float) -> None:
        """There is nothing to do for so long."""
        self._now_s += seconds
        self._turns = 0

    def turn(self) -> None:
        """There is something to do at this instant."""
        self._turns += 1
        if self._turns > MOST_TURNS:
            raise RuntimeError(f"time stands still: {MOST_TURNS} turns of the loop at {self._now_s} s")

    @property
    def in_threads(self) -> bool:
        """Whether somebody works in a thread, who will wake the loop when it is done."""
        return self._threads > 0

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        self._threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_done)
        return future

    async def shutdown_default_executor(self, *args: Any) -> None:
        self._threads += 1
        await super().shutdown_default_executor(*args)
        self._threads -= 1

    def _thread_done(self, _: Any) -> None:
        self._threads -= 1


class _Leaping(selectors.DefaultSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        self._loop.turn()
        if self._loop.in_threads:
            return super().select(0 if timeout == 0 else None)
        if not timeout or timeout < 0:
            return super().select(timeout)
        events = super().select(0)
        if not events:
            self._loop.idle(timeout)
        return events


def clocks(loop: asyncio.AbstractEventLoop) -> Clocks:
    """The network's clocks in step with a loop's."""
    return Clocks(loop.time, lambda: START_US + round((loop.time() - START_S) * 1e6))
