"""Failed decodes, kept beside the log so that they can be listed and retried."""

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from lns.exchange.log import Write
from lns.exchange.records import Decoded, Stored, Uplink

_OPEN = (
    'INSERT INTO decode_failure (uplink_seq, uplink_id, device_id, codec_version_id, reason, message, line, "column",'
    " at_us, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open') ON CONFLICT (uplink_seq) DO UPDATE SET"
    " codec_version_id = excluded.codec_version_id, reason = excluded.reason, message = excluded.message,"
    ' line = excluded.line, "column" = excluded."column", at_us = excluded.at_us, state = \'open\''
)
_WAIT = (
    "INSERT OR IGNORE INTO decode_failure (uplink_seq, uplink_id, device_id, codec_version_id, reason, message, at_us,"
    " state) VALUES (?, ?, ?, ?, 'waiting', 'it is being decoded', ?, 'waiting')"
)
_SETTLE = "DELETE FROM decode_failure WHERE uplink_seq = ? AND state = 'waiting'"
_WAITING = "SELECT uplink_seq FROM decode_failure WHERE state = 'waiting' ORDER BY uplink_seq"


class Failures:
    """Collects failures, successful retries and what is not decoded yet; a participant of the exchange."""

    def __init__(self) -> None:
        self._opened: list[tuple[Any, ...]] = []
        self._retried: list[tuple[int]] = []
        self._waiting: list[tuple[Any, ...]] = []
        self._settled: list[tuple[int]] = []

    def opened(self, decoded: Decoded, at_us: int) -> None:
        """`decoded` carries a failure."""
        f = decoded.failure
        assert f is not None
        uplink = (decoded.uplink_seq, decoded.id, decoded.device_id, decoded.codec_version_id)
        self._opened.append((*uplink, f.reason, f.message, f.line, f.column, at_us))

    def retried(self, uplink_seq: int) -> None:
        """A retry went through."""
        self._retried.append((uplink_seq,))

    def waiting(self, stored: Sequence[Stored], codec_version_id: int | None) -> None:
        """The reader of the log goes on, these uplinks are decoded later."""
        at_us = time.time_ns() // 1000
        for one in stored:
            if isinstance(one.record, Uplink):
                uplink = one.record
                self._waiting.append((one.seq, uplink.id, uplink.device_id, codec_version_id, at_us))

    def settled(self, uplink_seqs: Sequence[int]) -> None:
        """They wait no longer; their records are put at the same time."""
        self._settled += [(seq,) for seq in uplink_seqs]

    def still_waiting(self, path: Path) -> list[int]:
        """Seqs of uplinks that waited when the server ended, oldest first; blocking. sqlite3.Error."""
        with closing(sqlite3.connect(path)) as connection:
            return [seq for (seq,) in connection.execute(_WAITING)]

    def take(self) -> Write | None:
        opened, retried, waiting, settled = self._opened, self._retried, self._waiting, self._settled
        if not (opened or retried or waiting or settled):
            return None
        self._opened, self._retried, self._waiting, self._settled = [], [], [], []

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(_WAIT, waiting)
            connection.executemany(_SETTLE, settled)
            connection.executemany(_OPEN, opened)
            connection.executemany("UPDATE decode_failure SET state = 'retried' WHERE uplink_seq = ?", retried)

        return write
