"""The delivery log for the event loop: one thread that writes, so that neither radio nor any outlet waits for it.

What people search for is read by a thread of its own: however long that takes, deliveries go on.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from lns.clock import DAY_US
from lns.delivery.eviction_log import EvictionLog
from lns.delivery.evictions import Evicted
from lns.delivery.fresh import Fresh
from lns.delivery.gathered import Gathered
from lns.delivery.lanes import Item
from lns.delivery.machine import State, Step
from lns.delivery.outcome import Outgoing
from lns.delivery.rows import Added, Attempt, Attempted, Bounds, Claimed, Delivery, Noted, OutletRow, Query, Unsent
from lns.delivery.table import Table
from lns.errors import StoreError, sqlite_sentence

CHANGED_AT_ONCE = 500  # rows in a transaction: what a person asks for lets deliveries through in between

_T = TypeVar("_T")


class Kept(msgspec.Struct, frozen=True):
    """How long and how many of what has ended are kept; whichever limit is reached first."""

    success_days: float = 3.0
    failure_days: float = 30.0
    success_most: int = Bounds().rows
    failure_most: int = Bounds().rows


class Deliveries:
    """The store on the file `path`; None keeps everything in memory. Methods raise StoreError.

    `most_bytes` is the most that is kept of what has ended, at any time.
    """

    def __init__(self, path: Path | None, most_bytes: int = Bounds().bytes) -> None:
        self._path, self._most_bytes = path, most_bytes
        self._thread = ThreadPoolExecutor(1, "deliveries")
        self._reader = ThreadPoolExecutor(1, "deliveries-reader") if path is not None else self._thread
        self._table: Table | None = None
        self._reads: Table | None = None
        self._fresh = Fresh()
        self._evictions = EvictionLog()
        self._enqueue = Gathered[Added, list[Item]](
            self._thread, lambda added: self._open.enqueue_all(added), lambda one: len(one.messages)
        )
        self._claim = Gathered[Sequence[int], list[Claimed]](
            self._thread, lambda asked: self._open.claim_all(asked), len
        )
        self._settle = Gathered[Sequence[Attempted], None](
            self._thread, lambda asked: self._open.settle_all(asked), len
        )

    async def open(self) -> None:
        loop = asyncio.get_running_loop()

        def told(gone: Evicted) -> None:
            loop.call_soon_threadsafe(self._evictions.add, gone)

        self._table = await self._call(Table, self._path, self._most_bytes, told)
        self._reads = await self._call(Table, self._path, self._most_bytes) if self._path is not None else self._table

    async def close(self) -> None:
        if self._reads is not None and self._reads is not self._table:
            await self._read(self._reads.close)
        if self._table is not None:
            await self._call(self._table.close)
        self._evictions.close()
        self._reader.shutdown()
        self._thread.shutdown()

    async def outlet(self, outlet: str) -> OutletRow:
        return await self._call(self._open.outlet, outlet)

    async def note_outlet(self, outlet: str, row: OutletRow) -> None:
        await self._call(self._open.note_outlet, outlet, row)

    async def enqueue(
        self, outlet: str, messages: Sequence[Outgoing], seq: int | None, now_us: int, again: bool = False
    ) -> list[Item]:
        changes = self._fresh.changes
        items = await self._answered(self._enqueue(Added(outlet, messages, seq, now_us, again)))
        all_new = not again and len(items) == len(messages)
        if all_new and self._fresh.changes == changes:  # else some may have been dropped by now
            self._fresh.add(outlet, items, messages)
        return items

    async def set_aside(self, outlet: str, unsent: Sequence[Unsent], now_us: int) -> list[tuple[int, Unsent]]:
        return await self._call(self._open.set_aside, outlet, unsent, now_us)

    async def open_items(self, outlet: str) -> list[Item]:
        return await self._call(self._open.open_items, outlet)

    async def claim(self, ids: Sequence[int]) -> list[Claimed]:
        """What these carry, in their order; those that are no longer to be sent are left out."""
        claimed = {one.id: one for one in self._fresh.take(ids)}
        if missing := [id_ for id_ in ids if id_ not in claimed]:
            claimed |= {one.id: one for one in await self._answered(self._claim(missing))}
        return [claimed[id_] for id_ in ids if id_ in claimed]

    async def settle(self, attempted: Sequence[Attempted]) -> None:
        await self._answered(self._settle(attempted))

    async def resend(self, outlet: str, messages: Sequence[Outgoing], now_us: int, noted: Noted) -> list[Item]:
        return await self._call(self._open.resend, outlet, messages, now_us, noted)

    async def note_replay(self, noted: Noted) -> None:
        await self._call(self._open.note_replay, noted)

    async def replays(self) -> list[bytes]:
        return await self._call(self._open.replays)

    async def begin(self, outlet: str, seq: int) -> None:
        await self._call(self._open.begin, outlet, seq)

    async def outlets(self) -> list[str]:
        return await self._call(self._open.outlets)

    async def search(self, query: Query, limit: int = 100, before_id: int | None = None) -> list[Delivery]:
        return await self._read(self._searched.search, query, limit, before_id)

    async def attempts(self, id_: int) -> list[Attempt]:
        return await self._read(self._searched.attempts, id_)

    async def count(self, query: Query) -> dict[str, int]:
        return await self._read(self._searched.count, query)

    async def possible(self, query: Query, step: Step) -> int:
        """How many a retry or drop would touch."""
        return await self._read(self._searched.possible, query, step)

    async def dead(self) -> dict[str, int]:
        return await self._read(self._searched.dead)

    async def evicted(self) -> dict[str, int]:
        return await self._read(self._searched.evicted)

    async def ended_bytes(self) -> int:
        return await self._read(self._searched.ended_bytes)

    async def replay(self, query: Query, now_us: int, after_id: int = 0) -> list[tuple[str, Item]]:
        """Open at most 500 past an id once more; none when none is left that matches."""
        while ids := await self._matching(query, Step.REPLAY, after_id):
            if changed := await self._call(self._open.replay, Query(ids=ids), now_us, CHANGED_AT_ONCE):
                return changed
            after_id = ids[-1]
        return []

    async def drop(self, query: Query, now_us: int) -> list[tuple[str, int]]:
        """Give at most 500 up; none when none is left that matches."""
        after_id = 0
        while ids := await self._matching(query, Step.DROP, after_id):
            self._fresh.forget(ids)
            if changed := await self._call(self._open.drop, Query(ids=ids), now_us, CHANGED_AT_ONCE):
                return changed
            after_id = ids[-1]
        return []

    async def _matching(self, query: Query, step: Step, after_id: int) -> tuple[int, ...]:
        """Found by the reader, so that a search through a long log holds nobody up."""
        return tuple(await self._read(self._searched.matching, query, step, CHANGED_AT_ONCE, after_id))

    async def supersede(self, ids: Sequence[int], now_us: int) -> None:
        self._fresh.forget(ids)
        await self._call(self._open.supersede, ids, now_us)

    async def wake(self, outlet: str, now_us: int) -> None:
        await self._call(self._open.wake, outlet, now_us)

    async def forget(self, outlet: str) -> None:
        self._fresh.forget_outlet(outlet)
        await self._call(self._open.forget, outlet)

    async def expire(self, kept: Kept, now_us: int) -> int:
        """Delete what is past its time or its number, in small steps; returns how many rows went."""
        plans = (
            (State.DELIVERED, kept.success_days, kept.success_most),
            (State.DEAD, kept.failure_days, kept.failure_most),
            (State.DROPPED, kept.failure_days, kept.failure_most),
        )
        gone = 0
        for state, days, most in plans:
            before_us = now_us - round(days * DAY_US)
            while count := await self._call(self._open.expire, state, before_us, CHANGED_AT_ONCE):
                gone += count
            over = await self._call(self._open.ended, state) - most
            while count := await self._call(self._open.evict, state, min(over, CHANGED_AT_ONCE)):
                gone += count
                over -= count
        while count := await self._call(self._open.shrink):
            gone += count
        await self._call(self._open.forget_evicted, now_us - round(kept.failure_days * DAY_US))
        return gone

    @property
    def _open(self) -> Table:
        if self._table is None:
            raise StoreError("the delivery log is not open")
        return self._table

    @property
    def _searched(self) -> Table:
        if self._reads is None:
            raise StoreError("the delivery log is not open")
        return self._reads

    async def _call(self, call: Callable[..., _T], *args: Any) -> _T:
        return await self._in(self._thread, call, *args)

    async def _read(self, call: Callable[..., _T], *args: Any) -> _T:
        return await self._in(self._reader, call, *args)

    async def _in(self, thread: ThreadPoolExecutor, call: Callable[..., _T], *args: Any) -> _T:
        return await self._answered(asyncio.get_running_loop().run_in_executor(thread, call, *args))

    async def _answered(self, answer: Awaitable[_T]) -> _T:
        try:
            return await answer
        except sqlite3.Error as error:
            raise StoreError(sqlite_sentence(self._path, error)) from error
