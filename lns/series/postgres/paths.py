"""The two ways in: COPY, and arrays in one INSERT for what stands between us and the server and knows no COPY.

Both leave the row with the higher seq, and both find the rows that PostgreSQL refuses, by halving under savepoints.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec
import psycopg

from lns.exchange.records import Value
from lns.series.postgres import copying, rejects
from lns.series.postgres.connecting import Conn, is_row_fault
from lns.series.postgres.grid import instant
from lns.series.store import Rows

_logger = logging.getLogger(__name__)

_STAGED_MOST = 64  # batches that go by the staging table before the straight way is tried again

# A key that stands in a batch twice would be refused: its highest seq goes in, the first of equal ones.
_UPSERT = """
INSERT INTO measurement AS m (device_id, field_id, time, seq, number, unit_id, flag, label)
SELECT DISTINCT ON (device_id, field_id, time) device_id, field_id, time, seq, number, unit_id, flag, label
FROM {source} ORDER BY device_id, field_id, time, seq DESC, n
ON CONFLICT (device_id, field_id, time) DO UPDATE SET
    seq = excluded.seq, number = excluded.number, unit_id = excluded.unit_id, flag = excluded.flag,
    label = excluded.label
WHERE excluded.seq > m.seq
"""
INSERT = _UPSERT.format(source="staging WHERE n >= %s AND n < %s")
UNNEST = _UPSERT.format(
    source="""unnest(
    {}::int4[], {}::int4[], {}::timestamptz[], {}::int8[], {}::float8[], {}::int4[], {}::bool[], {}::text[]
) WITH ORDINALITY AS given (device_id, field_id, time, seq, number, unit_id, flag, label, n)"""
)


class Batch(msgspec.Struct, frozen=True):
    """Rows with the ids of their fields and units."""

    rows: Rows
    field_ids: list[int]
    unit_ids: list[int | None]

    def __len__(self) -> int:
        return len(self.rows)


class Path(Protocol):
    """A way in, inside the transaction of its caller."""

    def store(self, batch: Batch, refused: rejects.Refused, meanwhile: Callable[[], None]) -> int:
        """Store a batch; returns how many rows changed something, and adds the index and reason of those refused.

        `meanwhile` is called at least once, where it can be while the server has work to do.
        """


class Copying:
    """Straight into the table (most batches are new rows), by a staging table where a key is there already."""

    def __init__(self, connection: Conn) -> None:
        self._connection = connection
        self._to_stage = self._staged = 0  # batches still to go by the staging table, and how many they were
        connection.execute(copying.STAGING)
        copying.stage(connection, _encoded(Batch(Rows(), [], [])), _nothing)  # fails now where there is no COPY

    def store(self, batch: Batch, refused: rejects.Refused, meanwhile: Callable[[], None]) -> int:
        if self._copied(batch, meanwhile):
            return len(batch)
        copying.stage(self._connection, _encoded(batch), meanwhile)
        return rejects.halving(self._connection, self._insert, 0, len(batch), refused)

    def _copied(self, batch: Batch, meanwhile: Callable[[], None]) -> bool:
        """Try the straight way; after a conflict not for a while, as a replay is nothing but conflicts."""
        if self._to_stage:
            self._to_stage -= 1
            return False
        try:
            with self._connection.transaction():
                copying.copy_in(self._connection, _encoded(batch), meanwhile)
        except psycopg.Error as error:
            if not is_row_fault(error):
                raise
            self._to_stage = self._staged = min(2 * self._staged + 1, _STAGED_MOST)
            return False
        self._staged = 0
        return True

    def _insert(self, start: int, end: int) -> int:
        return self._connection.execute(INSERT, (start, end)).rowcount


class Unnesting:
    """One INSERT of arrays: no COPY, no temporary table, nothing that a connection has to remember."""

    def __init__(self, connection: Conn) -> None:
        self._connection = connection

    def store(self, batch: Batch, refused: rejects.Refused, meanwhile: Callable[[], None]) -> int:
        meanwhile()
        rows = batch.rows
        numbers, flags, labels = _by_type(rows.values)
        times = [instant(time_us) for time_us in rows.times_us]
        columns = (rows.device_ids, batch.field_ids, times, rows.seqs, numbers, batch.unit_ids, flags, labels)

        def insert(start: int, end: int) -> int:
            some = [column[start:end] for column in columns]
            return self._connection.execute(UNNEST.format(*map(_placeholder, some)), some).rowcount

        return rejects.halving(self._connection, insert, 0, len(batch), refused)


def _placeholder(column: Sequence[object]) -> str:
    """Binary, which is twice as fast; but an array of nothing but nulls has no type that it could be binary in."""
    return "%s" if column.count(None) == len(column) else "%b"


def _encoded(batch: Batch) -> Iterator[bytes]:
    return copying.encode(batch.rows, batch.field_ids, batch.unit_ids)


def _nothing() -> None:
    pass


def _by_type(values: Sequence[Value]) -> tuple[list[float | None], list[bool | None], list[str | None]]:
    numbers: list[float | None] = [None] * len(values)
    flags: list[bool | None] = [None] * len(values)
    labels: list[str | None] = [None] * len(values)
    for index, value in enumerate(values):
        if type(value) is bool:
            flags[index] = value
        elif isinstance(value, str):
            labels[index] = copying.escaped(value)
        else:
            numbers[index] = value + 0.0  # no negative zero, no integer
    return numbers, flags, labels


def choose(connection: Conn, wanted: str) -> Path:
    """The path of the setting `write_path`; auto takes COPY where the server does, and says so where it does not."""
    if wanted == "unnest":
        return Unnesting(connection)
    try:
        with connection.transaction():
            return Copying(connection)
    except (psycopg.errors.FeatureNotSupported, psycopg.errors.InsufficientPrivilege, psycopg.errors.SyntaxError) as no:
        if wanted == "copy":
            raise
        _logger.warning("rows go in as arrays, which is slower: no copy here, %s", no.diag.message_primary or no)
        return Unnesting(connection)
