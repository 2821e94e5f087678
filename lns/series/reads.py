"""The reading half of the SQLite store: functions of a connection.

The primary key leads with device and time: a range of one device is one run of pages, in which a field is picked out.
What spans devices goes from one to the next by seeking, never by walking over rows.
"""

import json
import sqlite3
from collections.abc import Collection
from math import isfinite
from typing import Any

from lns.clock import DAY_US
from lns.exchange.records import Value
from lns.series.store import Bucket, FieldInfo, Key, Point, Rows, SetAside

Part = tuple[int, int, int, float | None, float | None, float | None, float | int | str, float | int | str]
"""A bucket, or a part of one: start, rows, numbers among them, their sum, least, greatest; first, last as stored."""

FIELDS = "SELECT name FROM series JOIN field ON field.id = field_id WHERE device_id = :device ORDER BY name"

LATEST = f"""
SELECT field.name, unit.name, newest.value, newest.time_us
FROM series
JOIN field ON field.id = series.field_id
JOIN measurement newest ON newest.device_id = :device AND newest.field_id = series.field_id AND newest.time_us = (
    SELECT time_us FROM measurement
    WHERE device_id = :device AND field_id = series.field_id AND time_us >= series.newest_day * {DAY_US}
    ORDER BY time_us DESC LIMIT 1
)
LEFT JOIN unit ON unit.id = newest.unit_id
WHERE series.device_id = :device
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
        count(number) AS numbers, sum(number) AS sum, min(number) AS min, max(number) AS max,
        min(time_us) AS first_us, max(time_us) AS last_us
    FROM (
        SELECT device_id, field_id, time_us, CASE typeof(value) WHEN 'real' THEN value END AS number FROM measurement
        WHERE device_id = :device AND field_id = (SELECT id FROM field WHERE name = :field)
            AND time_us >= :from AND time_us < :to
    )
    GROUP BY start_us
)
SELECT start_us, count, numbers, sum, min, max, oldest.value, newest.value
FROM bucket
JOIN measurement oldest USING (device_id, field_id)
JOIN measurement newest USING (device_id, field_id)
WHERE oldest.time_us = first_us AND newest.time_us = last_us
ORDER BY start_us
"""

# Rows come in key order unsorted: the devices step upwards, and CROSS JOIN keeps them the outer loop.
SLICE = """
WITH RECURSIVE device (id) AS (
    SELECT min(device_id) FROM measurement WHERE device_id >= :device
    UNION ALL
    SELECT (SELECT min(device_id) FROM measurement WHERE device_id > device.id) FROM device WHERE id IS NOT NULL
),
slice AS (
    SELECT m.* FROM device CROSS JOIN measurement m
    ON m.device_id = device.id AND m.time_us < :to
        AND m.time_us >= CASE device.id WHEN :device THEN max(:from, :time) ELSE :from END
        AND (m.device_id, m.time_us, m.field_id) > (:device, :time, :field)
)
"""

SCAN = f"""{SLICE}
SELECT device_id, field.name, time_us, value, unit.name, seq
FROM slice CROSS JOIN field ON field.id = field_id LEFT JOIN unit ON unit.id = unit_id
WHERE :seq_le IS NULL OR seq <= :seq_le LIMIT :limit
"""

AT = """
SELECT m.device_id, field.name, m.time_us, m.value, unit.name, m.seq
FROM json_each(:moments) AS wanted
CROSS JOIN measurement m ON m.device_id = wanted.value ->> 0 AND m.time_us = wanted.value ->> 1
CROSS JOIN field ON field.id = m.field_id LEFT JOIN unit ON unit.id = m.unit_id
"""

KEYS = f"{SLICE} SELECT device_id, time_us, field_id FROM slice LIMIT :limit"


def position(connection: sqlite3.Connection) -> int:
    seq: int = connection.execute("SELECT seq FROM position").fetchone()[0]
    return seq


def followed(connection: sqlite3.Connection) -> str:
    log_id: str = connection.execute("SELECT log FROM followed").fetchone()[0]
    return log_id


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
    return list(map(bucket, rows))


def bucket(part: Part) -> Bucket:
    """A whole bucket as readers get it."""
    start_us, count, numbers, total, low, high, first, last = part
    if total is None or not isfinite(total):  # opposite infinities add up to none
        return Bucket(start_us, count, None, low, high, None, _value(first), _value(last))
    return Bucket(start_us, count, total / numbers, low, high, total, _value(first), _value(last))


def scan(
    connection: sqlite3.Connection, from_us: int, to_us: int, limit: int, after: Key | None, seq_le: int | None
) -> Rows:
    start = (0, 0, 0)
    if after is not None:
        found = connection.execute("SELECT id FROM field WHERE name = ?", (after.field,)).fetchone()
        start = (after.device_id, after.time_us, found[0] if found else 0)
    rows = connection.execute(SCAN, _slice(from_us, to_us, limit, start) | {"seq_le": seq_le}).fetchall()
    return _rows(rows)


def at(connection: sqlite3.Connection, moments: Collection[tuple[int, int]]) -> Rows:
    return _rows(connection.execute(AT, {"moments": json.dumps(list(moments))}).fetchall())


def expired(
    connection: sqlite3.Connection, before_us: int, limit: int, after: tuple[int, int, int]
) -> tuple[list[tuple[int, int, int]], bool]:
    """Keys of up to `limit` rows older than `before_us` that come after a key, and whether there may be more."""
    keys = connection.execute(KEYS, _slice(0, before_us, limit, after)).fetchall()
    return keys, len(keys) == limit


def rejected(connection: sqlite3.Connection, limit: int, after_id: int, state: str) -> list[SetAside]:
    rows = connection.execute(
        "SELECT id, row, code, reason, at_us, state FROM rejected WHERE state = ? AND id > ? ORDER BY id LIMIT ?",
        (state, after_id, limit),
    )
    return [SetAside(*row) for row in rows]


def _slice(from_us: int, to_us: int, limit: int, after: tuple[int, int, int]) -> dict[str, int | None]:
    device_id, time_us, field_id = after
    return {"device": device_id, "field": field_id, "time": time_us, "from": from_us, "to": to_us, "limit": limit}


def _rows(found: list[tuple[Any, ...]]) -> Rows:
    if not found:
        return Rows()
    device_ids, names, times_us, values, units, seqs = map(list, zip(*found, strict=True))
    return Rows(device_ids, names, times_us, list(map(_value, values)), units, seqs)


def _value(stored: float | int | str) -> Value:
    return bool(stored) if type(stored) is int else stored
