"""What the network must not forget, written in the same transaction as the log: counters, nonces, sessions, queues.

Everything here is a set of changes since the last commit; `take` freezes them into one write.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

from lns.exchange.log import Write
from lns.mac.queue import DownlinkItem
from lns.mac.session import Session

_ROWS = (500, 100, 20, 5, 1)
_MOVED = {
    n: "UPDATE session SET fcnt_up = v.column2, fcnt_down = v.column3, last_uplink_at_us = v.column4 FROM (VALUES "
    + ", ".join(["(?, ?, ?, ?)"] * n)
    + ") AS v WHERE session.id = v.column1"
    for n in _ROWS
}
"""One statement for many rows: the interpreter lock is handed over once a statement, not once a row."""

_NEW_SESSION = (
    "INSERT INTO session (id, device_id, region, dev_addr, nwk_s_key, app_s_key, fcnt_up, fcnt_down, rx1_delay_s,"
    " rx1_dr_offset, rx2_dr, rx2_freq_hz, state, created_at_us, last_uplink_at_us)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_DOWNLINK = (
    "INSERT INTO downlink (id, device_id, position, fport, payload, confirmed, state, reason, enqueued_at_us,"
    " expires_at_us, fcnt_down, updated_at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET state = excluded.state, reason = excluded.reason,"
    " position = excluded.position, fcnt_down = excluded.fcnt_down, updated_at_us = excluded.updated_at_us"
)


class NetworkState:
    """Collects changes; a participant of the exchange."""

    def __init__(self) -> None:
        self._moved: dict[int, Session] = {}
        self._new: list[tuple[Any, ...]] = []
        self._promoted: list[tuple[int]] = []
        self._removed: list[tuple[int]] = []
        self._nonces: list[tuple[int, int, int]] = []
        self._join_nonces: dict[int, int] = {}
        self._downlinks: dict[str, tuple[Any, ...]] = {}

    def moved(self, session: Session) -> None:
        """A counter of `session` has advanced."""
        self._moved[session.id] = session

    def created(self, session: Session, state: str, now_us: int) -> None:
        """A new session, in state pending (after a join) or active."""
        s = session
        s.created_at_us = now_us
        identity = (s.id, s.device.id, s.device.region.name, s.dev_addr, s.nwk_s_key, s.app_s_key)
        windows = (s.rx1_delay_s, s.rx1_dr_offset, s.rx2_dr, s.rx2_freq_hz)
        self._new.append((*identity, s.fcnt_up, s.fcnt_down, *windows, state, now_us, s.last_uplink_at_us))

    def promoted(self, session: Session) -> None:
        """A pending session has become the active one."""
        self._promoted.append((session.id,))

    def removed(self, session: Session) -> None:
        self._moved.pop(session.id, None)
        self._removed.append((session.id,))

    def joined(self, device_id: int, dev_nonce: int, join_nonce: int, now_us: int) -> None:
        """A DevNonce was accepted and a JoinNonce given."""
        self._nonces.append((device_id, dev_nonce, now_us))
        self._join_nonces[device_id] = join_nonce

    def downlink(self, item: DownlinkItem, now_us: int) -> None:
        """A downlink is new or has changed its state."""
        content = (item.id, item.device_id, item.position, item.fport, item.payload, item.confirmed)
        times = (item.enqueued_at_us, item.expires_at_us, item.fcnt_down, now_us)
        self._downlinks[item.id] = (*content, item.state, item.reason, *times)

    def take(self) -> Write | None:
        """Freeze what has gathered, as a write for the next commit."""
        moved = [
            value
            for session in self._moved.values()
            for value in (session.id, session.fcnt_up, session.fcnt_down, session.last_uplink_at_us)
        ]
        rare = (self._new, self._promoted, self._removed, self._nonces, self._join_nonces, self._downlinks)
        if not moved and not any(rare):
            return None
        join_nonces = [(nonce, device_id) for device_id, nonce in self._join_nonces.items()]
        new, promoted, removed, nonces = self._new, self._promoted, self._removed, self._nonces
        downlinks = list(self._downlinks.values())
        NetworkState.__init__(self)

        def write(connection: sqlite3.Connection) -> None:
            _many(connection, "INSERT OR IGNORE INTO dev_nonce (device_id, nonce, at_us) VALUES (?, ?, ?)", nonces)
            _many(connection, "UPDATE device SET join_nonce = ? WHERE id = ?", join_nonces)
            _many(connection, _NEW_SESSION, new)
            _many(connection, "DELETE FROM session WHERE id = ?", removed)
            _many(connection, "UPDATE session SET state = 'active' WHERE id = ?", promoted)
            _many(connection, _DOWNLINK, downlinks)
            write_moved(connection, moved)

        return write


def _many(connection: sqlite3.Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        connection.executemany(sql, rows)


def write_moved(connection: sqlite3.Connection, flat: list[Any]) -> None:
    """Write (id, fcnt_up, fcnt_down, last_uplink_at_us) of many sessions in few statements."""
    at = 0
    for rows in _ROWS:
        while len(flat) - at >= rows * 4:
            connection.execute(_MOVED[rows], flat[at : at + rows * 4])
            at += rows * 4
