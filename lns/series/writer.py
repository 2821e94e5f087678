"""The writing half of the SQLite store: one connection, used by one thread at a time.

Rows go in as few, large statements: the interpreter lock changes hands once a statement, and beside a busy event loop
one row a statement ends at 7,800 rows/s. Rows and position commit together.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lns.clock import DAY_US
from lns.series import aside
from lns.series.checks import problems, stored_values
from lns.series.known import Names, SeriesDays
from lns.series.migrating import migrate
from lns.series.rollups import Rollups
from lns.series.statements import pieces, upserts
from lns.series.store import Rejected, Removal, Row, Rows, WriteResult

_COLUMNS = 6
_WAL_BYTES = 64 << 20  # of log per checkpoint: a page that changes often is copied once for many commits
_WAL_BOUND_BYTES = 4 * _WAL_BYTES  # reads that always overlap keep the log from restarting; here it waits for a gap

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # A power cut may take the last commits, whole: rows and position go together, and the exchange is read again.
    "PRAGMA synchronous = NORMAL",
    f"PRAGMA wal_autocheckpoint = {_WAL_BYTES // 4096}",
    f"PRAGMA journal_size_limit = {_WAL_BYTES}",
    "PRAGMA cache_size = -65536",  # KiB
    "PRAGMA temp_store = MEMORY",  # large statements keep their undo pages here: a fifth cheaper than a file
    "PRAGMA secure_delete = OFF",
)

# One statement, so that the interpreter lock is not handed over for each device.
_DELETE = """
DELETE FROM measurement WHERE (device_id, time_us, field_id) IN (
    SELECT m.device_id, m.time_us, m.field_id FROM json_each(?) AS old
    CROSS JOIN measurement m ON m.device_id = CAST(old.key AS INTEGER) AND m.time_us <= old.value
)
"""
_FORGET_SERIES = f"""
DELETE FROM series WHERE newest_day <= ? AND NOT EXISTS (
    SELECT 1 FROM measurement m
    WHERE m.device_id = series.device_id AND m.field_id = series.field_id AND m.time_us >= newest_day * {DAY_US}
)
"""
_REMOVE = """
DELETE FROM measurement WHERE (device_id, time_us, field_id) IN (
    SELECT m.device_id, m.time_us, m.field_id FROM json_each(?) AS removed
    CROSS JOIN field ON field.name = removed.value ->> 1
    CROSS JOIN measurement m ON m.device_id = removed.value ->> 0 AND m.time_us = removed.value ->> 2
        AND m.field_id = field.id AND m.seq < removed.value ->> 3
)
"""
# Only series whose newest day lost a row are looked at: the search goes back from their newest row.
_FIND_DAYS = f"""
UPDATE series SET newest_day = coalesce((
    SELECT m.time_us / {DAY_US} FROM measurement m
    WHERE m.device_id = series.device_id AND m.field_id = series.field_id ORDER BY m.time_us DESC LIMIT 1
), -1)
WHERE (device_id, field_id) IN (
    SELECT DISTINCT removed.value ->> 0, field.id FROM json_each(?) AS removed
    CROSS JOIN field ON field.name = removed.value ->> 1
    CROSS JOIN series s ON s.device_id = removed.value ->> 0 AND s.field_id = field.id
        AND s.newest_day <= (removed.value ->> 2) / {DAY_US}
)
"""
_FORGET_EMPTY = """
DELETE FROM series WHERE newest_day < 0 AND (device_id, field_id) IN (
    SELECT removed.value ->> 0, field.id FROM json_each(?) AS removed
    CROSS JOIN field ON field.name = removed.value ->> 1
)
"""
_UPSERTS = upserts(
    "INSERT INTO measurement (device_id, field_id, time_us, value, unit_id, seq)",
    6,
    "(device_id, field_id, time_us) DO UPDATE SET "
    "value = excluded.value, unit_id = excluded.unit_id, seq = excluded.seq WHERE excluded.seq > measurement.seq",
)
_NOT_STORABLE = (sqlite3.IntegrityError, OverflowError)  # a row's own fault; all else is the engine's


class Writer:
    """Writes, sets aside, expires and retries. Every method is one transaction; sqlite3.Error means nothing changed."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self._connection = connection
        self._wal = path.with_name(path.name + "-wal") if path else None
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        migrate(connection, path)
        self._fields = Names(connection, "field")
        self._units = Names(connection, "unit")
        self._series = SeriesDays(connection)
        self._rollups = Rollups(connection)

    def write(self, rows: Rows, cursor: int | None, now_us: int, removals: Sequence[Removal] = ()) -> WriteResult:
        """See `SeriesWriter.write`; `now_us` judges what lies in the future."""
        with self._transaction():
            result = self._store(rows, now_us)
            if result.rejected:
                self._set_aside(rows, result.rejected, now_us)
            if removals:
                self._remove(removals, now_us)
            if cursor is not None:
                self._connection.execute("UPDATE position SET seq = max(seq, ?)", (cursor,))
        self._bound_wal()
        return result

    def retry(self, ids: Sequence[int], now_us: int) -> WriteResult:
        """See `SeriesWriter.retry`."""
        with self._transaction():
            found = [row for row in map(self._open_row, ids) if row is not None]
            result = self._store(Rows.of(row for _, row in found), now_us)
            again = {rejected.index: rejected for rejected in result.rejected}
            for index, (row_id, _) in enumerate(found):
                if (rejected := again.get(index)) is None:
                    self._connection.execute("UPDATE rejected SET state = 'retried' WHERE id = ?", (row_id,))
                else:
                    changed = (rejected.code, rejected.reason, row_id)
                    self._connection.execute("UPDATE rejected SET code = ?, reason = ? WHERE id = ?", changed)
        return result

    def follow(self, log_id: str) -> None:
        """See `SeriesWriter.follow`."""
        with self._transaction():
            self._connection.execute("UPDATE followed SET log = ?", (log_id,))

    def delete(self, keys: Sequence[tuple[int, int, int]], now_us: int) -> int:
        """Delete each device's rows up to the last of these keys of it, that included; returns how many."""
        newest = {device_id: time_us for device_id, time_us, _ in keys}
        with self._transaction():
            deleted = self._connection.execute(_DELETE, (json.dumps(newest),)).rowcount
            self._rollups.note([key[0] for key in keys], [key[1] for key in keys], now_us)
        self._bound_wal()
        return deleted

    def forget(self, before_us: int) -> None:
        """Delete what was set aside before `before_us`, and the fields that have no row left after its expiry."""
        with self._transaction():
            self._connection.execute("DELETE FROM rejected WHERE at_us < ?", (before_us,))
            self._connection.execute(_FORGET_SERIES, (before_us // DAY_US,))
            self._series.reload()

    def roll_up(self, now_us: int) -> bool:
        """Roll up for some milliseconds; returns whether there is more to do."""
        if not self._rollups.due(now_us):
            return False
        with self._transaction():
            more = self._rollups.piece(now_us)
        self._bound_wal()
        return more

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # a full disk has rolled back already
                self._connection.execute("ROLLBACK")
            for cache in (self._fields, self._units, self._series, self._rollups):
                cache.reload()
            raise

    def _store(self, rows: Rows, now_us: int) -> WriteResult:
        rejected = problems(rows, now_us)
        kept: Sequence[int] = range(len(rows))
        if rejected:
            bad = {r.index for r in rejected}
            kept = [i for i in kept if i not in bad]
            rows = rows.take(kept)
        ids = self._fields.ids(dict.fromkeys(rows.fields))
        field_ids = [ids[field] for field in rows.fields]
        refused: list[tuple[int, str]] = []
        accepted = self._insert(self._parameters(rows, field_ids), 0, len(rows), refused)
        self._series.note(rows, field_ids, {index for index, _ in refused}, now_us // DAY_US)
        held = rows if not refused else rows.take(sorted(set(range(len(rows))) - {index for index, _ in refused}))
        self._rollups.note(held.device_ids, held.times_us, now_us)
        superseded = len(rows) - len(refused) - accepted
        rejected += [Rejected(kept[i], "constraint", reason) for i, reason in refused]
        return WriteResult(accepted, superseded, tuple(rejected))

    def _parameters(self, rows: Rows, field_ids: list[int]) -> list[object]:
        unit_ids = self._units.ids([unit for unit in dict.fromkeys(rows.units) if unit is not None])
        parameters: list[object] = [None] * (len(rows) * _COLUMNS)
        parameters[0::6] = rows.device_ids
        parameters[1::6] = field_ids
        parameters[2::6] = rows.times_us
        parameters[3::6] = stored_values(rows.values)
        parameters[4::6] = [None if unit is None else unit_ids[unit] for unit in rows.units]
        parameters[5::6] = rows.seqs
        return parameters

    def _insert(self, parameters: list[object], first: int, count: int, refused: list[tuple[int, str]]) -> int:
        """Upsert `count` rows from row `first`, halving around rows that SQLite refuses; returns the rows changed.

        A statement that fails takes back its own rows and leaves the transaction open.
        """
        changed = 0
        for start, size in pieces(first, count):
            chunk = parameters[start * _COLUMNS : (start + size) * _COLUMNS]
            try:
                changed += self._connection.execute(_UPSERTS[size], chunk).rowcount
            except _NOT_STORABLE as error:
                if size == 1:
                    refused.append((start, str(error)))
                    continue
                half = size // 2
                changed += self._insert(parameters, start, half, refused)
                changed += self._insert(parameters, start + half, size - half, refused)
        return changed

    def _remove(self, removals: Sequence[Removal], now_us: int) -> None:
        """Delete rows by key; where they were among a series' newest ones, find its newest day again."""
        removed = json.dumps(removals)
        self._connection.execute(_REMOVE, (removed,))
        self._connection.execute(_FIND_DAYS, (removed,))
        self._connection.execute(_FORGET_EMPTY, (removed,))
        field_ids = self._fields.ids(())
        self._rollups.note([r.device_id for r in removals], [r.time_us for r in removals], now_us)
        self._series.forget((r.device_id, field_ids[r.field]) for r in removals if r.field in field_ids)

    def _set_aside(self, rows: Rows, rejected: Sequence[Rejected], now_us: int) -> None:
        bad = rows.take([r.index for r in rejected])
        for why, row in zip(rejected, bad, strict=True):
            text = aside.encode(row)
            self._connection.execute(
                "INSERT INTO rejected (digest, row, code, reason, at_us) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (aside.digest(text), text, why.code, why.reason, now_us),
            )

    def _open_row(self, row_id: int) -> tuple[int, Row] | None:
        query = "SELECT row FROM rejected WHERE id = ? AND state = 'open'"
        found = self._connection.execute(query, (row_id,)).fetchone()
        return (row_id, aside.decode(found[0])) if found else None

    def _bound_wal(self) -> None:
        if self._wal and self._wal.stat().st_size > _WAL_BOUND_BYTES:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
