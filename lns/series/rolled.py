"""Reading with roll-ups: whole days from a row each, what is left of a range and days that changed row by row.

The answer is the one that the rows give; only the last bits of a sum may differ, as it is added up in another order.
"""

import sqlite3
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, pairwise
from math import fsum
from operator import itemgetter

import msgspec

from lns.clock import DAY_US
from lns.errors import StoreError
from lns.series import reads
from lns.series.reads import Part
from lns.series.store import Bucket

HOUR_US = 3_600_000_000

# Sums of numbers beyond overflow in one order and not in another: with these, rows are read in theirs.
_HUGE = 1e290

_BEFORE = "SELECT before_day FROM rolled_up"
CHANGED = "SELECT day FROM changed_day WHERE device_id = :device AND day >= :first AND day < :end ORDER BY day"
ROLLED = """
SELECT day, hours FROM rollup
WHERE device_id = :device AND field_id = (SELECT id FROM field WHERE name = :field) AND day >= :first AND day < :end
ORDER BY day
"""

Hour = tuple[int, int, int, float | None, float | None, float | None, float | int | str, float | int | str]
"""Hour of the day, rows, numbers among them, sum, least and greatest of these, first and last value as stored."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(
    tuple[
        list[int],
        list[int],
        list[int],
        list[float | None],
        list[float | None],
        list[float | None],
        list[float | int | str],
        list[float | int | str],
    ]
).decode


def pack(hours: Sequence[Hour]) -> bytes:
    """The hours of a day, column by column: equal and similar numbers stand together, and half of it is saved."""
    return zlib.compress(_encode(tuple(zip(*hours, strict=True))), 1)


def unpack(packed: bytes) -> Iterator[Hour]:
    """What `pack` was given; StoreError where it is something else."""
    try:
        return zip(*_decode(zlib.decompress(packed)), strict=True)
    except (zlib.error, msgspec.DecodeError) as error:
        raise StoreError(f"a roll-up of measurements is damaged: {error}") from error


def buckets(
    connection: sqlite3.Connection, device_id: int, field: str, from_us: int, to_us: int, width_us: int
) -> list[Bucket]:
    """See `SeriesReader.buckets`."""
    if width_us % HOUR_US or to_us - from_us < DAY_US:
        return reads.buckets(connection, device_id, field, from_us, to_us, width_us)
    connection.execute("BEGIN")  # one state of the tables for all the statements
    try:
        parts = list(_parts(connection, {"device": device_id, "field": field}, from_us, to_us, width_us))
        if any(map(_is_huge, parts)):
            return reads.buckets(connection, device_id, field, from_us, to_us, width_us)
    finally:
        if connection.in_transaction:
            connection.execute("COMMIT")
    return [reads.bucket(_joined(list(same))) for _, same in groupby(parts, itemgetter(0))]


def _parts(
    connection: sqlite3.Connection, asked: dict[str, int | str], from_us: int, to_us: int, width_us: int
) -> Iterator[Part]:
    """Aggregates in the order of time; those of one bucket stand side by side."""
    [(before,)] = connection.execute(_BEFORE)
    days = {"first": -(-from_us // DAY_US), "end": min(to_us // DAY_US, before)}
    changed = [day for (day,) in connection.execute(CHANGED, asked | days)]
    rolled = connection.execute(ROLLED, asked | days).fetchall()
    # Between two of these days lie days that are rolled up; the days themselves are read row by row.
    rolled_days = [day for day, _ in rolled]
    edges = [days["first"] - 1, *changed, max(days["end"], days["first"])]
    raw_from = from_us
    for before_run, after_run in pairwise(edges):
        run = rolled[bisect_right(rolled_days, before_run) : bisect_left(rolled_days, after_run)]
        if before_run + 1 < after_run:
            yield from _rows(connection, asked, raw_from, (before_run + 1) * DAY_US, width_us)
            yield from _hours(run, width_us)
            raw_from = after_run * DAY_US
    yield from _rows(connection, asked, raw_from, to_us, width_us)


def _rows(
    connection: sqlite3.Connection, asked: dict[str, int | str], from_us: int, to_us: int, width_us: int
) -> Iterable[Part]:
    if from_us >= to_us:
        return ()
    return connection.execute(reads.BUCKETS, asked | {"from": from_us, "to": to_us, "width": width_us}).fetchall()


def _hours(run: Iterable[tuple[int, bytes]], width_us: int) -> Iterator[Part]:
    return chain.from_iterable(
        [((day * 24 + hour[0]) * HOUR_US // width_us * width_us, *hour[1:]) for hour in unpack(hours)]
        for day, hours in run
    )


def _is_huge(part: Part) -> bool:
    low, high = part[4:6]
    return low is not None and high is not None and (low < -_HUGE or high > _HUGE)


def _joined(parts: Sequence[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    starts, counts, numbers, sums, lows, highs, firsts, lasts = zip(*parts, strict=True)
    held = sum(numbers)
    if not held:
        return starts[0], sum(counts), 0, None, None, None, firsts[0], lasts[-1]
    total = fsum(part for part in sums if part is not None)
    low = min(part for part in lows if part is not None)
    high = max(part for part in highs if part is not None)
    return starts[0], sum(counts), held, total, low, high, firsts[0], lasts[-1]
