"""The time-series store on SQLite: one file, one writing thread, reads beside it on connections of their own.

Checkpoints run in the writing thread, and roll-ups where it has nothing to write; neither they nor any statement hold
up the event loop.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from lns.clock import now_us
from lns.errors import StoreError, sqlite_sentence
from lns.series import migrating, reads, rolled
from lns.series.idle import IdleExecutor
from lns.series.store import Bucket, Caps, FieldInfo, Key, Point, Removal, Rows, SetAside, WriteResult
from lns.series.writer import Writer

_logger = logging.getLogger(__name__)

_NOT_OPEN = "the time-series store is not open"
_READERS = 2
_BUSY_TIMEOUT_S = 5.0
_EXPIRE_ROWS = 2000  # deleted in one transaction, about 10 ms

_T = TypeVar("_T")


class SqliteSeries:
    """`SeriesStore` on the file `path`; None keeps everything in memory. `clock` gives UTC microseconds."""

    name = "sqlite"
    caps = Caps(time_resolution_us=1, transactional_cursor=True, conditional_upsert=True)

    def __init__(self, path: Path | None, clock: Callable[[], int] = now_us) -> None:
        self._path = path
        self._clock = clock
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._writer: Writer | None = None
        self._make_threads()

    async def open(self) -> None:
        try:
            await self._in(self._writing, self._connect)
        except StoreError:
            await self.close()
            raise

    async def setup_sql(self) -> str:
        return await self._in(self._writing, migrating.missing, self._path)

    async def close(self) -> None:
        await self._in(self._writing, self._disconnect)
        self._writing.shutdown()
        self._make_threads()

    async def write(self, rows: Rows, cursor: int | None, removals: Sequence[Removal] = ()) -> WriteResult:
        return await self._in(self._writing, self._open_writer.write, rows, cursor, self._clock(), removals)

    async def cursor(self) -> int:
        return await self._read(reads.position)

    async def log(self) -> str:
        return await self._read(reads.followed)

    async def follow(self, log_id: str) -> None:
        await self._in(self._writing, self._open_writer.follow, log_id)

    async def expire(self, before_us: int) -> int:
        dropped, after, more = 0, (0, 0, 0), True
        while more:
            old, more = await self._read(reads.expired, before_us, _EXPIRE_ROWS, after)
            if old:
                dropped += await self._in(self._writing, self._open_writer.delete, old, self._clock())
                after = old[-1]
        await self._in(self._writing, self._open_writer.forget, before_us)
        return dropped

    async def rejected(self, limit: int, after_id: int = 0, state: str = "open") -> list[SetAside]:
        return await self._read(reads.rejected, limit, after_id, state)

    async def retry(self, ids: Sequence[int]) -> WriteResult:
        return await self._in(self._writing, self._open_writer.retry, ids, self._clock())

    async def fields(self, device_id: int) -> list[str]:
        return await self._read(reads.fields, device_id)

    async def latest(self, device_id: int) -> list[FieldInfo]:
        return await self._read(reads.latest, device_id)

    async def range(self, device_id: int, field: str, from_us: int, to_us: int, limit: int) -> list[Point]:
        return await self._read(reads.points, device_id, field, from_us, to_us, limit)

    async def buckets(self, device_id: int, field: str, from_us: int, to_us: int, width_us: int) -> list[Bucket]:
        return await self._read(rolled.buckets, device_id, field, from_us, to_us, width_us)

    async def at(self, moments: Sequence[tuple[int, int]]) -> Rows:
        return await self._read(reads.at, moments)

    async def scan(
        self, from_us: int, to_us: int, limit: int, after: Key | None = None, seq_le: int | None = None
    ) -> Rows:
        return await self._read(reads.scan, from_us, to_us, limit, after, seq_le)

    async def roll_up(self) -> None:
        """Bring the roll-ups up to date now; by itself the store does so in its spare time."""
        while await self._in(self._writing, self._open_writer.roll_up, self._clock()):
            pass

    def _make_threads(self) -> None:
        """They start when they are used."""
        self._writing = IdleExecutor("series-write", self._roll_up)
        # A memory database belongs to its connection: there, reads take turns with writes.
        self._reading: Executor = ThreadPoolExecutor(_READERS, "series-read") if self._path else self._writing

    async def _in(self, threads: Executor, call: Callable[..., _T], *args: Any) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, call, *args)
        except sqlite3.Error as error:
            raise StoreError(sqlite_sentence(self._path, error)) from error

    async def _read(self, read: Callable[..., _T], *args: Any) -> _T:
        return await self._in(self._reading, self._with_connection, read, *args)

    def _with_connection(self, read: Callable[..., _T], *args: Any) -> _T:
        if self._writer is None:
            raise StoreError(_NOT_OPEN)
        connection = self._idle.get_nowait()  # there are as many as reading threads
        try:
            return read(connection, *args)
        finally:
            self._idle.put(connection)

    @property
    def _open_writer(self) -> Writer:
        if self._writer is None:
            raise StoreError(_NOT_OPEN)
        return self._writer

    def _roll_up(self) -> bool:
        if self._writer is None:
            return False
        try:
            return self._writer.roll_up(self._clock())
        except sqlite3.Error as error:
            _logger.warning("measurements are not rolled up for now: %s", sqlite_sentence(self._path, error))
            return False

    def _connect(self) -> None:
        self._make_folder()
        connection = self._connection("rwc")
        try:
            self._writer = Writer(connection, self._path)
        except (sqlite3.Error, StoreError):
            connection.close()
            raise
        if self._path is None:
            self._idle.put(connection)
            return
        for _ in range(_READERS):
            self._idle.put(self._connection("ro"))

    def _make_folder(self) -> None:
        if self._path:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(f"cannot create the folder {self._path.parent}: {error.strerror}") from error

    def _connection(self, mode: str) -> sqlite3.Connection:
        name = f"{self._path.resolve().as_uri()}?mode={mode}" if self._path else ":memory:"
        return sqlite3.connect(name, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)

    def _disconnect(self) -> None:
        # The writer last: the last connection to close folds the write-ahead log into the file.
        if self._reading is not self._writing:
            self._reading.shutdown()
        while not self._idle.empty():
            self._idle.get().close()
        if self._writer:
            self._writer.close()
            self._writer = None
