"""Aggregates by buckets: from roll-ups what they hold, from the measurements the rest, in one snapshot.

The answer is what the measurements alone would give, late data included: hours that are listed as stale are left to
those. Only a sum may differ in its last digits, as it is added up in another order.
"""

from collections.abc import Iterable
from math import isfinite
from typing import Any

import msgspec
import psycopg

from lns.exchange.records import Value
from lns.series.postgres.connecting import Conn
from lns.series.postgres.copying import escaped
from lns.series.postgres.grid import instant
from lns.series.postgres.reads import value_of
from lns.series.postgres.rollup_sql import LEVELS, MINUTE, Level, binned
from lns.series.postgres.schema import Layout
from lns.series.postgres.spans import Span, widened, without
from lns.series.store import Bucket

# PostgreSQL refuses a sum that overflows: then it adds up scaled numbers, and the factor is multiplied back in here.
OF_MEASUREMENTS = """
SELECT start, count(*), count(number), min(number), max(number), sum(number * %(scale)s::float8),
    max(number) FILTER (WHERE oldest), bool_or(flag) FILTER (WHERE oldest), max(label) FILTER (WHERE oldest),
    max(number) FILTER (WHERE newest), bool_or(flag) FILTER (WHERE newest), max(label) FILTER (WHERE newest)
FROM (
    SELECT start, number, flag, label,
        lag(start) OVER in_time IS DISTINCT FROM start AS oldest,
        lead(start) OVER in_time IS DISTINCT FROM start AS newest
    FROM (
        SELECT date_bin(%(width)s * interval '1 microsecond', time, timestamptz 'epoch') AS start,
            time, number, flag, label
        FROM measurement
        WHERE device_id = %(device)s::int8 AND field_id = (SELECT id FROM field WHERE name = %(field)s)
            AND time >= %(from)s AND time < %(to)s
    ) measured
    WINDOW in_time AS (ORDER BY time)
) ended
GROUP BY start ORDER BY start
"""
_SCALE = 2.0**-64
_WHICH = """
WHERE m.device_id = %(device)s::int8 AND m.field_id = (SELECT id FROM field WHERE name = %(field)s)
    AND m.start >= %(from)s AND m.start < %(to)s
"""
_OF_ROLLUPS = """
SELECT start, count, numbers, huge, min, max, sum,
    first_number, first_flag, first_label, last_number, last_flag, last_label FROM ({rolled}) rolled ORDER BY start
"""
_LIMITS = "SELECT rolled_to, minute_from FROM position"
_STALE = """
SELECT from_hour, to_hour FROM stale
WHERE (device_id = %(device)s::int8 OR device_id IS NULL) AND from_hour < %(to)s AND to_hour > %(from)s
"""
_MOST_SPANS = 20  # more than that, and one look at all the measurements is cheaper


class Asked(msgspec.Struct, frozen=True):
    """Buckets of `width_us` of a device's field in [from_us, to_us)."""

    device_id: int
    field: str
    from_us: int
    to_us: int
    width_us: int

    @property
    def span(self) -> Span:
        """The whole range."""
        return self.from_us, self.to_us

    def parameters(self, span: Span) -> dict[str, Any]:
        """Of a query on a part of the range."""
        return {
            "device": self.device_id,
            "field": escaped(self.field),
            "from": instant(span[0]),
            "to": instant(span[1]),
            "width": self.width_us,
        }


class Part(msgspec.Struct, frozen=True, gc=False):
    """What a part of the range gives to a bucket; `sum` is infinite or no number where it does not fit a float64."""

    start_us: int
    count: int
    numbers: int
    min: float | None
    max: float | None
    sum: float
    first: Value
    last: Value

    def joined(self, later: "Part") -> "Part":
        """This one and what a later part of the range gives to the same bucket."""
        lows = [low for low in (self.min, later.min) if low is not None]
        highs = [high for high in (self.max, later.max) if high is not None]
        return Part(
            self.start_us,
            self.count + later.count,
            self.numbers + later.numbers,
            min(lows, default=None),
            max(highs, default=None),
            self.sum + later.sum,
            self.first,
            later.last,
        )

    def bucket(self) -> Bucket:
        """The bucket, when all parts are joined."""
        total = self.sum if self.numbers and isfinite(self.sum) else None
        average = None if total is None else total / self.numbers
        return Bucket(self.start_us, self.count, average, self.min, self.max, total, self.first, self.last)


def buckets(connection: Conn, layout: Layout, asked: Asked) -> list[Bucket]:
    """See `SeriesReader.buckets`."""
    level = level_of(asked.width_us)
    if level is None or asked.to_us - asked.from_us < level.width_us:
        return [part.bucket() for part in _of_measurements(connection, asked, asked.span)]
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        parts = _parts(connection, layout, asked, level)
    return [part.bucket() for part in joined(parts)]


def level_of(width_us: int) -> Level | None:
    """The widest level that buckets of this width are made of."""
    return next((level for level in reversed(LEVELS) if width_us % level.width_us == 0), None)


def joined(parts: Iterable[Part]) -> list[Part]:
    """Parts in the order of time, those of one bucket joined."""
    found: list[Part] = []
    for part in parts:
        if found and found[-1].start_us == part.start_us:
            found[-1] = found[-1].joined(part)
        else:
            found.append(part)
    return found


def of_rollups(source: str) -> str:
    """The query of buckets from a table or aggregate of roll-ups."""
    return _OF_ROLLUPS.format(rolled=binned(source, "%(width)s * interval '1 microsecond'", _WHICH))


def _parts(connection: Conn, layout: Layout, asked: Asked, level: Level) -> list[Part]:
    rolled = _rolled(connection, asked, level)
    if len(rolled) > _MOST_SPANS:
        return _of_measurements(connection, asked, asked.span)
    source = f"{'rollup' if layout.continuous else 'rolled'}_{level.name}"
    found: list[Part] = []
    for span in sorted([*rolled, *without(asked.span, rolled)]):
        if span not in rolled:
            found += _of_measurements(connection, asked, span)
        elif (some := _of_rollups(connection, asked, span, source)) is not None:
            found += some
        else:
            return _of_measurements(connection, asked, asked.span)
    return found


def _rolled(connection: Conn, asked: Asked, level: Level) -> list[Span]:
    """The parts of the range whose roll-ups are right."""
    [(rolled_us, minute_us)] = connection.execute(_LIMITS, binary=True).fetchall()
    stale = connection.execute(_STALE, asked.parameters(asked.span), binary=True).fetchall()
    width_us = level.width_us
    start_us = max(asked.from_us, minute_us) if level is MINUTE else asked.from_us
    whole = (-(-start_us // width_us) * width_us, min(asked.to_us, rolled_us) // width_us * width_us)
    return without(whole, widened(stale, width_us))


def _of_rollups(connection: Conn, asked: Asked, span: Span, source: str) -> list[Part] | None:
    """Parts from roll-ups; None where one of them had to leave numbers out of its sum."""
    found = []
    for start_us, count, numbers, huge, low, high, total, *ends in connection.execute(
        of_rollups(source), asked.parameters(span), binary=True
    ):
        if huge:
            return None
        found.append(_part((start_us, count, numbers, low, high, total, *ends), 1.0))
    return found


def _of_measurements(connection: Conn, asked: Asked, span: Span) -> list[Part]:
    parameters = asked.parameters(span)
    try:
        with connection.transaction():
            found = connection.execute(OF_MEASUREMENTS, parameters | {"scale": 1.0}, binary=True)
            return [_part(row, 1.0) for row in found]
    except psycopg.errors.NumericValueOutOfRange:
        found = connection.execute(OF_MEASUREMENTS, parameters | {"scale": _SCALE}, binary=True)
        return [_part(row, 1 / _SCALE) for row in found]


def _part(row: tuple[Any, ...], factor: float) -> Part:
    start_us, count, numbers, low, high, total, *ends = row
    added = 0.0 if total is None else total * factor
    return Part(start_us, count, numbers, low, high, added, value_of(*ends[:3]), value_of(*ends[3:]))
