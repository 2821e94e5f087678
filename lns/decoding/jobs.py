"""Replays as jobs: what was asked for, how far it has come, what it has done. Kept in the file of the log.

A job's progress is written by the commit that appends its corrections: after a kill it goes on where these end.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

import msgspec

from lns.decoding.corrections import Report
from lns.exchange.log import Write

State = Literal["waiting", "running", "done", "cancelled", "failed"]

KEPT = 1000  # finished jobs that can be looked up

_CREATE = (
    "CREATE TABLE IF NOT EXISTS replay_job (id TEXT PRIMARY KEY, created_at_us INTEGER NOT NULL, job BLOB NOT NULL)"
    " WITHOUT ROWID"
)
_STORE = "INSERT INTO replay_job VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET job = excluded.job"
_FORGET = (
    "DELETE FROM replay_job WHERE created_at_us < (SELECT created_at_us FROM replay_job"
    f" ORDER BY created_at_us DESC LIMIT 1 OFFSET {KEPT})"
)


class Spec(msgspec.Struct, frozen=True):
    """What to decode again, and what to do with it.

    `codec` alone: the uplinks of the devices it decodes now, with the version each uses now; `version` is the number of
    another one. `devices` are DevEUIs, none: all. `failures`: only uplinks whose decode had failed. `remove`: drop
    measurements that the codec gives no more. `outlets`: tell outlets, marked as a replay. `dry_run` only reports.
    Times are UTC microseconds at which uplinks were received, `until_us` excluded.
    """

    codec: str | None = None
    version: int | None = None
    devices: tuple[str, ...] = ()
    since_us: int | None = None
    until_us: int | None = None
    failures: bool = False
    remove: bool = True
    outlets: bool = False
    dry_run: bool = False
    max_per_s: float = 5000.0


class Job(msgspec.Struct):
    """A replay. `position` goes from `first` to `last`, seqs of the log; `error` is why it waits or has failed."""

    id: str
    spec: Spec
    created_at_us: int
    first: int
    last: int
    position: int
    state: State = "waiting"
    report: Report = msgspec.field(default_factory=Report)
    finished_at_us: int | None = None
    error: str | None = None

    @property
    def is_open(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def done(self) -> float:
        """The share of the log that is behind, 0 to 1."""
        return 1.0 if self.last <= self.first else (self.position - self.first) / (self.last - self.first)


class Jobs:
    """All jobs by id, oldest first; a participant of the exchange. Dry runs are not stored."""

    def __init__(self) -> None:
        self._noted: dict[str, tuple[str, int, bytes]] = {}
        self.all: dict[str, Job] = {}

    def load(self, path: Path) -> None:
        """Read what earlier runs of the server have left; blocking."""
        with closing(sqlite3.connect(path)) as connection:
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'replay_job'").fetchone() is None:
                return
            rows = connection.execute("SELECT job FROM replay_job ORDER BY created_at_us, id").fetchall()
        for (text,) in rows:
            job = msgspec.json.decode(text, type=Job)
            self.all[job.id] = job

    def note(self, job: Job) -> None:
        """Store the job as it is now with the next commit."""
        self.all[job.id] = job
        if not job.spec.dry_run:
            self._noted[job.id] = (job.id, job.created_at_us, msgspec.json.encode(job))

    def take(self) -> Write | None:
        if not self._noted:
            return None
        noted, self._noted = list(self._noted.values()), {}

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(_CREATE)
            connection.executemany(_STORE, noted)
            connection.execute(_FORGET)

        return write
