"""What the network must not forget, written in the same transaction as the log: counters, nonces, sessions, queues.

Everything here is a set of changes since the last commit; `take` freezes them into one write.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from lns.exchange.log import Write
from lns.mac.queue import DownlinkItem
from lns.mac.session import Device, Session

_ROWS = (500, 100, 20, 5, 1)
_MOVED = {
    n: "UPDATE session SET fcnt_up = v.column2, fcnt_down = v.column3, last_uplink_at_us = v.column4 FROM (VALUES "
    + ", ".join(["(?, ?, ?, ?)"] * n)
    + ") AS v WHERE session.id = v.column1"
    for n in _ROWS
}
"""One statement for many rows: the interpreter lock is handed over once a statement, not once a row."""

_NEW_SESSION = (
    "INSERT INTO session (id, device_id, region, dev_addr, keys, minor, fcnt_up, fcnt_down, afcnt_down, rx1_delay_s,"
    " rx1_dr_offset, rx2_dr, rx2_freq_hz, radio, state, created_at_us, last_uplink_at_us)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_RADIO = "UPDATE session SET rx1_delay_s = ?, rx1_dr_offset = ?, rx2_dr = ?, rx2_freq_hz = ?, radio = ? WHERE id = ?"
_DOWNLINK = (
    "INSERT INTO downlink (id, device_id, position, fport, payload, confirmed, state, reason, enqueued_at_us,"
    " expires_at_us, fcnt_down, updated_at_us, priority, attempts, at_us)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET state = excluded.state, reason = excluded.reason, position = excluded.position,"
    " fport = excluded.fport, payload = excluded.payload, confirmed = excluded.confirmed, priority = excluded.priority,"
    " expires_at_us = excluded.expires_at_us, at_us = excluded.at_us, attempts = excluded.attempts,"
    " fcnt_down = excluded.fcnt_down, updated_at_us = excluded.updated_at_us"
)
_JOINED = (
    "UPDATE device SET join_nonce = ?, join_eui = coalesce(join_eui, ?), rj_count0 = ?, rj_count1 = ? WHERE id = ?"
)


class NetworkState:
    """Collects changes; a participant of the exchange. `seal` encrypts keys for the disk."""

    def __init__(self, seal: Callable[[bytes], bytes]) -> None:
        self._seal = seal
        self._forget()

    def _forget(self) -> None:
        self._moved: dict[int, Session] = {}
        self._radios: dict[int, Session] = {}
        self._new: list[tuple[Any, ...]] = []
        self._promoted: list[tuple[int]] = []
        self._removed: list[tuple[int]] = []
        self._nonces: list[tuple[int, int, int]] = []
        self._joined: dict[int, Device] = {}
        self._downlinks: dict[str, tuple[Any, ...]] = {}
        self._multicast: list[tuple[str, tuple[Any, ...]]] = []

    def moved(self, session: Session) -> None:
        """A counter of `session` has advanced."""
        self._moved[session.id] = session

    def retuned(self, session: Session) -> None:
        """Receive windows or radio of `session` are others than before."""
        self._radios[session.id] = session

    def created(self, session: Session, state: str, now_us: int) -> None:
        """A new session, in state pending (after a join) or active."""
        s = session
        s.created_at_us = now_us
        identity = (s.id, s.device.id, s.device.region.name, s.dev_addr, self._seal(session_octets(s)), s.minor)
        counters = (s.fcnt_up, s.fcnt_down, s.afcnt_down)
        windows = (s.rx1_delay_s, s.rx1_dr_offset, s.rx2_dr, s.rx2_freq_hz)
        self._new.append((*identity, *counters, *windows, radio_octets(s), state, now_us, s.last_uplink_at_us))

    def promoted(self, session: Session) -> None:
        """A pending session has become the active one."""
        self._promoted.append((session.id,))

    def removed(self, session: Session) -> None:
        self._moved.pop(session.id, None)
        self._radios.pop(session.id, None)
        self._removed.append((session.id,))

    def joined(self, device: Device, dev_nonce: int | None, now_us: int) -> None:
        """A request was granted: the device's JoinNonce and RJcounts are others, and a DevNonce is used."""
        self._joined[device.id] = device
        if dev_nonce is not None:
            self._nonces.append((device.id, dev_nonce, now_us))

    def downlink(self, item: DownlinkItem, now_us: int) -> None:
        """A downlink is new or has changed its state."""
        content = (item.id, item.device_id, item.position, item.fport, item.payload, item.confirmed)
        times = (item.enqueued_at_us, item.expires_at_us, item.fcnt_down, now_us)
        self._downlinks[item.id] = (
            *content,
            item.state,
            item.reason,
            *times,
            item.priority,
            item.attempts,
            item.at_us,
        )

    def multicast(self, sql: str, values: tuple[Any, ...]) -> None:
        """A statement of the multicast groups, which are few and change seldom; in the order given."""
        self._multicast.append((sql, values))

    def take(self) -> Write | None:
        """Freeze what has gathered, as a write for the next commit."""
        moved: list[Any] = []
        moved_1_1: list[tuple[int, int]] = []
        for session in self._moved.values():
            moved += (session.id, session.fcnt_up, session.fcnt_down, session.last_uplink_at_us)
            if session.keys_1_1 is not None:
                moved_1_1.append((session.afcnt_down, session.id))
        radios = [_radio_row(session) for session in self._radios.values()]
        joined = [
            (d.join_nonce, d.join_eui, _count(d.rj_count0), _count(d.rj_count1), d.id) for d in self._joined.values()
        ]
        new, promoted, removed, nonces = self._new, self._promoted, self._removed, self._nonces
        downlinks, multicast = list(self._downlinks.values()), self._multicast
        if not (moved or radios or joined or new or promoted or removed or downlinks or multicast):
            return None
        self._forget()

        def write(connection: sqlite3.Connection) -> None:
            _many(connection, "INSERT OR IGNORE INTO dev_nonce (device_id, nonce, at_us) VALUES (?, ?, ?)", nonces)
            _many(connection, _JOINED, joined)
            _many(connection, _NEW_SESSION, new)
            _many(connection, "DELETE FROM session WHERE id = ?", removed)
            _many(connection, "UPDATE session SET state = 'active' WHERE id = ?", promoted)
            _many(connection, _RADIO, radios)
            _many(connection, "UPDATE session SET afcnt_down = ? WHERE id = ?", moved_1_1)
            _many(connection, _DOWNLINK, downlinks)
            for sql, values in multicast:
                connection.execute(sql, values)
            write_moved(connection, moved)

        return write


def session_octets(session: Session) -> bytes:
    """The keys of a session in the order they are stored in: two of 1.0, four of 1.1."""
    if session.keys_1_1 is None:
        return session.nwk_s_key + session.app_s_key
    keys = session.keys_1_1
    return keys.f_nwk_s_int_key + keys.s_nwk_s_int_key + keys.nwk_s_enc_key + keys.app_s_key


def radio_octets(session: Session) -> bytes | None:
    """What is stored of a session's radio; None stands for the region's defaults."""
    return session.radio_octets if session.radio is None else session.radio.dump()


def _radio_row(session: Session) -> tuple[Any, ...]:
    windows = (session.rx1_delay_s, session.rx1_dr_offset, session.rx2_dr, session.rx2_freq_hz)
    return (*windows, radio_octets(session), session.id)


def _count(rj_count: int) -> int | None:
    return None if rj_count < 0 else rj_count


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
