"""The time-series store on PostgreSQL or TimescaleDB: one connection that writes, a few that read, all in threads.

What a dead or frozen server holds up is a thread, never the event loop; after a limit its connection is cut.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, TypeVar

from lns.clock import now_us
from lns.config import ConfigError
from lns.config.stores import Postgres
from lns.errors import StoreError
from lns.series.store import Bucket, Caps, FieldInfo, Key, Point, Removal, Rows, SetAside, WriteResult

try:
    import psycopg

    from lns.series.postgres import buckets, chunks, reads, rollups, schema
    from lns.series.postgres.connecting import Conn, Session, connect, place, secret, sentence
    from lns.series.postgres.writer import Writer
except ModuleNotFoundError as missing:
    raise ConfigError("the postgres store needs the extra: pip install 'inflight-lns[postgres]'") from missing

WRITE_LIMIT_S = 120.0
READ_LIMIT_S = 60.0
ROLL_LIMIT_S = 600.0
CLOSE_LIMIT_S = 5.0
_EXPIRE_ROWS = 20_000  # deleted in one transaction
_TEND_S = 10.0
_REST_S = 0.02  # between pieces: others are to have the disk as well

_logger = logging.getLogger(__name__)

_T = TypeVar("_T")
_R = TypeVar("_R")


class PostgresSeries:
    """`SeriesStore` on the database of `config`. `clock` gives UTC microseconds, `environ` holds the password."""

    name = "postgres"
    caps = Caps(time_resolution_us=1, transactional_cursor=True, conditional_upsert=True)

    def __init__(
        self, config: Postgres, clock: Callable[[], int] = now_us, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._config, self._clock, self._environ = config, clock, environ
        self._where = place(config)
        if config.password_env:
            secret(config, environ)  # what is missing now is missing for ever
        self._threads: ThreadPoolExecutor | None = None
        self._turn = asyncio.Lock()  # the limit of a write is to begin when it does
        self._tending = asyncio.Lock()  # nothing is dropped while it is rolled up
        self._layout: schema.Layout | None = None
        self._writing = Session(lambda: self._connect(WRITE_LIMIT_S), self._writer)
        self._rolling = Session(lambda: self._connect(ROLL_LIMIT_S), self._roller)
        self._reading = [Session(self._connect, lambda connection: connection) for _ in range(config.pool)]
        self._idle: asyncio.LifoQueue[Session[Conn]] = asyncio.LifoQueue()
        for session in self._reading:
            self._idle.put_nowait(session)

    async def open(self) -> None:
        self._layout = await self._alone(lambda connection: schema.prepare(connection, self._config))

    async def setup_sql(self) -> str:
        """The SQL that `open` would run, empty where nothing is missing; the store need not be open."""
        return await self._alone(lambda connection: schema.setup_sql(connection, self._config))

    async def close(self) -> None:
        self._layout = None
        sessions: list[Session[Any]] = [self._writing, self._rolling, *self._reading]
        for session in sessions:
            alarm = asyncio.get_running_loop().call_later(CLOSE_LIMIT_S, session.cut)
            await asyncio.to_thread(session.close)
            alarm.cancel()
        if self._threads is not None:
            self._threads.shutdown(wait=False)
            self._threads = None

    async def write(self, rows: Rows, cursor: int | None, removals: Sequence[Removal] = ()) -> WriteResult:
        now_us = self._clock()
        return await self._write(lambda writer: writer.write(rows, cursor, now_us, removals))

    async def cursor(self) -> int:
        return await self._read(reads.position)

    async def log(self) -> str:
        return await self._read(reads.followed)

    async def follow(self, log_id: str) -> None:
        await self._write(lambda writer: writer.follow(log_id))

    async def expire(self, before_us: int) -> int:
        async with self._tending:
            dropped = await self._drop_chunks(before_us)
            while True:
                deleted = await self._write(lambda writer: writer.delete(before_us, _EXPIRE_ROWS))
                dropped += deleted
                if deleted < _EXPIRE_ROWS:
                    break
            await self._write(lambda writer: writer.forget(before_us))
        return dropped

    async def refresh(self) -> bool:
        """Roll up a piece of what has become old or has changed since; False where nothing is left to do."""
        now_us = self._clock()
        async with self._tending:
            self._check_open()
            await self._in(self._rolling, lambda roller: roller.advance(now_us), ROLL_LIMIT_S)
            return await self._in(self._rolling, lambda roller: roller.piece(), ROLL_LIMIT_S)

    async def roll_up(self) -> None:
        """Roll up all that is old or has changed."""
        while await self.refresh():
            await asyncio.sleep(_REST_S)

    async def tend(self) -> NoReturn:
        """Keep the roll-ups up to the measurements until cancelled; what fails is logged once and tried again."""
        failing = False
        while True:
            try:
                if self._layout is not None:
                    await self.roll_up()
                failing = False
            except StoreError as error:
                if not failing:
                    _logger.warning("roll-ups wait, trying again every %d s: %s", _TEND_S, error)
                failing = True
            await asyncio.sleep(_TEND_S)

    def whole_chunks_us(self, before_us: int) -> int:
        """The time up to which expiry drops whole chunks, the cheap way, and nothing of `before_us` or later."""
        return chunks.whole_chunks_us(self._open_layout, before_us)

    async def rejected(self, limit: int, after_id: int = 0, state: str = "open") -> list[SetAside]:
        return await self._read(lambda c: reads.rejected(c, limit, after_id, state))

    async def retry(self, ids: Sequence[int]) -> WriteResult:
        now_us = self._clock()
        return await self._write(lambda writer: writer.retry(ids, now_us))

    async def fields(self, device_id: int) -> list[str]:
        return await self._read(lambda c: reads.fields(c, device_id))

    async def latest(self, device_id: int) -> list[FieldInfo]:
        return await self._read(lambda c: reads.latest(c, device_id))

    async def range(self, device_id: int, field: str, from_us: int, to_us: int, limit: int) -> list[Point]:
        return await self._read(lambda c: reads.points(c, device_id, field, from_us, to_us, limit))

    async def buckets(self, device_id: int, field: str, from_us: int, to_us: int, width_us: int) -> list[Bucket]:
        layout, asked = self._open_layout, buckets.Asked(device_id, field, from_us, to_us, width_us)
        return await self._read(lambda c: buckets.buckets(c, layout, asked))

    async def at(self, moments: Sequence[tuple[int, int]]) -> Rows:
        return await self._read(lambda c: reads.at(c, moments))

    async def scan(
        self, from_us: int, to_us: int, limit: int, after: Key | None = None, seq_le: int | None = None
    ) -> Rows:
        return await self._read(lambda c: reads.scan(c, from_us, to_us, limit, after, seq_le))

    async def _drop_chunks(self, before_us: int) -> int:
        layout, dropped = self._open_layout, 0
        for chunk in await self._read(lambda c: chunks.old(c, layout, before_us)):
            span = (chunk.from_us, chunk.to_us)
            await self._read(lambda c, span=span: rollups.mark(c, span))  # type: ignore[misc]
            dropped += await self._read(lambda c, chunk=chunk: chunks.drop(c, layout, chunk))  # type: ignore[misc]
        return dropped

    @property
    def _open_layout(self) -> schema.Layout:
        self._check_open()
        assert self._layout is not None
        return self._layout

    def _check_open(self) -> None:
        if self._layout is None:
            raise StoreError("the time-series store is not open")

    def _connect(self, limit_s: float = READ_LIMIT_S) -> Conn:
        return connect(self._config, self._environ, limit_s)

    def _writer(self, connection: Conn) -> Writer:
        return Writer(connection, self._open_layout, self._config.write_path)

    def _roller(self, connection: Conn) -> rollups.Roller:
        return rollups.Roller(connection, self._open_layout, self._config.minute_rollup_days)

    async def _write(self, call: Callable[[Writer], _R]) -> _R:
        async with self._turn:
            self._check_open()
            return await self._in(self._writing, call, WRITE_LIMIT_S)

    async def _read(self, call: Callable[[Conn], _R]) -> _R:
        self._check_open()
        session = await self._idle.get()
        try:
            return await self._in(session, call, READ_LIMIT_S)
        finally:
            self._idle.put_nowait(session)

    async def _alone(self, call: Callable[[Conn], _R]) -> _R:
        """Call with a connection for this once."""
        session = Session(self._connect, lambda connection: connection)
        try:
            return await self._in(session, call, WRITE_LIMIT_S)
        finally:
            await asyncio.to_thread(session.close)

    async def _in(self, session: Session[_T], call: Callable[[_T], _R], limit_s: float) -> _R:
        loop = asyncio.get_running_loop()
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._config.pool + 2, "postgres")
        alarm = loop.call_later(limit_s * 1.1, session.cut)  # the server's own limit comes first
        try:
            return await loop.run_in_executor(self._threads, session.run, call)
        except psycopg.Error as error:
            raise StoreError(sentence(self._where, error)) from error
        finally:
            alarm.cancel()
