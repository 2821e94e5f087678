"""The writing half. Rows, removals, position and the marks of late data commit together."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from lns.clock import DAY_US
from lns.series.flood import Flood
from lns.series.postgres import copying, rejects
from lns.series.postgres.chunks import Partitions
from lns.series.postgres.connecting import Conn
from lns.series.postgres.grid import instant
from lns.series.postgres.names import Names, SeriesDays
from lns.series.postgres.paths import Batch, choose
from lns.series.postgres.rollups import mark, mark_times
from lns.series.postgres.schema import Layout
from lns.series.store import Rejected, Removal, Rows, WriteResult

_GONE = """
WITH gone AS (
    SELECT r.device_id, field.id AS field_id, r.time, r.seq
    FROM unnest(%(devices)s::int8[], %(fields)s::text[], %(times)s::timestamptz[], %(seqs)s::int8[])
        AS r (device_id, name, time, seq)
    JOIN field ON field.name = r.name
)
"""
_REMOVE = f"""{_GONE}
DELETE FROM measurement m USING gone
WHERE m.device_id = gone.device_id AND m.field_id = gone.field_id AND m.time = gone.time AND m.seq < gone.seq
    AND m.time >= %(first)s AND m.time <= %(last)s
"""
_TOUCHED = f"""{_GONE}
SELECT 1 FROM series s JOIN gone USING (device_id, field_id) WHERE s.newest_from <= gone.time LIMIT 1
"""
# Only series whose newest day lost a row are looked at: the search goes back from their newest row.
_FIND_DAYS = f"""{_GONE}
UPDATE series s SET newest_from = coalesce((
    SELECT date_trunc('day', m.time, 'UTC') FROM measurement m
    WHERE m.device_id = s.device_id AND m.field_id = s.field_id ORDER BY m.time DESC LIMIT 1
), '-infinity')
WHERE EXISTS (
    SELECT 1 FROM gone WHERE gone.device_id = s.device_id AND gone.field_id = s.field_id AND s.newest_from <= gone.time
)
"""
_MOVE = "UPDATE position SET seq = greatest(seq, %s) RETURNING rolled_to"
_SHARE = "SELECT rolled_to FROM position FOR SHARE"
_FORGET_EMPTY = "DELETE FROM series WHERE newest_from = '-infinity'"
DELETE = """
DELETE FROM measurement WHERE (device_id, field_id, time) IN (
    SELECT device_id, field_id, time FROM measurement WHERE time < %s LIMIT %s
) AND time < %s
"""
_FORGET_SERIES = """
DELETE FROM series s WHERE s.newest_from <= %s AND NOT EXISTS (
    SELECT 1 FROM measurement m
    WHERE m.device_id = s.device_id AND m.field_id = s.field_id AND m.time >= s.newest_from
)
"""


class _Stored(msgspec.Struct, frozen=True):
    """What became of a batch, the rows that were tried, and those of them that PostgreSQL refused."""

    result: WriteResult
    tried: Rows
    refused: list[Rejected]


class Writer:
    """Writes, removes, expires and retries. Every method is one transaction; psycopg.Error: nothing has changed."""

    def __init__(self, connection: Conn, layout: Layout, path: str) -> None:
        self._connection, self._layout = connection, layout
        self._partitions = Partitions(connection, layout, lambda span: mark(connection, span))
        self._fields = Names(connection, "field")
        self._units = Names(connection, "unit")
        self._series = SeriesDays(connection)
        self._path = choose(connection, path)
        self._flood = Flood()
        if layout.continuous:  # late data goes into compressed chunks, however many rows have to be unpacked for it
            connection.execute("SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0")

    def write(self, rows: Rows, cursor: int | None, now_us: int, removals: Sequence[Removal] = ()) -> WriteResult:
        """See `SeriesWriter.write`; `now_us` judges what lies in the future. StoreError: a flood of refused rows."""
        with self._storing(rows, now_us, guarded=True) as stored:
            flood = self._flood.after(len(rows), stored.refused)
            if stored.result.rejected:
                rejects.set_aside(self._connection, rows, stored.result.rejected, now_us)
            if removals:
                self._remove(removals)
            self._settle(stored.tried, cursor, removals)
        self._flood = flood
        return stored.result

    def retry(self, ids: Sequence[int], now_us: int) -> WriteResult:
        """See `SeriesWriter.retry`."""
        found = rejects.waiting(self._connection, ids)
        with self._storing(Rows.of(row for _, row in found), now_us, guarded=False) as stored:
            again = {rejected.index: rejected for rejected in stored.result.rejected}
            for index, (row_id, _) in enumerate(found):
                rejects.note_retry(self._connection, row_id, again.get(index))
            self._settle(stored.tried, None, ())
        return stored.result

    def follow(self, log_id: str) -> None:
        """See `SeriesWriter.follow`."""
        with self._transaction():
            self._connection.execute("DELETE FROM followed")
            self._connection.execute("INSERT INTO followed VALUES (%s)", (log_id,))

    def delete(self, before_us: int, limit: int) -> int:
        """Delete up to `limit` rows older than a time; returns how many."""
        before = instant(before_us)
        with self._transaction():
            deleted = self._connection.execute(DELETE, (before, limit, before)).rowcount
            if deleted:
                mark(self._connection, (self._layout.grid.chunk(before_us - 1)[0], before_us))
        return deleted

    def forget(self, before_us: int) -> None:
        """Delete what was set aside before `before_us`, and the fields that have no row left after its expiry."""
        with self._transaction():
            self._connection.execute("DELETE FROM rejected WHERE at_us < %s", (before_us,))
            self._connection.execute(_FORGET_SERIES, (instant(before_us // DAY_US * DAY_US),))
        self._forget_caches()

    @contextmanager
    def _storing(self, rows: Rows, now_us: int, guarded: bool) -> Iterator[_Stored]:
        """Store rows in a transaction that is open for as long as the block lasts."""
        rejected, kept = rejects.judge(rows, now_us)
        good = rows.take(kept) if rejected else rows
        self._partitions.cover(good.times_us)
        with self._transaction():
            reasons = rejects.Refused(guarded)
            accepted = self._store(good, reasons)
            refused = [Rejected(kept[i], rejects.CODE, reason) for i, reason in reasons.found]
            superseded = len(good) - len(refused) - accepted
            yield _Stored(WriteResult(accepted, superseded, (*rejected, *refused)), good, refused)

    def _store(self, rows: Rows, refused: rejects.Refused) -> int:
        """How many rows were stored; those PostgreSQL refused are added to `refused`."""
        if not rows:
            return 0
        ids = self._fields.ids(dict.fromkeys(rows.fields))
        field_ids = [ids[field] for field in rows.fields]
        units = self._units.ids([unit for unit in dict.fromkeys(rows.units) if unit is not None])
        unit_ids = [None if unit is None else units[unit] for unit in rows.units]
        new: list[Sequence[tuple[int, int]]] = []
        batch = Batch(rows, field_ids, unit_ids)
        accepted = self._path.store(batch, refused, lambda: new.append(self._series.new(rows, field_ids)))
        self._series.note(new[-1], {index for index, _ in refused.found})
        return accepted

    def _settle(self, rows: Rows, cursor: int | None, removals: Sequence[Removal]) -> None:
        """Move the position, and list what lies before the end of the roll-ups.

        Last, because it holds the row of the position until the commit: that end cannot move beneath us.
        """
        if cursor is None:
            settled = self._connection.execute(_SHARE, binary=True)
        else:
            settled = self._connection.execute(_MOVE, (cursor,), binary=True)
        [(rolled_us,)] = settled.fetchall()
        moments = [(removal.device_id, removal.time_us) for removal in removals if removal.time_us < rolled_us]
        if rows and min(rows.times_us) < rolled_us:
            moments += [pair for pair in zip(rows.device_ids, rows.times_us, strict=True) if pair[1] < rolled_us]
        mark_times(self._connection, moments)

    def _remove(self, removals: Sequence[Removal]) -> None:
        """Delete rows by key; where they were among a series' newest ones, find its newest day again."""
        times = [instant(r.time_us) for r in removals]
        gone: dict[str, Any] = {
            "devices": [r.device_id for r in removals],
            "fields": [copying.escaped(r.field) for r in removals],
            "times": times,
            "seqs": [r.seq for r in removals],
            "first": min(times),
            "last": max(times),
        }
        self._connection.execute(_REMOVE, gone)
        # Asked first, because what follows takes in every partition.
        if self._connection.execute(_TOUCHED, gone).fetchone() is not None:
            self._connection.execute(_FIND_DAYS, gone)
            self._connection.execute(_FORGET_EMPTY)
            self._series.forget()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with self._connection.transaction():
                yield
        except BaseException:
            self._forget_caches()
            raise

    def _forget_caches(self) -> None:
        for cache in (self._partitions, self._fields, self._units, self._series):
            cache.forget()
