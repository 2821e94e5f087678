"""The reading half of the SQLite store: functions of a connection.

The primary key leads with device and field, so that a range of one field is one run of pages. What spans fields or
devices goes from one (device, field) to the next by seeking, never by walking over rows.
"""

import sqlite3
from itertools import groupby
from math import isfinite
from operator import itemgetter

from lns.exchange.records import Value
from lns.series.store import Bucket, FieldInfo, Key, Point, Rows, SetAside

HELD_FIELDS = """
WITH RECURSIVE held (field_id) AS (
    SELECT min(field_id) FROM measurement WHERE device_id = :device
    UNION ALL
    SELECT (SELECT min(field_id) FROM measurement WHERE device_id = :device AND field_id > held.field_id)
    FROM held WHERE held.field_id IS NOT NULL
)
"""

FIELDS = f"{HELD_FIELDS} SELECT name FROM held JOIN field ON field.id = held.field_id ORDER BY name"

LATEST = f"""{HELD_FIELDS}
SELECT field.name, unit.name, newest.value, newest.time_us
FROM held
JOIN field ON field.id = held.field_id
JOIN measurement newest ON newest.device_id = :device AND newest.field_id = held.field_id AND newest.time_us = (
    SELECT max(time_us) FROM measurement WHERE device_id = :device AND field_id = held.field_id
)
LEFT JOIN unit ON unit.id = newest.unit_id
ORDER BY field.name
"""

RANGE = """
SELECT time_us, value, unit.name
FROM measurement LEFT JOIN unit ON unit.id = unit_id
WHERE device_id = :device AND field_id = (SELECT id FROM field WHERE name = :field)
    AND time_us >= :from AND time_us < :to
ORDER BY time_us LIMIT :limit
"""

BUCKETS = """
WITH bucket AS (
    SELECT device_id, field_id, time_us - time_us % :width AS start_us, count(*) AS count,
        avg(number) AS avg, min(number) AS min, max(number) AS max, sum(number) AS sum,
        min(time_us) AS first_us, max(time_us) AS last_us
    FROM (
        SELECT device_id, field_id, time_us, CASE typeof(value) WHEN 'real' THEN value END AS number FROM measurement
        WHERE device_id = :device AND field_id = (SELECT id FROM field WHERE name = :field)
            AND time_us >= :from AND time_us < :to
    )
    GROUP BY start_us
)
SELECT start_us, count, avg, min, max, sum, oldest.value, newest.value
FROM bucket
JOIN measurement oldest USING (device_id, field_id)
JOIN measurement newest USING (device_id, field_id)
WHERE oldest.time_us = first_us AND newest.time_us = last_us
ORDER BY start_us
"""

# The unary plus lets SQLite seek by both columns; without it it seeks the device and walks the rows of its fields.
# Rows come in key order unsorted: the series step in key order, and CROSS JOIN keeps them the outer loop.
SLICE = """
WITH RECURSIVE series (device_id, field_id) AS (
    SELECT * FROM (
        SELECT device_id, field_id FROM measurement WHERE (device_id, field_id) >= (:device, :field)
        ORDER BY device_id, field_id LIMIT 1
    )
    UNION ALL
    SELECT next.device_id, next.field_id FROM series CROSS JOIN measurement next
    WHERE (next.device_id, next.field_id, next.time_us) = (
        SELECT device_id, field_id, time_us FROM measurement
        WHERE (device_id, field_id) > (+series.device_id, +series.field_id)
        ORDER BY device_id, field_id, time_us LIMIT 1
    )
),
slice AS (
    SELECT m.* FROM series CROSS JOIN measurement m
    ON m.device_id = series.device_id AND m.field_id = series.field_id AND m.time_us < :to AND m.time_us >=
        CASE WHEN (series.device_id, series.field_id) = (:device, :field) THEN max(:from, :time + 1) ELSE :from END
)
"""

SCAN = f"""{SLICE}
SELECT device_id, field.name, time_us, value, unit.name, seq
FROM slice CROSS JOIN field ON field.id = field_id LEFT JOIN unit ON unit.id = unit_id
WHERE :seq_le IS NULL OR seq <= :seq_le LIMIT :limit
"""

KEYS = f"{SLICE} SELECT device_id, field_id, time_us FROM slice LIMIT :limit"

Span = tuple[int, int, int, int]
"""(device_id, field_id, first_us, last_us), both ends included."""


def position(connection: sqlite3.Connection) -> int:
    seq: int = connection.execute("SELECT seq FROM position").fetchone()[0]
    return seq


def fields(connection: sqlite3.Connection, device_id: int) -> list[str]:
    return [name for (name,) in connection.execute(FIELDS, {"device": device_id})]


def latest(connection: sqlite3.Connection, device_id: int) -> list[FieldInfo]:
    rows = connection.execute(LATEST, {"device": device_id})
    return [FieldInfo(field, unit, _value(value), time_us) for field, unit, value, time_us in rows]


def points(
    connection: sqlite3.Connection, device_id: int, field: str, from_us: int, to_us: int, limit: int
) -> list[Point]:
    rows = connection.execute(
        RANGE, {"device": device_id, "field": field, "from": from_us, "to": to_us, "limit": limit}
    )
    return [Point(time_us, _value(value), unit) for time_us, value, unit in rows]


def buckets(
    connection: sqlite3.Connection, device_id: int, field: str, from_us: int, to_us: int, width_us: int
) -> list[Bucket]:
    rows = connection.execute(
        BUCKETS, {"device": device_id, "field": field, "from": from_us, "to": to_us, "width": width_us}
    )
    return [
        Bucket(start_us, count, _finite(avg), low, high, _finite(total), _value(first), _value(last))
        for start_us, count, avg, low, high, total, first, last in rows
    ]


def scan(
    connection: sqlite3.Connection, from_us: int, to_us: int, limit: int, after: Key | None, seq_le: int | None
) -> Rows:
    start = (0, 0, 0)
    if after is not None:
        found = connection.execute("SELECT id FROM field WHERE name = ?", (after.field,)).fetchone()
        start = (after.device_id, found[0] if found else 0, after.time_us)
    rows = connection.execute(SCAN, _slice(from_us, to_us, limit, start) | {"seq_le": seq_le}).fetchall()
    if not rows:
        return Rows()
    device_ids, names, times_us, values, units, seqs = map(list, zip(*rows, strict=True))
    return Rows(device_ids, names, times_us, list(map(_value, values)), units, seqs)


def expired(
    connection: sqlite3.Connection, before_us: int, limit: int, after: tuple[int, int, int]
) -> tuple[list[Span], tuple[int, int, int] | None]:
    """Up to `limit` rows older than `before_us` as spans, and the key to go on after; None at the end."""
    keys = connection.execute(KEYS, _slice(0, before_us, limit, after)).fetchall()
    spans = []
    for (device_id, field_id), group in groupby(keys, itemgetter(0, 1)):
        times_us = [key[2] for key in group]
        spans.append((device_id, field_id, times_us[0], times_us[-1]))
    return spans, keys[-1] if len(keys) == limit else None


def rejected(connection: sqlite3.Connection, limit: int, after_id: int, state: str) -> list[SetAside]:
    rows = connection.execute(
        "SELECT id, row, code, reason, at_us, state FROM rejected WHERE state = ? AND id > ? ORDER BY id LIMIT ?",
        (state, after_id, limit),
    )
    return [SetAside(*row) for row in rows]


def _slice(from_us: int, to_us: int, limit: int, after: tuple[int, int, int]) -> dict[str, int | None]:
    device_id, field_id, time_us = after
    return {"device": device_id, "field": field_id, "time": time_us, "from": from_us, "to": to_us, "limit": limit}


def _value(stored: float | int | str) -> Value:
    return bool(stored) if type(stored) is int else stored


def _finite(number: float | None) -> float | None:
    return number if number is not None and isfinite(number) else None
