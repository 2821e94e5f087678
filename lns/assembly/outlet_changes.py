"""Outlets between two definitions: what could not be begun or forgotten is tried again until it is.

The registry has the new definition by then, so nobody can be told that nothing has happened.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec

from lns.assembly.running_outlet import REST_S
from lns.errors import StoreError
from lns.registry.rows import StoredOutlet

_logger = logging.getLogger(__name__)

FIRST_RETRY_S = 0.2
LAST_RETRY_S = 30.0


class Changing(msgspec.Struct):
    """One of them. `open` is what it had to send when its change began, `failed` that it is to be tried again."""

    stored: StoredOutlet
    since_s: float
    open: int
    error: str = ""
    failed: bool = False


class Changes:
    """`renew` puts an outlet in the place of what runs under its key, `forget` drops what is kept of a removed one.

    Both may raise StoreError and are done again from their beginning then. What is done to one outlet has its `turn`.
    """

    def __init__(
        self,
        renew: Callable[[StoredOutlet], Awaitable[None]],
        forget: Callable[[str], Awaitable[None]],
        turn: Callable[[StoredOutlet], AbstractAsyncContextManager[None]],
    ) -> None:
        self._renew, self._forget, self._turn = renew, forget, turn
        self._changing: dict[str, Changing] = {}
        self._leaving: dict[str, None] = {}
        self._failed = asyncio.Event()

    def __contains__(self, key: str) -> bool:
        return key in self._changing

    def all(self) -> list[Changing]:
        return list(self._changing.values())

    def note(self, stored: StoredOutlet) -> None:
        """It was paused or resumed meanwhile."""
        if (one := self._changing.get(stored.key)) is not None:
            one.stored = stored

    async def renew(self, stored: StoredOutlet, open_: int) -> None:
        """Let it run as it is stored now, or as soon as that can be; call in its turn."""
        one = self._changing.setdefault(stored.key, Changing(stored, asyncio.get_running_loop().time(), open_))
        one.stored, one.failed = stored, False
        try:
            await self._renew(stored)
            del self._changing[stored.key]
        except StoreError as error:
            level = logging.DEBUG if one.error else logging.WARNING
            _logger.log(level, "outlet %s cannot be begun, trying again: %s", stored.key, error)
            one.error = str(error)
        finally:  # however it has ended
            if self._changing.get(stored.key) is one:
                one.failed = True
                self._failed.set()

    async def forget(self, key: str) -> None:
        """It was removed: drop what is kept of it, now or as soon as that can be."""
        self._changing.pop(key, None)
        self._leaving[key] = None
        try:
            await self._forget(key)
            del self._leaving[key]
        except StoreError as error:
            _logger.warning("what outlet %s had cannot be dropped, trying again: %s", key, error)
            self._failed.set()

    async def run(self) -> None:
        """Try again, for ever; the wait doubles while something fails."""
        while True:
            await self._failed.wait()
            self._failed.clear()
            delay_s = FIRST_RETRY_S
            while self._leaving or any(one.failed for one in self.all()):
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, LAST_RETRY_S)
                await self._again()

    async def _again(self) -> None:
        for key in tuple(self._leaving):
            await self.forget(key)
        for one in self.all():
            if not one.failed:
                continue
            async with self._turn(one.stored):
                if self._changing.get(one.stored.key) is one:
                    try:
                        await self.renew(one.stored, one.open)
                    except Exception as error:  # one outlet's trouble must not end the server
                        _logger.exception("outlet %s failed in an unexpected way, trying again", one.stored.key)
                        one.error = f"{type(error).__name__}: {error}"[:500]

    def status(self, key: str, lag: int) -> dict[str, Any] | None:
        """How it is, JSON-ready; None: it is not being changed."""
        one = self._changing.get(key)
        if one is None:
            return None
        return {"state": "changing", "open": one.open, "lag": lag, "last_error": one.error}

    def alerts(self, now_s: float) -> Iterator[tuple[StoredOutlet, str, str]]:
        """Those that take longer than what was under way may."""
        for one in self.all():
            if now_s - one.since_s > REST_S:
                why = one.error or "what is under way has not ended"
                yield one.stored, "changing", f"it was to begin {now_s - one.since_s:.0f} s ago and cannot: {why}"
