"""What happened to the log that a person should know of: numbers that were passed over, records that are unreadable.

Kept in the log's own file, so that it can be looked up after a restart.
"""

import sqlite3
from typing import Any, Literal

import msgspec

from lns.clock import DAY_US, now_us
from lns.exchange.log import Damaged, Write

KEPT = 1000
SHOWN = 100
ALERT_US = 7 * DAY_US
"""How long a notice is an alert; `lns exchange status` shows it longer."""


class Notice(msgspec.Struct, frozen=True):
    """Seqs from `first_seq` to `last_seq`, both included; `kind` is gap or unreadable, times are UTC microseconds."""

    kind: Literal["gap", "unreadable"]
    first_seq: int
    last_seq: int
    text: str
    at_us: int


class Notices:
    """All that is kept, oldest first; a participant of the exchange."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], Notice] = {}
        self._new: list[Notice] = []

    def load(self, connection: sqlite3.Connection) -> None:
        """Read what earlier processes have noted."""
        rows = connection.execute(
            "SELECT kind, first_seq, last_seq, text, at_us FROM exchange_notice ORDER BY at_us, first_seq"
        )
        self._kept = {(row[0], row[1]): Notice(*row) for row in rows}

    def gap(self, first_seq: int, last_seq: int, text: str) -> None:
        """These numbers are given to no record."""
        self._add(Notice("gap", first_seq, last_seq, text, now_us()))

    def unreadable(self, damaged: Damaged) -> bool:
        """These records stay in the log and nobody can read them; False: that is known."""
        text = f"{damaged.topic} records cannot be read: {damaged.reason}"
        return self._add(Notice("unreadable", damaged.first_seq, damaged.last_seq, text, now_us()))

    def take(self) -> Write | None:
        if not self._new:
            return None
        new, self._new = self._new, []

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT OR IGNORE INTO exchange_notice VALUES (?, ?, ?, ?, ?)",
                [(one.kind, one.first_seq, one.last_seq, one.text, one.at_us) for one in new],
            )
            connection.execute(
                "DELETE FROM exchange_notice WHERE at_us < (SELECT at_us FROM exchange_notice"
                f" ORDER BY at_us DESC LIMIT 1 OFFSET {KEPT})"
            )

        return write

    def missing(self, after_seq: int) -> int:
        """How many numbers after a seq were given to no record."""
        return sum(
            one.last_seq - one.first_seq + 1
            for one in self._kept.values()
            if one.kind == "gap" and one.first_seq > after_seq
        )

    def newest(self) -> list[dict[str, Any]]:
        """The newest ones first, JSON-ready."""
        return [msgspec.to_builtins(one) for one in list(reversed(self._kept.values()))[:SHOWN]]

    def alerts(self) -> list[tuple[str, str]]:
        """Kind and text of those that are young."""
        since_us = now_us() - ALERT_US
        young = [one for one in self._kept.values() if one.at_us > since_us]
        return [(one.kind, f"seq {one.first_seq} to {one.last_seq}: {one.text}") for one in young[-SHOWN:]]

    def _add(self, notice: Notice) -> bool:
        key = notice.kind, notice.first_seq
        if key in self._kept:
            return False
        self._kept[key] = notice
        self._new.append(notice)
        if len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        return True
