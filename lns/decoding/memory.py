"""What scripts have asked to remember of each device: their own state, and the values they gave last.

Kept in the file of the log and written by the commit that moves the reader's position, so that after a kill each uplink
finds what the one before it left. A state belongs to a session: it ends when the device joins again.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from decoders.contract import Result
from lns.decoding.codecs import Codec
from lns.exchange.log import Write
from lns.exchange.records import Uplink

MAX_PREVIOUS_BYTES = 16_384  # of JSON; the values of a larger uplink are not there for the next

_CREATE = """
CREATE TABLE IF NOT EXISTS device_memory (
    job       TEXT    NOT NULL,  -- the id of a replay, empty for live uplinks
    device_id INTEGER NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    codec     TEXT    NOT NULL,
    session   BLOB    NOT NULL,
    state     TEXT    NOT NULL,
    previous  TEXT    NOT NULL,
    PRIMARY KEY (job, device_id)
) WITHOUT ROWID
"""
_STORE = "INSERT OR REPLACE INTO device_memory VALUES (?, ?, ?, ?, ?, ?)"
_DROP = "DELETE FROM device_memory WHERE job = ?"
_LOAD = "SELECT device_id, codec, session, state, previous FROM device_memory WHERE job = ?"


class Memory(msgspec.Struct, frozen=True, gc=False):
    """Of one device. Empty texts: nothing yet."""

    codec: str
    session: bytes
    state: str = ""
    previous: str = ""


class MemoryTable:
    """Memories on the disk; a participant of the exchange."""

    def __init__(self) -> None:
        self._noted: dict[tuple[str, int], Memory] = {}
        self._dropped: set[str] = set()

    def load(self, path: Path, job: str) -> dict[int, Memory]:
        """What is stored for a job, by device; blocking. sqlite3.Error."""
        with closing(sqlite3.connect(path)) as connection:
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'device_memory'").fetchone() is None:
                return {}
            return {row[0]: Memory(*row[1:]) for row in connection.execute(_LOAD, (job,))}

    def note(self, job: str, device_id: int, memory: Memory) -> None:
        """Store it with the next commit."""
        self._noted[(job, device_id)] = memory

    def drop(self, job: str) -> None:
        """A job is over."""
        self._noted = {key: memory for key, memory in self._noted.items() if key[0] != job}
        self._dropped.add(job)

    def take(self) -> Write | None:
        if not self._noted and not self._dropped:
            return None
        rows = [
            (job, device_id, memory.codec, memory.session, memory.state, memory.previous)
            for (job, device_id), memory in self._noted.items()
        ]
        dropped = [(job,) for job in self._dropped]
        self._noted, self._dropped = {}, set()

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(_CREATE)
            connection.executemany(_DROP, dropped)
            connection.executemany(_STORE, rows)

        return write


class Memories:
    """What is remembered by one reader of uplinks. Without a table it is forgotten with this object."""

    def __init__(self, known: dict[int, Memory] | None = None, table: MemoryTable | None = None, job: str = "") -> None:
        self._known = {} if known is None else known
        self._table, self._job = table, job
        self._below: Memories | None = None

    def aside(self) -> "Memories":
        """A copy that can go on: this one does not change with it."""
        copy = Memories()
        copy._below = self
        return copy

    def settle(self) -> None:
        """What this copy has learned is what the original knows from now on."""
        assert self._below is not None
        for device_id, memory in self._known.items():
            self._below._put(device_id, memory)

    def of(self, codec: Codec, uplink: Uplink) -> Memory:
        """What is there for an uplink: nothing of another codec, no state of another session."""
        found = self._find(uplink.device_id)
        session = session_of(uplink)
        if found is None or found.codec != codec.name:
            return Memory(codec.name, session)
        return found if found.session == session else Memory(codec.name, session, "", found.previous)

    def note(self, codec: Codec, uplink: Uplink, result: Result) -> None:
        """An uplink was decoded; a failure leaves everything as it was."""
        if result.error is not None or not codec.needs.memory:
            return
        before = self.of(codec, uplink)
        state = before.state if result.state is None else result.state
        text = result.data_json if codec.needs.previous and len(result.data_json) <= MAX_PREVIOUS_BYTES else b""
        memory = Memory(before.codec, before.session, state, text.decode())
        if memory != self._find(uplink.device_id):
            self._put(uplink.device_id, memory)

    def _find(self, device_id: int) -> Memory | None:
        found = self._known.get(device_id)
        return found if found is not None or self._below is None else self._below._find(device_id)

    def _put(self, device_id: int, memory: Memory) -> None:
        self._known[device_id] = memory
        if self._table is not None:
            self._table.note(self._job, device_id, memory)


def session_of(uplink: Uplink) -> bytes:
    """The session in an uplink's id."""
    return uplink.id[:8]
