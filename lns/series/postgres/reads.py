"""The reading half: functions of a connection.

The primary key leads with device and field: a range of one field is one run of an index in each chunk it touches.
Every query of the measurements names its bounds in time, so that the planner looks at no other chunks.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from lns.clock import DAY_US
from lns.exchange.records import Value
from lns.series.postgres.connecting import Conn
from lns.series.postgres.copying import escaped, plain
from lns.series.postgres.grid import instant
from lns.series.store import FieldInfo, Key, Point, Rows, SetAside

FIELDS = "SELECT name FROM series JOIN field ON field.id = field_id WHERE device_id = %(device)s::int8"

SERIES_DAYS = """
SELECT newest_from, array_agg(field_id) FROM series WHERE device_id = %(device)s::int8 GROUP BY newest_from
"""
LATEST = """
SELECT DISTINCT ON (field_id) field.name, unit.name, number, flag, label, time
FROM measurement JOIN field ON field.id = field_id LEFT JOIN unit ON unit.id = unit_id
WHERE device_id = %(device)s::int8 AND field_id = ANY(%(fields)s) AND time >= %(from)s AND time < %(to)s
ORDER BY field_id, time DESC
"""

RANGE = """
SELECT time, number, flag, label, unit.name
FROM measurement LEFT JOIN unit ON unit.id = unit_id
WHERE device_id = %(device)s::int8 AND field_id = (SELECT id FROM field WHERE name = %(field)s)
    AND time >= %(from)s AND time < %(to)s
ORDER BY time LIMIT %(limit)s
"""

SCAN = """
SELECT device_id, field.name, time, number, flag, label, unit.name, seq
FROM (
    SELECT * FROM measurement
    WHERE time >= %(from)s AND time < %(to)s
        AND (device_id, field_id, time) > (%(device)s::int8, %(field)s::int4, %(time)s)
        AND (%(seq_le)s::int8 IS NULL OR seq <= %(seq_le)s::int8)
    ORDER BY device_id, field_id, time LIMIT %(limit)s
) page
JOIN field ON field.id = field_id LEFT JOIN unit ON unit.id = unit_id
ORDER BY device_id, field_id, time
"""

AT = """
SELECT m.device_id, field.name, m.time, m.number, m.flag, m.label, unit.name, m.seq
FROM unnest(%(devices)s::int8[], %(times)s::timestamptz[]) AS wanted (device_id, time)
JOIN series ON series.device_id = wanted.device_id
JOIN measurement m ON m.device_id = series.device_id AND m.field_id = series.field_id AND m.time = wanted.time
    AND m.time >= %(first)s AND m.time <= %(last)s
JOIN field ON field.id = m.field_id LEFT JOIN unit ON unit.id = m.unit_id
"""

_BEFORE_ALL = -(2**31)


def position(connection: Conn) -> int:
    [(seq,)] = connection.execute("SELECT seq FROM position").fetchall()
    return int(seq)


def followed(connection: Conn) -> str:
    row = connection.execute("SELECT log FROM followed").fetchone()
    return "" if row is None else str(row[0])


def fields(connection: Conn, device_id: int) -> list[str]:
    return sorted(plain(name) for (name,) in connection.execute(FIELDS, {"device": device_id}))


def latest(connection: Conn, device_id: int) -> list[FieldInfo]:
    infos = []
    days = connection.execute(SERIES_DAYS, {"device": device_id}, binary=True).fetchall()
    for from_us, field_ids in days:  # one or two, as a rule: nearly all fields come with every uplink
        asked = {"device": device_id, "fields": field_ids, "from": instant(from_us), "to": instant(from_us + DAY_US)}
        found = connection.execute(LATEST, asked, binary=True)
        infos += [FieldInfo(plain(name), _unit(unit), value_of(*value), at_us) for name, unit, *value, at_us in found]
    return sorted(infos, key=lambda info: info.field)


def points(connection: Conn, device_id: int, field: str, from_us: int, to_us: int, limit: int) -> list[Point]:
    asked = _span(device_id, field, from_us, to_us) | {"limit": limit}
    found = connection.execute(RANGE, asked, binary=True)
    return [Point(time_us, value_of(*value), _unit(unit)) for time_us, *value, unit in found]


def scan(connection: Conn, from_us: int, to_us: int, limit: int, after: Key | None, seq_le: int | None) -> Rows:
    asked = {"from": instant(from_us), "to": instant(to_us), "limit": limit, "seq_le": seq_le}
    asked |= {"device": _BEFORE_ALL, "field": _BEFORE_ALL, "time": instant(from_us)}
    if after is not None:
        known = connection.execute("SELECT id FROM field WHERE name = %s", (escaped(after.field),)).fetchone()
        asked |= {"device": after.device_id, "time": instant(after.time_us)}
        asked["field"] = known[0] if known else _BEFORE_ALL
    return _rows(connection.execute(SCAN, asked, binary=True))


def at(connection: Conn, moments: Sequence[tuple[int, int]]) -> Rows:
    if not moments:
        return Rows()
    times = [instant(time_us) for _, time_us in moments]
    devices = [device_id for device_id, _ in moments]
    asked = {"devices": devices, "times": times, "first": min(times), "last": max(times)}
    return _rows(connection.execute(AT, asked, binary=True))


def rejected(connection: Conn, limit: int, after_id: int, state: str) -> list[SetAside]:
    query = "SELECT id, row, code, reason, at_us, state FROM rejected WHERE state = %s AND id > %s ORDER BY id LIMIT %s"
    return [SetAside(*row) for row in connection.execute(query, (state, after_id, limit))]


def _span(device_id: int, field: str, from_us: int, to_us: int) -> dict[str, Any]:
    return {"device": device_id, "field": escaped(field), "from": instant(from_us), "to": instant(to_us)}


def _rows(found: Iterable[tuple[Any, ...]]) -> Rows:
    columns = list(zip(*found, strict=True))
    if not columns:
        return Rows()
    device_ids, names, times_us, numbers, flags, labels, units, seqs = columns
    return Rows(
        list(device_ids),
        [plain(name) for name in names],
        list(times_us),
        list(map(value_of, numbers, flags, labels)),
        list(map(_unit, units)),
        list(seqs),
    )


def value_of(number: float | None, flag: bool | None, label: str | None) -> Value:
    """The one of a row's three that is set."""
    if number is not None:
        return number
    return flag if flag is not None else plain(label or "")


def _unit(name: str | None) -> str | None:
    return None if name is None else plain(name)
