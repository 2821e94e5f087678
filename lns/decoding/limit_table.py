"""When fields of limited devices were kept, in the file of the log, so that a limit also holds across a restart.

Written by the commit that stores what was kept: after a kill, limits and records agree. Devices without a limit have no
row and cost nothing.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from decoders.limits import Kept, Limits
from lns.exchange.log import Write

_CREATE = """
CREATE TABLE IF NOT EXISTS device_limits (
    device_id INTEGER PRIMARY KEY REFERENCES device (id) ON DELETE CASCADE,
    kept      BLOB    NOT NULL
)
"""
_STORE = "INSERT OR REPLACE INTO device_limits VALUES (?, ?)"
_LOAD = "SELECT device_id, kept FROM device_limits"


class LimitTable:
    """Limits on the disk; a participant of the exchange."""

    def __init__(self) -> None:
        self.limits = Limits()

    def load(self, path: Path) -> Limits:
        """Limits with what is stored, which are the ones whose news is written from now on; blocking. sqlite3.Error."""
        with closing(sqlite3.connect(path)) as connection:
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'device_limits'").fetchone() is None:
                return self.limits
            rows = connection.execute(_LOAD).fetchall()
        self.limits = Limits(known={device_id: msgspec.msgpack.decode(blob, type=Kept) for device_id, blob in rows})
        return self.limits

    def take(self) -> Write | None:
        if not self.limits.changed:
            return None
        changed = [(device_id, self.limits.of(device_id)) for device_id in self.limits.changed]
        rows = [(device_id, msgspec.msgpack.encode(kept)) for device_id, kept in changed if kept is not None]
        self.limits.changed.clear()

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(_CREATE)
            connection.executemany(_STORE, rows)

        return write
