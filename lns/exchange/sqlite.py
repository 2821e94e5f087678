"""The exchange on SQLite: a durable ordered log with group commit, and cursors fed from memory while they keep up.

`put` costs an append to a list. One committer turns what has gathered into one transaction, together with the
writes of participants (session counters, nonces, downlink states): either all of it is on the disk or nothing.
Records reach consumers only after their commit, so nothing right of the exchange can know what a crash undoes.
"""

import asyncio
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from lns import metrics
from lns.config import Exchange as ExchangeConfig
from lns.exchange import log
from lns.exchange.cursor import Cursor
from lns.exchange.log import Segment, Write
from lns.exchange.records import Record, Stored

_logger = logging.getLogger(__name__)

MAX_PENDING = 100_000  # records that wait for the disk before `behind` asks the network to refuse frames
POSITION_DELAY_S = 0.5  # a position that moved alone is stored this late at most
CHECKPOINT_INTERVAL_S = 1.0
EXPIRE_INTERVAL_S = 60.0
EXPIRE_ROWS = 500
CAUGHT_UP_TICK_S = 0.01


class Participant(Protocol):
    """Something whose state changes commit together with the log."""

    def take(self) -> Write | None:
        """What changed since the last call, as a write to run inside the transaction; called on the loop."""


class SqliteExchange:
    """The log. `write_lock` is shared with every other writer of the same file."""

    def __init__(self, path: Path, config: ExchangeConfig, write_lock: threading.Lock) -> None:
        self.path, self._config, self._write_lock = path, config, write_lock
        self._writer = ThreadPoolExecutor(1, "exchange-writer")
        self._reader = ThreadPoolExecutor(1, "exchange-reader")
        self._pending: dict[str, list[Record]] = {topic: [] for topic in log.TOPICS}
        self._pending_count = 0
        self._participants: list[Participant] = []
        self._moved: dict[str, int] = {}
        self._waiting: list[asyncio.Future[int]] = []
        self._wake, self._urgent = asyncio.Event(), asyncio.Event()
        self._memory: deque[Segment] = deque()
        self._memory_records = 0
        self._cursors: dict[str, Cursor] = {}
        self._closing = False
        self._committer: asyncio.Task[None] | None = None
        self.head_seq = 0
        self.log_id = ""
        self.last_error: str | None = None

    async def open(self) -> None:
        """Open the file and find the head; raises sqlite3.Error where it is damaged."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writer, self._open_writer)
        self._read_connection = log.connect(self.path)
        self._read_connection.execute("PRAGMA query_only=1")
        cursors = self._cursors
        metrics.consumer_lag.read = lambda: [((c.name,), float(c.lag)) for c in cursors.values()]
        metrics.consumer_failing.read = lambda: [((c.name,), float(c.state == "retrying")) for c in cursors.values()]

    def _open_writer(self) -> None:
        self._connection = log.connect(self.path)
        with self._write_lock:
            log.create(self._connection)
        self.head_seq = log.head_seq(self._connection)
        self.log_id = log.log_id(self._connection)
        self._stored_positions = log.positions(self._connection)

    def enlist(self, participant: Participant) -> None:
        """Let `participant` write in every commit."""
        self._participants.append(participant)

    @property
    def behind(self) -> bool:
        """True while so much waits for the disk that taking more would risk it."""
        return self._pending_count >= MAX_PENDING

    def put(self, topic: str, record: Record) -> None:
        """Append with the next group commit; returns at once."""
        self._pending[topic].append(record)
        self._pending_count += 1
        self._wake.set()

    def touch(self) -> None:
        """A participant has something to write."""
        self._wake.set()

    async def committed(self) -> int:
        """Wait until everything put so far is on the disk; hurries the commit. Returns the head seq."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._wake.set()
        self._urgent.set()
        return await future

    async def append(self, records: Sequence[tuple[str, Record]]) -> int:
        """Append and wait for the disk; returns the head seq."""
        for topic, record in records:
            self.put(topic, record)
        return await self.committed()

    async def run(self) -> None:
        """Keep committing; ends after `stop` has been called and everything is on the disk.

        Whoever is cancelled here leaves the committer at work: when another part of the server fails, what was
        accepted from the radio is still written.
        """
        # not one of a TaskGroup: it outlives the failure of its siblings; awaited here and in `stop`
        self._committer = asyncio.create_task(self._commit_always(), name="committer")  # noqa: TID251
        await asyncio.shield(self._committer)

    async def _commit_always(self) -> None:
        loop = asyncio.get_running_loop()
        earliest = 0.0
        while True:
            await self._wake.wait()
            if not self._urgent.is_set() and not self._closing:
                await self._gather(earliest - loop.time())
            self._wake.clear()
            self._urgent.clear()
            started = loop.time()
            await self._commit_sealed(*self._seal())
            earliest = loop.time() + self._config.commit_interval_ms / 1000
            metrics.exchange_commit.observe((loop.time() - started) * 1000)
            if self._closing and not self._pending_count and not self._waiting and not self._wake.is_set():
                return

    async def _gather(self, seconds: float) -> None:
        """Let more records come, unless somebody waits for the commit."""
        if seconds > 0:
            try:
                async with asyncio.timeout(seconds):
                    await self._urgent.wait()
            except TimeoutError:
                return

    def _seal(self) -> tuple[list[Segment], dict[str, int], list[Write], list[asyncio.Future[int]]]:
        """Everything of this moment becomes one commit; nothing awaits in here."""
        segments = []
        seq = self.head_seq
        for topic, records in self._pending.items():
            if records:
                segments.append(Segment(seq + 1, topic, [Stored(seq + i, topic, r) for i, r in enumerate(records, 1)]))
                seq += len(records)
                metrics.exchange_appended.inc(topic, n=len(records))
                self._pending[topic] = []
        self._pending_count = 0
        moved, self._moved = self._moved, {}
        waiting, self._waiting = self._waiting, []
        writes = [write for participant in self._participants if (write := participant.take())]
        return segments, moved, writes, waiting

    async def _commit_sealed(
        self, segments: list[Segment], moved: dict[str, int], writes: list[Write], waiting: list[asyncio.Future[int]]
    ) -> None:
        """Write until the disk takes it: what was accepted from the radio is never given up here."""
        loop = asyncio.get_running_loop()
        delay_s = 0.05
        while segments or moved or writes:
            try:
                await loop.run_in_executor(self._writer, self._commit, segments, moved, writes)
            except sqlite3.Error as error:
                if self.last_error is None:
                    _logger.error("the log cannot be written, trying again: %s", error)
                self.last_error = str(error)
                metrics.consumer_errors.inc("exchange")
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, 5.0)
            else:
                if self.last_error is not None:
                    _logger.info("the log can be written again")
                self.last_error = None
                break
        self._publish(segments)
        for future in waiting:
            if not future.done():
                future.set_result(self.head_seq)

    def _commit(self, segments: list[Segment], moved: dict[str, int], writes: list[Write]) -> None:
        with self._write_lock:
            log.commit(self._connection, segments, moved, writes, time.time_ns() // 1000)

    def _publish(self, segments: list[Segment]) -> None:
        if not segments:
            return
        self.head_seq = segments[-1].last_seq
        count = sum(len(segment.stored) for segment in segments)
        metrics.exchange_commit_records.observe(count)
        self._memory.extend(segments)
        self._memory_records += count
        self._trim_memory()
        for cursor in self._cursors.values():
            cursor.wake()

    def _trim_memory(self) -> None:
        """Forget what every cursor has passed, and the oldest beyond the limit: a laggard reads the file."""
        floor = min((cursor.position for cursor in self._cursors.values()), default=self.head_seq)
        while self._memory and (
            self._memory[0].last_seq <= floor or self._memory_records > self._config.memory_records
        ):
            self._memory_records -= len(self._memory.popleft().stored)

    def cursor(self, name: str, topics: frozenset[str], position: int | None) -> Cursor:
        """Attach a reader; `position` None: where the exchange remembers it, or the log's beginning for a new one."""
        if position is None:
            position = self._stored_positions.get(name, 0)
        cursor = Cursor(self, name, topics, min(position, self.head_seq))
        self._cursors[name] = cursor
        return cursor

    def detach(self, cursor: Cursor) -> None:
        """Forget a reader; its stored position stays."""
        if self._cursors.get(cursor.name) is cursor:
            del self._cursors[cursor.name]

    def note_position(self, name: str, seq: int) -> None:
        """Store a position with the next commit."""
        if not self._moved and not self._wake.is_set():
            asyncio.get_running_loop().call_later(POSITION_DELAY_S, self._wake.set)
        self._moved[name] = seq
        self._stored_positions[name] = seq

    def from_memory(self, after_seq: int, topics: frozenset[str], limit: int) -> tuple[list[Stored], int] | None:
        """Records after a seq if memory reaches back that far, else None."""
        if not self._memory or self._memory[0].first_seq > after_seq + 1:
            return None
        tail: list[Segment] = []
        for segment in reversed(self._memory):
            if segment.last_seq <= after_seq:
                break
            tail.append(segment)
        found: list[Stored] = []
        upto = after_seq
        for segment in reversed(tail):
            if segment.topic in topics:
                new = segment.stored[max(0, after_seq + 1 - segment.first_seq) :]
                if len(found) + len(new) > limit:
                    found += new[: limit - len(found)]
                    return found, found[-1].seq
                found += new
            upto = segment.last_seq
        return found, upto

    async def read(self, after_seq: int, topics: frozenset[str], limit: int) -> tuple[list[Stored], int]:
        """Records from memory or the file, and the seq up to which the log has been searched."""
        ready = self.from_memory(after_seq, topics, limit)
        if ready is not None:
            return ready
        head_seq = self.head_seq
        loop = asyncio.get_running_loop()
        found, upto = await loop.run_in_executor(
            self._reader, log.read, self._read_connection, after_seq, topics, limit
        )
        if not found and upto == after_seq:
            upto = head_seq  # retention has dropped everything that followed
        return found, upto

    async def pick(self, seq: int) -> Stored | None:
        """One record, or None when retention has dropped it."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, log.pick, self._read_connection, seq)

    async def read_back(self, before_seq: int, topic: str, limit: int) -> list[Stored]:
        """Up to `limit` records of a topic before a seq, newest first."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, log.read_back, self._read_connection, before_seq, topic, limit)

    async def seq_before(self, at_us: int) -> int:
        """The last seq that was committed before a time (UTC microseconds)."""
        return await asyncio.get_running_loop().run_in_executor(
            self._reader, log.seq_before, self._read_connection, at_us
        )

    def lag(self, consumer: str) -> int:
        """Records between a consumer's position and the head; 0 for one that does not run."""
        cursor = self._cursors.get(consumer)
        return 0 if cursor is None else cursor.lag

    async def status(self) -> dict[str, Any]:
        """Head, extent and every consumer's lag, JSON-ready."""
        loop = asyncio.get_running_loop()
        first = await loop.run_in_executor(self._reader, log.first_seq, self._read_connection)
        used = await loop.run_in_executor(self._reader, log.size_bytes, self._read_connection)
        return {
            "head_seq": self.head_seq,
            "first_seq": first,
            "records": 0 if first is None else self.head_seq - first + 1,
            "bytes": used,
            "pending": self._pending_count,
            "last_error": self.last_error,
            "consumers": [cursor.status() for _, cursor in sorted(self._cursors.items())],
        }

    async def maintain(self) -> None:
        """Checkpoints and retention, for ever; runs beside the committer."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "exchange-checkpoint") as side:
            connection = await loop.run_in_executor(side, log.connect, self.path)
            expire_at = loop.time() + EXPIRE_INTERVAL_S
            while not self._closing:
                await asyncio.sleep(CHECKPOINT_INTERVAL_S)
                try:
                    await loop.run_in_executor(side, connection.execute, "PRAGMA wal_checkpoint(PASSIVE)")
                    if loop.time() >= expire_at:
                        await self.expire(time.time_ns() // 1000)
                        expire_at = loop.time() + EXPIRE_INTERVAL_S
                except sqlite3.Error as error:
                    _logger.warning("upkeep of the log failed, trying again: %s", error)

    async def expire(self, now_us: int) -> int:
        """Drop what is older than the retention, or what is too much; never what a consumer still has to read."""
        floor = min((cursor.position for cursor in self._cursors.values()), default=0)
        before_us = now_us - int(self._config.retention_days * 86_400e6)
        loop = asyncio.get_running_loop()
        dropped = 0
        while rows := await loop.run_in_executor(self._writer, self._expire, floor, before_us):
            dropped += rows
        return dropped

    def _expire(self, upto_seq: int, before_us: int) -> int:
        with self._write_lock:
            if log.size_bytes(self._connection) > self._config.retention_bytes:
                before_us = time.time_ns() // 1000
            return log.expire(self._connection, upto_seq, before_us, EXPIRE_ROWS)

    async def caught_up(self, *, without_failing: bool = False) -> None:
        """Wait until everything is on the disk and every consumer, on request but those that fail, is at the head."""
        while True:
            await self.committed()
            waited_for = (c for c in self._cursors.values() if c.state == "running" or not without_failing)
            if not self._pending_count and not any(cursor.lag for cursor in waited_for):
                return
            await asyncio.sleep(CAUGHT_UP_TICK_S)

    async def stop(self) -> None:
        """Let the committer write what is pending, and wait for its end."""
        self._closing = True
        self._wake.set()
        self._urgent.set()
        if self._committer is not None:
            await asyncio.wait([self._committer])
            self._committer, self._closing = None, False

    async def close(self) -> None:
        """Release threads and file; call after `run` has ended."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writer, self._connection.close)
        self._read_connection.close()
        self._writer.shutdown()
        self._reader.shutdown()
