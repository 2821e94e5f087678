"""The exchange on SQLite: a durable ordered log with group commit, and cursors fed from memory while they keep up.

`put` costs an append to a list. One committer turns what has gathered into one transaction, together with the
writes of participants (session counters, nonces, downlink states): either all of it is on the disk or nothing.
Records reach consumers only after their commit, so nothing right of the exchange can know what a crash undoes.
"""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lns import metrics
from lns.config import Exchange as ExchangeConfig
from lns.errors import StoreError
from lns.exchange import log
from lns.exchange.backoff import Backoff
from lns.exchange.cursor import Cursor
from lns.exchange.log import Damaged, Participant, Segment
from lns.exchange.memory import Memory
from lns.exchange.notices import Notices
from lns.exchange.records import Record, Stored
from lns.exchange.threads import Reading, Sealed, Writing
from lns.exchange.upkeep import Upkeep

_logger = logging.getLogger(__name__)

MAX_PENDING = 100_000  # records that wait for the disk before `behind` asks the network to refuse frames
POSITION_DELAY_S = 0.5  # a position that moved alone is stored this late at most
CAUGHT_UP_TICK_S = 0.01
STOP_S = 20.0  # how long a stop tries to write to a disk that takes nothing
FIRST_RETRY_S, LAST_RETRY_S = 0.05, 5.0


class SqliteExchange:
    """The log. `write_lock` is shared with every other writer of the same file."""

    def __init__(self, path: Path, config: ExchangeConfig, write_lock: threading.Lock) -> None:
        self.path, self._config = path, config
        self._writing, self._reading = Writing(path, write_lock), Reading(path)
        self._pending: dict[str, list[Record]] = {topic: [] for topic in log.TOPICS}
        self._pending_count = 0
        self._participants: list[Participant] = []
        self._moved: dict[str, int] = {}
        self._waiting: list[asyncio.Future[int]] = []
        self._wake, self._urgent = asyncio.Event(), asyncio.Event()
        self._memory = Memory(config.memory_records)
        self._cursors: dict[str, Cursor] = {}
        self._upkeep = Upkeep(path, config, (self._reading, self._writing), self._places)
        self._closing, self._stopping = False, asyncio.Event()
        self._give_up_at = 0.0  # of the loop's clock, once it is closing
        self._committer: asyncio.Task[None] | None = None
        self._raised = 0  # no seq up to this one is given to a record any more
        self.notices = Notices()
        self.enlist(self.notices)
        self.head_seq = 0
        self.log_id = ""
        self.last_error: str | None = None
        self.lost: int | None = None
        """How many records a stop has given up; None: it has not come to that."""

    async def open(self) -> None:
        """Open the file and find the head; raises sqlite3.Error where it is damaged."""
        await self._writing.open()
        self._reading.open()
        self.head_seq = await self._writing.call(log.head_seq)
        self.log_id = await self._writing.call(log.log_id)
        self._stored_positions = await self._writing.call(log.positions)
        await self._writing.call(self.notices.load)
        cursors = self._cursors
        metrics.consumer_lag.read = lambda: [((c.name,), float(c.lag)) for c in cursors.values()]
        metrics.consumer_failing.read = lambda: [((c.name,), float(c.state == "retrying")) for c in cursors.values()]

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
        """Keep committing; ends after `stop` has been called and everything is on the disk, or is given up.

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
            sealed = self._seal()
            if not await self._commit_sealed(sealed):
                self._give_up(sealed)
                return
            earliest = loop.time() + self._config.commit_interval_ms / 1000
            metrics.exchange_commit.observe((loop.time() - started) * 1000)
            if self._closing and not self._pending_count and not self._waiting and not self._wake.is_set():
                return

    async def _gather(self, seconds: float) -> None:
        """Let more records come, unless somebody waits for the commit."""
        if seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._urgent.wait()

    def _seal(self) -> Sealed:
        """Everything of this moment becomes one commit; nothing awaits in here."""
        segments = []
        writes = [write for participant in self._participants if (write := participant.take())]
        seq = self.head_seq
        if self._raised > seq:
            seq = raised = self._raised
            writes.append(lambda connection: log.raise_head(connection, raised))
        for topic, records in self._pending.items():
            if records:
                segments.append(Segment(seq + 1, topic, [Stored(seq + i, topic, r) for i, r in enumerate(records, 1)]))
                seq += len(records)
                metrics.exchange_appended.inc(topic, n=len(records))
                self._pending[topic] = []
        self._pending_count = 0
        moved, self._moved = self._moved, {}
        waiting, self._waiting = self._waiting, []
        return Sealed(seq, segments, moved, writes, waiting)

    async def _commit_sealed(self, sealed: Sealed) -> bool:
        """Write until the disk takes it: what was accepted from the radio is given up by a stop only, and counted."""
        loop = asyncio.get_running_loop()
        backoff = Backoff(FIRST_RETRY_S, LAST_RETRY_S)
        while sealed.segments or sealed.moved or sealed.writes:
            try:
                await self._writing.commit(sealed)
            except sqlite3.Error as error:
                if self.last_error is None:
                    _logger.error("the log cannot be written, trying again: %s", error)
                self.last_error = str(error)
                metrics.consumer_errors.inc("exchange")
                if self._closing and loop.time() >= self._give_up_at:
                    return False
                await self._pause(backoff.next())
            else:
                if self.last_error is not None:
                    _logger.info("the log can be written again")
                self.last_error = None
                break
        self._publish(sealed)
        for future in sealed.waiting:
            if not future.done():
                future.set_result(self.head_seq)
        return True

    async def _pause(self, seconds: float) -> None:
        """Before the next try; a stop cuts it short."""
        if self._closing:
            await asyncio.sleep(FIRST_RETRY_S)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    def _give_up(self, sealed: Sealed) -> None:
        """The server stops, and the disk has taken nothing for as long as that may take."""
        self.lost = sealed.records + self._pending_count
        _logger.error("the log cannot be written: %d records are lost: %s", self.lost, self.last_error)
        waiting, self._waiting = [*sealed.waiting, *self._waiting], []
        for future in waiting:
            if not future.done():
                future.set_exception(StoreError(f"the log cannot be written: {self.last_error}"))

    def _publish(self, sealed: Sealed) -> None:
        if sealed.head_seq == self.head_seq:
            return
        self.head_seq = sealed.head_seq
        floor = min((cursor.position for cursor in self._cursors.values()), default=self.head_seq)
        count = self._memory.add(sealed.segments, self.head_seq, floor)
        if count:
            metrics.exchange_commit_records.observe(count)
        for cursor in self._cursors.values():
            cursor.wake()

    def raise_head(self, seq: int, why: str) -> None:
        """Give no seq up to this one to a record: `why` knows it from another life of the log, one before a restore.

        It counts from the next commit on; what is put until then comes after it already.
        """
        after = max(self.head_seq, self._raised)
        if seq <= after:
            return
        self._raised = seq
        text = f"{why} is at seq {seq}, the log was at {after}: it is another log, or was restored from a backup"
        _logger.warning("%s; the log goes on after seq %d", text, seq)
        self.notices.gap(after + 1, seq, text)
        self.touch()

    def known_position(self, name: str) -> int:
        """Up to where this log has seen a consumer come; 0: it never has."""
        return self._stored_positions.get(name, 0)

    def cursor(self, name: str, topics: frozenset[str], position: int | None) -> Cursor:
        """Attach a reader; `position` None: where the exchange remembers it, or the log's beginning for a new one.

        A position that is given is where a reader begins whom the log does not know.
        """
        if position is None:
            position = min(self._stored_positions.get(name, 0), self.head_seq)
        elif position:
            self.raise_head(position, name)
            if name not in self._stored_positions:
                self.note_position(name, position)
        cursor = Cursor(self, name, topics, position)
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
        return self._memory.read(after_seq, topics, limit)

    async def read(self, after_seq: int, topics: frozenset[str], limit: int) -> tuple[list[Stored], int]:
        """Records from memory or the file, and the seq up to which the log has been searched. sqlite3.Error.

        Records that cannot be decoded are said once, and passed over: they stay in the log.
        """
        ready = self.from_memory(after_seq, topics, limit)
        if ready is not None:
            return ready
        head_seq = self.head_seq
        damaged: list[Damaged] = []
        found, upto = await self._reading.call(log.read, after_seq, topics, limit, damaged)
        for one in damaged:
            self._note_damaged(one)
        if not found and upto == after_seq:
            upto = head_seq  # retention has dropped everything that followed
        return found, upto

    def _note_damaged(self, damaged: Damaged) -> None:
        if self.notices.unreadable(damaged):
            first, last, count = damaged.first_seq, damaged.last_seq, damaged.last_seq - damaged.first_seq + 1
            metrics.exchange_unreadable.inc(damaged.topic, n=count)
            _logger.error("%s records of seq %d to %d are passed over: %s", damaged.topic, first, last, damaged.reason)
            self.touch()

    async def pick(self, seq: int) -> Stored | None:
        """One record, or None when retention has dropped it."""
        return await self._reading.call(log.pick, seq)

    async def read_back(self, before_seq: int, topic: str, limit: int) -> list[Stored]:
        """Up to `limit` records of a topic before a seq, newest first."""
        return await self._reading.call(log.read_back, before_seq, topic, limit)

    async def seq_before(self, at_us: int) -> int:
        """The last seq that was committed before a time (UTC microseconds)."""
        return await self._reading.call(log.seq_before, at_us)

    def lag(self, consumer: str) -> int:
        """Records between a consumer's position and the head; 0 for one that does not run."""
        cursor = self._cursors.get(consumer)
        return 0 if cursor is None else cursor.lag

    async def status(self) -> dict[str, Any]:
        """Head, extent and every consumer's lag, JSON-ready. sqlite3.Error."""
        first = await self._reading.call(log.first_seq)
        records = 0 if first is None else self.head_seq - first + 1 - self.notices.missing(first)
        used = await self._reading.call(log.size_bytes)
        return {**self.status_without_file(), "first_seq": first, "records": records, "bytes": used}

    def status_without_file(self, error: str | None = None) -> dict[str, Any]:
        """What is known of it where the file cannot be read, and why it cannot."""
        return {
            "head_seq": self.head_seq,
            "first_seq": None,
            "records": 0,
            "bytes": 0,
            "pending": self._pending_count,
            "last_error": self.last_error or error,
            "consumers": [cursor.status() for _, cursor in sorted(self._cursors.items())],
            "notices": self.notices.newest(),
        }

    async def maintain(self) -> None:
        """Checkpoints and retention, until the log is closed; runs beside the committer."""
        await self._upkeep.run(lambda: self._closing)

    async def expire(self, now_us: int) -> int:
        """Drop what is older than the retention, or what is too much; never what a consumer still has to read."""
        return await self._upkeep.expire(now_us)

    def _places(self) -> list[tuple[int, frozenset[str]]]:
        return [(cursor.position, cursor.topics) for cursor in self._cursors.values()]

    async def caught_up(self, *, without_failing: bool = False) -> None:
        """Wait until everything is on the disk and every consumer, on request but those that fail, is at the head."""
        while True:
            await self.committed()
            waited_for = (c for c in self._cursors.values() if c.state == "running" or not without_failing)
            if not self._pending_count and not any(cursor.lag for cursor in waited_for):
                return
            await asyncio.sleep(CAUGHT_UP_TICK_S)

    async def positions_told(self, names: Sequence[str], within_s: float) -> None:
        """Wait until these consumers have told where they are, or failed to: the head is above what they know then."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + within_s
        while late := [name for name in names if name not in self._cursors or not self._cursors[name].told]:
            if loop.time() >= give_up_at:
                _logger.warning("not waited for to tell how far they have read: %s", ", ".join(late))
                return
            await asyncio.sleep(CAUGHT_UP_TICK_S)

    async def stop(self, within_s: float = STOP_S) -> None:
        """Let the committer write what is pending, and wait for its end.

        What the disk has not taken within that time is given up: `lost` says how many records.
        """
        self._give_up_at = asyncio.get_running_loop().time() + within_s
        self._closing = True
        self._stopping.set()
        self._wake.set()
        self._urgent.set()
        if self._committer is not None:
            await asyncio.wait([self._committer])
            self._committer, self._closing = None, False
            self._stopping.clear()

    async def close(self) -> None:
        """Release threads and file; call after `run` has ended."""
        await self._writing.close()
        self._reading.close()
