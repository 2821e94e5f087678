"""Live traffic goes first: work on history waits while consumers of the log are behind."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from lns.decoding.worklist import WAIT_S
from lns.exchange.sqlite import SqliteExchange

LAG = 5000  # records that a consumer may be behind
PATIENCE_S = 5.0  # one that does not move for so long is away, and not slowed by anything here


class Waiting(Protocol):
    """A job, of backfills or of replays to outlets: it waits while its state is running, and `error` says for what."""

    error: str | None

    @property
    def state(self) -> str: ...


class LiveFirst:
    """Watches the consumers that `live` names. A job that waits is told why, and waits as long as it is in work."""

    def __init__(self, exchange: SqliteExchange, live: Callable[[], Sequence[str]]) -> None:
        self._exchange, self._live = exchange, live
        self._away: dict[str, int] = {}

    async def make_way(self, job: Waiting) -> None:
        """Wait until nobody is behind who moves."""
        seen: dict[str, tuple[int, float]] = {}
        while job.state == "running":
            name = next((name for name in self._live() if self._moves(name, seen)), None)
            if name is None:
                return
            await self._wait(job, name)

    async def passed(self, name: str, seq: int, job: Waiting) -> None:
        """Wait until a consumer has read up to a seq. One that does not run has."""
        while job.state == "running" and self._position(name) < seq:
            await self._wait(job, name)

    async def _wait(self, job: Waiting, name: str) -> None:
        job.error = f"{name} goes first, it is {self._exchange.lag(name)} records behind"
        await asyncio.sleep(WAIT_S)

    def _position(self, name: str) -> int:
        return self._exchange.head_seq - self._exchange.lag(name)

    def _moves(self, name: str, seen: dict[str, tuple[int, float]]) -> bool:
        """Whether it is behind and moves, as far as this can be told by now."""
        if self._exchange.lag(name) <= LAG:
            self._away.pop(name, None)
            return False
        position, now = self._position(name), time.monotonic()
        if self._away.get(name) == position:
            return False
        since = seen.get(name)
        if since is None or since[0] != position:
            seen[name] = (position, now)
        elif now - since[1] > PATIENCE_S:
            self._away[name] = position
            return False
        return True
