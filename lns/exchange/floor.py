"""What of the log is needed although its readers have passed it: a decoded record tells no more without its uplink."""

import sqlite3
from collections.abc import Iterable

from lns.exchange import log
from lns.exchange.records import Decoded

LOOKED_AT = 21_000
"""Decoded records; the decoder passes 20,000 uplinks at most whose records come later, and reads 1000 at once."""

_DECODED = frozenset({"decoded"})
_JOINED = frozenset({"uplink", "decoded"})


def floor(connection: sqlite3.Connection, places: Iterable[tuple[int, frozenset[str]]]) -> int:
    """The seq up to which no reader needs anything, of readers' positions and topics; 0 where there is no reader."""
    known = list(places)
    joining = [position for position, topics in known if topics >= _JOINED]
    behind = [_uplinks_before(connection, min(joining))] if joining else []
    return min([position for position, _ in known] + behind, default=0)


def _uplinks_before(connection: sqlite3.Connection, position: int) -> int:
    """The seq before the oldest uplink in the log whose decoded record stands after a position."""
    first = log.first_seq(connection) or 0
    found, _ = log.read(connection, position, _DECODED, LOOKED_AT)
    uplinks = [stored.record.uplink_seq for stored in found if isinstance(stored.record, Decoded)]
    return min((seq - 1 for seq in uplinks if seq >= first), default=position)
