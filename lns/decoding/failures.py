"""Failed decodes, kept beside the log so that they can be listed and retried."""

import sqlite3
from typing import Any

from lns.exchange.log import Write
from lns.exchange.records import Decoded

_OPEN = (
    'INSERT INTO decode_failure (uplink_seq, uplink_id, device_id, codec_version_id, reason, message, line, "column",'
    " at_us, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open') ON CONFLICT (uplink_seq) DO UPDATE SET"
    " codec_version_id = excluded.codec_version_id, reason = excluded.reason, message = excluded.message,"
    ' line = excluded.line, "column" = excluded."column", at_us = excluded.at_us, state = \'open\''
)


class Failures:
    """Collects failures and successful retries; a participant of the exchange."""

    def __init__(self) -> None:
        self._opened: list[tuple[Any, ...]] = []
        self._retried: list[tuple[int]] = []

    def opened(self, decoded: Decoded, at_us: int) -> None:
        """`decoded` carries a failure."""
        f = decoded.failure
        assert f is not None
        uplink = (decoded.uplink_seq, decoded.id, decoded.device_id, decoded.codec_version_id)
        self._opened.append((*uplink, f.reason, f.message, f.line, f.column, at_us))

    def retried(self, uplink_seq: int) -> None:
        """A retry went through."""
        self._retried.append((uplink_seq,))

    def take(self) -> Write | None:
        opened, retried = self._opened, self._retried
        if not opened and not retried:
            return None
        self._opened, self._retried = [], []

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(_OPEN, opened)
            connection.executemany("UPDATE decode_failure SET state = 'retried' WHERE uplink_seq = ?", retried)

        return write
