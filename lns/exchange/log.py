"""The SQL side of the exchange: appends, reads and retention on one SQLite file. Blocking; runs in threads.

One row holds one group commit of one topic, so that an append costs one insert however many records it carries.
"""

import sqlite3
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Protocol

import msgspec

from lns.exchange.records import Decoded, Event, Record, Stored, Uplink

TOPICS: dict[str, type[Record]] = {"uplink": Uplink, "decoded": Decoded, "event": Event}
_encoder = msgspec.msgpack.Encoder()
_decoders = {topic: msgspec.msgpack.Decoder(list[kind]) for topic, kind in TOPICS.items()}  # type: ignore[valid-type]
_single = {topic: msgspec.msgpack.Decoder(kind) for topic, kind in TOPICS.items()}
_split = msgspec.msgpack.Decoder(list[msgspec.Raw])
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, TypeError, ValueError)

WAL_PAGES = 16_000  # the writer checkpoints past this; the checkpointer of the side thread usually comes first

Write = Callable[[sqlite3.Connection], None]
"""A participant's share of a commit."""


class Participant(Protocol):
    """Something whose state changes commit together with the log."""

    def take(self) -> Write | None:
        """What changed since the last call, as a write to run inside the transaction; called on the loop."""


class Segment(msgspec.Struct, frozen=True):
    """Consecutive records of one topic, first to last as they will stand in the log."""

    first_seq: int
    topic: str
    stored: list[Stored]

    @property
    def last_seq(self) -> int:
        return self.first_seq + len(self.stored) - 1


class Damaged(msgspec.Struct, frozen=True):
    """Records that stay in the log and that nobody can decode, `first_seq` to `last_seq`, and why."""

    topic: str
    first_seq: int
    last_seq: int
    reason: str


def connect(path: Path) -> sqlite3.Connection:
    """A connection in which every commit is on the disk before it returns."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")
    return connection


def create(connection: sqlite3.Connection) -> None:
    """Make the tables where they are missing."""
    connection.executescript(resources.files("lns.exchange").joinpath("exchange.sql").read_text("utf-8"))


def head_seq(connection: sqlite3.Connection) -> int:
    """The newest seq ever given; 0 before the first."""
    return int(connection.execute("SELECT seq FROM exchange_head").fetchone()[0])


def log_id(connection: sqlite3.Connection) -> str:
    """The id of this log, made with its tables."""
    return str(connection.execute("SELECT id FROM exchange_id").fetchone()[0])


def raise_head(connection: sqlite3.Connection, seq: int) -> None:
    """Give no seq up to this one to a record."""
    connection.execute("UPDATE exchange_head SET seq = max(seq, ?)", (seq,))


def last_commit_us(connection: sqlite3.Connection) -> int:
    """When the newest row was committed, UTC microseconds; 0: there is none."""
    row = connection.execute("SELECT at_us FROM exchange_log ORDER BY first_seq DESC LIMIT 1").fetchone()
    return 0 if row is None else int(row[0])


def positions(connection: sqlite3.Connection) -> dict[str, int]:
    """Stored positions by consumer name."""
    return dict(connection.execute("SELECT consumer, seq FROM exchange_position").fetchall())


def commit(
    connection: sqlite3.Connection,
    segments: Sequence[Segment],
    moved: dict[str, int],
    writes: Sequence[Write],
    at_us: int,
) -> None:
    """Append `segments`, store moved positions and run the participants' writes, all in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for segment in segments:
            records = _encoder.encode([stored.record for stored in segment.stored])
            connection.execute(
                "INSERT INTO exchange_log VALUES (?, ?, ?, ?, ?)",
                (segment.first_seq, segment.last_seq, segment.topic, at_us, records),
            )
        if segments:
            connection.execute("UPDATE exchange_head SET seq = ?", (segments[-1].last_seq,))
        if moved:
            connection.executemany(
                "INSERT INTO exchange_position VALUES (?, ?) ON CONFLICT (consumer) DO UPDATE SET seq = excluded.seq",
                list(moved.items()),
            )
        for write in writes:
            write(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def decode(topic: str, first_seq: int, last_seq: int, blob: object, damaged: list[Damaged]) -> list[Stored]:
    """The records of a row; what cannot be decoded is added to `damaged`, and costs its neighbours nothing."""
    try:
        records: list[Record] = _decoders[topic].decode(blob)  # type: ignore[arg-type]
        if len(records) != last_seq - first_seq + 1:
            raise ValueError(f"{len(records)} records where {last_seq - first_seq + 1} were written")
    except _UNDECODABLE as error:
        return _decode_singly(topic, first_seq, last_seq, blob, (error, damaged))
    return [Stored(seq, topic, record) for seq, record in enumerate(records, first_seq)]


def _decode_singly(
    topic: str, first_seq: int, last_seq: int, blob: object, fault: tuple[Exception, list[Damaged]]
) -> list[Stored]:
    whole, damaged = fault
    try:
        parts = _split.decode(blob)  # type: ignore[arg-type]
    except _UNDECODABLE:
        parts = []
    if len(parts) != last_seq - first_seq + 1:
        damaged.append(Damaged(topic, first_seq, last_seq, str(whole)))
        return []
    found = []
    for seq, part in enumerate(parts, first_seq):
        try:
            found.append(Stored(seq, topic, _single[topic].decode(part)))
        except _UNDECODABLE as error:
            damaged.append(Damaged(topic, seq, seq, str(error)))
    return found


def read(
    connection: sqlite3.Connection,
    after_seq: int,
    topics: frozenset[str],
    limit: int,
    damaged: list[Damaged] | None = None,
) -> tuple[list[Stored], int]:
    """Up to `limit` records of `topics` after a seq, and the seq up to which the log has now been searched.

    What cannot be decoded is passed over, and added to `damaged`.
    """
    rows = connection.execute(
        "SELECT first_seq, last_seq, topic, records FROM exchange_log WHERE first_seq >= "
        "coalesce((SELECT max(first_seq) FROM exchange_log WHERE first_seq <= ?), 0) ORDER BY first_seq",
        (after_seq + 1,),
    )
    found: list[Stored] = []
    faults: list[Damaged] = [] if damaged is None else damaged
    upto = after_seq
    for first_seq, last_seq, topic, blob in rows:
        if last_seq <= after_seq:
            continue
        if topic in topics:
            stored = decode(topic, first_seq, last_seq, blob, faults)
            if first_seq <= after_seq:
                stored = [one for one in stored if one.seq > after_seq]
            if len(found) + len(stored) >= limit:
                found += stored[: limit - len(found)]
                return found, found[-1].seq
            found += stored
        upto = last_seq
    return found, upto


def pick(connection: sqlite3.Connection, seq: int) -> Stored | None:
    """The record at `seq`, or None when retention has dropped it or it is unreadable."""
    found, _ = read(connection, seq - 1, frozenset(TOPICS), 1)
    return found[0] if found and found[0].seq == seq else None


def read_back(connection: sqlite3.Connection, before_seq: int, topic: str, limit: int) -> list[Stored]:
    """Up to `limit` records of a topic before a seq, newest first."""
    rows = connection.execute(
        "SELECT first_seq, last_seq, records FROM exchange_log WHERE first_seq < ? AND topic = ?"
        " ORDER BY first_seq DESC",
        (before_seq, topic),
    )
    found: list[Stored] = []
    for start, end, blob in rows:
        stored = decode(topic, start, end, blob, [])
        found += [one for one in reversed(stored) if one.seq < before_seq]
        if len(found) >= limit:
            break
    return found[:limit]


def seq_before(connection: sqlite3.Connection, at_us: int) -> int:
    """The last seq that was committed before a time (UTC microseconds), searched by halves: times never fall."""
    low, high = 0, head_seq(connection) + 1
    while low + 1 < high:
        middle = (low + high) // 2
        row = connection.execute(
            "SELECT last_seq, at_us FROM exchange_log WHERE first_seq > ? ORDER BY first_seq LIMIT 1", (middle - 1,)
        ).fetchone()
        if row is not None and row[1] < at_us:
            low = max(middle, row[0])
        else:
            high = middle
    return low


def first_seq(connection: sqlite3.Connection) -> int | None:
    """The oldest seq still in the log."""
    first: int | None = connection.execute("SELECT min(first_seq) FROM exchange_log").fetchone()[0]
    return first


def size_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of the pages in use, registry and sessions in the same file included."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def expire(connection: sqlite3.Connection, upto_seq: int, before_us: int, rows: int) -> int:
    """Drop at most `rows` of the oldest log rows that end at or before `upto_seq` and are older than `before_us`."""
    cursor = connection.execute(
        "DELETE FROM exchange_log WHERE first_seq IN (SELECT first_seq FROM exchange_log"
        " WHERE last_seq <= ? AND at_us < ? ORDER BY first_seq LIMIT ?)",
        (upto_seq, before_us, rows),
    )
    return cursor.rowcount
