"""Jobs on stored uplinks: kept in the file of the log, worked on one after the other, resumed after a kill.

jobs = Worklist(Job, "replay_job", exchange)
await jobs.open()                        # after exchange.open(); those that a stop has cut off go on
tasks.create_task(jobs.run(work))        # `work` returns when its job is over, or not in work any more
jobs.note(job)                           # stores it as it is now, with the next commit of the log
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Generic, Literal, TypeVar

import msgspec

from lns.decoding.parts import Refused
from lns.errors import StoreError
from lns.exchange.log import Write
from lns.exchange.sqlite import SqliteExchange
from lns.registry.errors import RegistryError

_logger = logging.getLogger(__name__)

State = Literal["waiting", "running", "paused", "done", "cancelled", "failed"]

KEPT = 1000  # finished jobs that can be looked up
WAIT_S = 0.05
FIRST_RETRY_S, LAST_RETRY_S = 0.2, 30.0


class Work(msgspec.Struct, kw_only=True):
    """A job. `position` goes from `first` to `last`, seqs of the log; `error` is why it waits or has failed."""

    id: str
    created_at_us: int
    first: int
    last: int
    position: int
    state: State = "waiting"
    finished_at_us: int | None = None
    error: str | None = None

    @property
    def is_open(self) -> bool:
        """It is not over."""
        return self.state in ("waiting", "running", "paused")

    @property
    def is_kept(self) -> bool:
        """It goes on after a restart."""
        return True

    @property
    def done(self) -> float:
        """The share of the span that is behind, 0 to 1."""
        return 1.0 if self.last <= self.first else (self.position - self.first) / (self.last - self.first)

    @property
    def amount(self) -> int:
        """What its rate counts."""
        return self.position - self.first


class Progress(msgspec.Struct, frozen=True):
    """How far a job is. `done` is the share that is behind, 0 to 1; the others None: not known yet."""

    done: float
    amount: int
    rate_per_s: float | None
    remaining_s: float | None


class _Pace(msgspec.Struct):
    """Of the job in work: when it began or went on, and where it was then."""

    job: Work
    began_s: float
    position: int
    amount: int


J = TypeVar("J", bound=Work)


class Worklist(Generic[J]):
    """All jobs of a kind by id, oldest first; a participant of the exchange."""

    def __init__(self, kind: type[J], table: str, exchange: SqliteExchange) -> None:
        self._kind, self._table, self._exchange = kind, table, exchange
        self._noted: dict[str, tuple[str, int, bytes]] = {}
        self._wanted = asyncio.Event()
        self._finished: dict[str, asyncio.Event] = {}
        self._in_work: J | None = None
        self._pace: _Pace | None = None
        self.all: dict[str, J] = {}

    async def open(self) -> None:
        """Read the jobs of earlier runs; those that were not finished are worked on again. sqlite3.Error."""
        self._exchange.enlist(self)
        await asyncio.to_thread(self._load, self._exchange.path)
        self._wanted.set()

    def _load(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (self._table,)).fetchone()
            if there is None:
                return
            rows = connection.execute(f"SELECT job FROM {self._table} ORDER BY created_at_us, id").fetchall()
        for (text,) in rows:
            job = msgspec.json.decode(text, type=self._kind)
            self.all[job.id] = job

    def newest_first(self) -> list[J]:
        """All jobs."""
        return list(reversed(self.all.values()))

    async def add(self, job: J) -> None:
        """Queue a job; returns when it is on the disk."""
        self.note(job)
        await self._exchange.committed()
        self._wanted.set()

    def note(self, job: J) -> None:
        """Store the job as it is now with the next commit."""
        self.all[job.id] = job
        if job.is_kept:
            self._noted[job.id] = (job.id, job.created_at_us, msgspec.json.encode(job))
            self._exchange.touch()

    def take(self) -> Write | None:
        if not self._noted:
            return None
        noted, self._noted, table = list(self._noted.values()), {}, self._table

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {table}"
                " (id TEXT PRIMARY KEY, created_at_us INTEGER NOT NULL, job BLOB NOT NULL) WITHOUT ROWID"
            )
            connection.executemany(
                f"INSERT INTO {table} VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET job = excluded.job", noted
            )
            connection.execute(
                f"DELETE FROM {table} WHERE created_at_us < (SELECT created_at_us FROM {table}"
                f" ORDER BY created_at_us DESC LIMIT 1 OFFSET {KEPT})"
            )

        return write

    def end(self, job: J, state: State) -> None:
        """A job is over; what it waited for on its way is none of its errors."""
        job.state, job.finished_at_us = state, time.time_ns() // 1000
        if state != "failed":
            job.error = None
        self.note(job)
        if job is not self._in_work:
            self._tell(job)

    def pause(self, job: J) -> None:
        """Lay an open job aside until `resume`, also after a restart."""
        job.state = "paused"
        self.note(job)

    def resume(self, job: J) -> None:
        """Let a paused job wait for its turn."""
        job.state = "waiting"
        self.note(job)
        self._wanted.set()

    async def finished(self, job_id: str) -> J:
        """Wait until a job is over and what it has done is stored. KeyError: there is no such job."""
        job = self.all[job_id]
        if job.is_open or job is self._in_work:
            await self._finished.setdefault(job_id, asyncio.Event()).wait()
        return job

    def progress(self, job: J) -> Progress:
        """How far a job is, and when it will be done at the rate since it was taken up."""
        pace = self._pace
        if pace is None or pace.job is not job or job.state != "running":
            return Progress(job.done, job.amount, None, None)
        seconds = time.monotonic() - pace.began_s
        moved = job.position - pace.position
        remaining_s = (job.last - job.position) * seconds / moved if moved else None
        return Progress(job.done, job.amount, (job.amount - pace.amount) / seconds, remaining_s)

    async def run(self, work: Callable[[J], Awaitable[None]]) -> None:
        """Work on jobs, oldest first, for ever."""
        while True:
            job = next((job for job in self.all.values() if job.state in ("waiting", "running")), None)
            if job is None:
                self._wanted.clear()
                await self._wanted.wait()
                continue
            job.state, self._in_work = "running", job
            self._pace = _Pace(job, time.monotonic(), job.position, job.amount)
            try:
                await work(job)
            except (Refused, RegistryError) as error:  # what it needs has gone, or a script is not run any more
                job.error = str(error)
                self.end(job, "failed")
            except Exception as error:  # the top of the task: the fault of one job must not end the others
                _logger.warning("job %s failed: %s", job.id, error, exc_info=error)
                job.error = f"{type(error).__name__}: {error}"[:500]
                self.end(job, "failed")
            await self._exchange.committed()
            self._in_work = self._pace = None
            if not job.is_open:
                self._tell(job)

    async def repeat(self, job: J, step: Callable[[], Awaitable[None]]) -> None:
        """Take steps as long as the job is in work; a store or archive that is away is waited for, and told."""
        delay_s = FIRST_RETRY_S
        while job.state == "running":
            try:
                await step()
            except (StoreError, sqlite3.Error) as error:
                job.error = str(error)
                await self.rest(job, delay_s)
                delay_s = min(delay_s * 2, LAST_RETRY_S)
            else:
                job.error, delay_s = None, FIRST_RETRY_S

    async def rest(self, job: J, seconds: float) -> None:
        """Wait; a job that is cancelled or paused makes way at once."""
        until_s = time.monotonic() + seconds
        await asyncio.sleep(0)
        while job.state == "running" and (left_s := until_s - time.monotonic()) > 0:
            await asyncio.sleep(min(left_s, WAIT_S))

    def _tell(self, job: J) -> None:
        if job.id in self._finished:
            self._finished.pop(job.id).set()
