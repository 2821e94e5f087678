"""The two threads of the log: one that writes its file, one that reads it."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, TypeVarTuple, Unpack

import msgspec

from lns.clock import now_us
from lns.exchange import log
from lns.exchange.log import Segment, Write

_logger = logging.getLogger(__name__)

STEP_BACK_US = 1_000_000  # a clock that is set by less is not worth a word

_A = TypeVarTuple("_A")
_T = TypeVar("_T")


class Sealed(msgspec.Struct, frozen=True):
    """One commit: the head after it, what it writes, and who waits for it."""

    head_seq: int
    segments: list[Segment]
    moved: dict[str, int]
    writes: list[Write]
    waiting: list[asyncio.Future[int]]

    @property
    def records(self) -> int:
        return sum(len(segment.stored) for segment in self.segments)


class Writing:
    """The thread that writes; `lock` is shared with every other writer of the same file. sqlite3.Error."""

    def __init__(self, path: Path, lock: threading.Lock) -> None:
        self._path, self._lock = path, lock
        self._thread = ThreadPoolExecutor(1, "exchange-writer")
        self._at_us = 0  # of the newest commit
        self._clock_behind = False

    async def open(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._open)

    async def call(self, function: Callable[[sqlite3.Connection, Unpack[_A]], _T], *args: *_A) -> _T:
        """Call with the connection, while nobody else writes."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._locked, function, args)

    async def commit(self, sealed: Sealed) -> None:
        """All of it or nothing."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, sealed)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()

    def _open(self) -> None:
        self._connection = log.connect(self._path)
        with self._lock:
            log.create(self._connection)
        self._at_us = log.last_commit_us(self._connection)

    def _locked(self, function: Callable[..., _T], args: tuple[object, ...]) -> _T:
        with self._lock:
            return function(self._connection, *args)

    def _commit(self, sealed: Sealed) -> None:
        now = now_us()
        behind = now < self._at_us - STEP_BACK_US
        if behind and not self._clock_behind:
            _logger.warning("the clock was set back by %.1f s", (self._at_us - now) / 1e6)
        self._clock_behind = behind
        at_us = max(now, self._at_us)  # the search by time needs times that never fall
        with self._lock:
            log.commit(self._connection, sealed.segments, sealed.moved, sealed.writes, at_us)
        self._at_us = at_us


class Reading:
    """The thread that reads. sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "exchange-reader")

    def open(self) -> None:
        self._connection = log.connect(self._path)
        self._connection.execute("PRAGMA query_only=1")

    async def call(self, function: Callable[[sqlite3.Connection, Unpack[_A]], _T], *args: *_A) -> _T:
        """Call with the connection."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, self._connection, *args)

    def close(self) -> None:
        self._connection.close()
        self._thread.shutdown()
