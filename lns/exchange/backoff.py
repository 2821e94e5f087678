"""The pauses between tries of what fails and is tried until it goes through."""

import asyncio

FIRST_S = 0.2
LAST_S = 30.0


class Backoff:
    """Pauses that double from the first to the last, in seconds; `reset` where a try went through."""

    def __init__(self, first_s: float = FIRST_S, last_s: float = LAST_S) -> None:
        self._first_s, self._last_s, self._next_s = first_s, last_s, first_s

    def next(self) -> float:
        """How long to wait now."""
        now_s, self._next_s = self._next_s, min(self._next_s * 2, self._last_s)
        return now_s

    def reset(self) -> None:
        self._next_s = self._first_s

    async def wait(self) -> None:
        """Wait that long."""
        await asyncio.sleep(self.next())
