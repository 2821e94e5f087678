"""Many readers, or one change: how those who read see all of a batch that overwrites rows, or nothing of it.

The engine gives this only within a transaction, which a server that is no replica set does not have. Rows that are new
need no turn.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Belongs to one event loop. A change waits for the reads that run, and new reads wait for the change."""

    def __init__(self) -> None:
        self._readers = 0
        self._quiet = asyncio.Event()  # the last reader has gone
        self._changed: asyncio.Event | None = None  # of the change that runs or waits

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """A read, beside any number of others."""
        while self._changed is not None:
            await self._changed.wait()
        self._readers += 1
        try:
            yield
        finally:
            self._readers -= 1
            if not self._readers:
                self._quiet.set()

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        """A change, alone. One at a time: the caller sees to it."""
        changed = self._changed = asyncio.Event()
        try:
            while self._readers:
                self._quiet.clear()
                await self._quiet.wait()
            yield
        finally:
            self._changed = None
            changed.set()
