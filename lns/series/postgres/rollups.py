"""Keeps roll-ups up to the measurements, a piece of what is listed as stale at a time.

Roll-ups hold everything before `rolled_to` but what is listed. So a piece is taken off the list in the transaction that
makes it anew or, with continuous aggregates, after their refresh: what a reader does not find listed is right.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from lns.clock import DAY_US
from lns.series.postgres.chunks import oldest_us
from lns.series.postgres.connecting import Conn
from lns.series.postgres.grid import instant
from lns.series.postgres.rollup_sql import COLUMNS, DAY, HOUR, HOUR_US, LEVELS, MINUTE, Level, made_of
from lns.series.postgres.schema import Layout
from lns.series.postgres.spans import Span, merged, widened, within

LATE_US = 600_000_000  # uplinks come at once, as a rule: ten minutes after its end an hour is rolled up
_PIECE_US = 6 * HOUR_US
_EMPTY_US = (90 * DAY_US, 5 * DAY_US)
_MARKS = 500  # of devices, in one piece
_MARKS_AN_HOUR = 100  # from here on one mark of all devices is cheaper
_FOREVER_US = 2**62
_LOCK = 0x726F6C6C757073  # "rollups": two servers refresh one after the other

_MARK = "INSERT INTO stale (device_id, from_hour, to_hour) VALUES (%s, %s, %s)"
_MARK_HOURS = """
INSERT INTO stale (device_id, from_hour, to_hour)
SELECT device_id, start, start + interval '1 hour' FROM unnest(%s::int4[], %s::timestamptz[]) AS m (device_id, start)
"""
_OF_DEVICES = "SELECT id, device_id, from_hour, to_hour FROM stale WHERE device_id IS NOT NULL ORDER BY id LIMIT %s"
_OF_ALL = "SELECT from_hour, to_hour FROM stale WHERE device_id IS NULL ORDER BY to_hour DESC LIMIT 1"
_OVERLAPPING = "SELECT id, device_id, from_hour, to_hour FROM stale WHERE from_hour < %s AND to_hour > %s"
_HOLDS = "SELECT EXISTS (SELECT 1 FROM measurement WHERE time >= %s AND time < %s)"
_BETWEEN = "m.{clock} >= %(first)s AND m.{clock} < %(last)s"
_CHOSEN = (
    "unnest(%(devices)s::int4[], %(froms)s::timestamptz[], %(tos)s::timestamptz[]) AS chosen (device, since, until)"
)
_MATCHES = "m.device_id = chosen.device AND m.{clock} >= chosen.since AND m.{clock} < chosen.until"

Spans = Mapping[int | None, Sequence[Span]]  # by device; None: of all devices


class Piece(msgspec.Struct, frozen=True):
    """Hours to make anew, the marks that go then, and those that end at `cut_us` from then on."""

    spans: Spans
    done: Sequence[int]
    cut: Sequence[int] = ()
    cut_us: int = 0


def mark(connection: Conn, span: Span, device_id: int | None = None) -> None:
    """List the hours that a span touches as stale."""
    for start, end in widened([span], HOUR_US):
        connection.execute(_MARK, (device_id, instant(start), instant(end)))


def mark_times(connection: Conn, moments: Iterable[tuple[int, int]]) -> None:
    """List the hours of (device, time) pairs as stale."""
    hours = {(device_id, time_us // HOUR_US * HOUR_US) for device_id, time_us in moments}
    starts = {start for _, start in hours}
    if len(hours) > _MARKS_AN_HOUR * len(starts):
        listed: list[tuple[int | None, int]] = [(None, start) for start in sorted(starts)]
    else:
        listed = sorted(hours)
    if listed:
        columns = ([device_id for device_id, _ in listed], [instant(start) for _, start in listed])
        connection.execute(_MARK_HOURS, columns)


class Roller:
    """Refreshes the roll-ups of one schema."""

    def __init__(self, connection: Conn, layout: Layout, minute_days: float) -> None:
        self._connection = connection
        self._layout = layout
        self._minute_us = int(minute_days * DAY_US)

    def advance(self, now_us: int) -> None:
        """Move `rolled_to` up to the last hour that has ended; all of it is stale at first."""
        to_us = (now_us - LATE_US) // HOUR_US * HOUR_US
        with self._connection.transaction():
            query = "SELECT rolled_to, minute_from FROM position FOR UPDATE"
            [(rolled_us, minute_us)] = self._connection.execute(query, binary=True).fetchall()
            if to_us <= rolled_us:
                return
            first_us = oldest_us(self._connection, self._layout)
            if first_us is not None:
                mark(self._connection, (max(rolled_us, first_us), to_us))
            minute_us = max(minute_us, (to_us - self._minute_us) // HOUR_US * HOUR_US)
            update = "UPDATE position SET rolled_to = %s, minute_from = %s"
            self._connection.execute(update, (instant(to_us), instant(minute_us)))
        # Afterwards, because writers wait for the row that is locked above.
        if self._layout.continuous:
            drop = "SELECT drop_chunks('rollup_minute', older_than => %s::timestamptz)"
        else:
            drop = "DELETE FROM rolled_minute WHERE start < %s"
        self._connection.execute(drop, (instant(minute_us),))

    def piece(self) -> bool:
        """Make one piece anew; False where nothing was left to do."""
        if self._layout.continuous:
            piece = self._next()
            if piece is not None:
                self._refresh(piece.spans)
                with self._connection.transaction():
                    self._take_off(piece)
            return piece is not None
        with self._connection.transaction():
            [(alone,)] = self._connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,)).fetchall()
            piece = self._next() if alone else None
            if piece is not None:
                self._take_off(piece)
                self._make(piece.spans)
        return piece is not None

    def _next(self) -> Piece | None:
        found = self._connection.execute(_OF_ALL, binary=True).fetchone()
        if found is None:
            return self._next_of_devices()
        from_us, to_us = found
        from_us = self._start(from_us, to_us)
        marks = self._connection.execute(_OVERLAPPING, (instant(to_us), instant(from_us)), binary=True).fetchall()
        done = [number for number, _, start, _ in marks if start >= from_us]
        cut = [number for number, device_id, start, _ in marks if start < from_us and device_id is None]
        return Piece({None: [(from_us, to_us)]}, done, cut, from_us)

    def _start(self, from_us: int, to_us: int) -> int:
        """Where the newest piece of a span begins: what holds no measurements is one piece."""
        for width_us in _EMPTY_US:
            start_us = max(from_us, to_us - width_us)
            [(holds,)] = self._connection.execute(_HOLDS, (instant(start_us), instant(to_us))).fetchall()
            if not holds:
                return start_us
        return max(from_us, (to_us - 1) // _PIECE_US * _PIECE_US)

    def _next_of_devices(self) -> Piece | None:
        marks = self._connection.execute(_OF_DEVICES, (_MARKS,), binary=True).fetchall()
        spans: dict[int | None, list[Span]] = defaultdict(list)
        for _, device_id, start, end in marks:
            spans[device_id].append((start, end))
        merged_spans = {device_id: merged(some) for device_id, some in spans.items()}
        return Piece(merged_spans, [number for number, *_ in marks]) if marks else None

    def _take_off(self, piece: Piece) -> None:
        self._connection.execute("DELETE FROM stale WHERE id = ANY(%s)", (list(piece.done),))
        if piece.cut:
            update = "UPDATE stale SET to_hour = %s WHERE id = ANY(%s)"
            self._connection.execute(update, (instant(piece.cut_us), list(piece.cut)))

    def _make(self, spans: Spans) -> None:
        for level, wanted in self._levels(spans):
            for statement in remake(level, None in wanted):
                self._connection.execute(statement, _parameters(wanted))

    def _refresh(self, spans: Spans) -> None:
        union: Spans = {None: merged(span for some in spans.values() for span in some)}
        for level, wanted in self._levels(union):
            for start, end in wanted[None]:
                ends = f"'{instant(start)}'::timestamptz, '{instant(end)}'::timestamptz"
                self._connection.execute(f"CALL refresh_continuous_aggregate('rollup_{level.name}', {ends})")

    def _levels(self, spans: Spans) -> list[tuple[Level, Spans]]:
        """Levels, the lower first, with what of them is to be made: minutes are kept for a while, days when over."""
        query = "SELECT rolled_to, minute_from FROM position"
        [(rolled_us, minute_us)] = self._connection.execute(query, binary=True).fetchall()
        limits = {MINUTE: (minute_us, _FOREVER_US), HOUR: (0, _FOREVER_US), DAY: (0, rolled_us // DAY_US * DAY_US)}
        wanted: list[tuple[Level, Spans]] = []
        for level in LEVELS:
            whole = {of: within(widened(some, level.width_us), *limits[level]) for of, some in spans.items()}
            if kept := {of: some for of, some in whole.items() if some}:
                wanted.append((level, kept))
        return wanted


def remake(level: Level, of_all: bool) -> tuple[str, str]:
    """Statements that clear spans of a level and fill them again; parameters: first, last, devices, froms, tos."""
    table, between = f"rolled_{level.name}", _BETWEEN.format(clock=level.clock)
    start_between = _BETWEEN.format(clock="start")
    if of_all:
        clear = f"DELETE FROM {table} m WHERE {start_between}"
        which = f"WHERE {between}"
    else:
        clear = f"DELETE FROM {table} m USING {_CHOSEN} WHERE {start_between} AND {_MATCHES.format(clock='start')}"
        which = f"JOIN {_CHOSEN} ON {_MATCHES.format(clock=level.clock)} WHERE {between}"
    return clear, f"INSERT INTO {table} ({COLUMNS}) {made_of(level, which)}"


def _parameters(spans: Spans) -> dict[str, object]:
    listed = [(of, *span) for of, some in spans.items() for span in some]
    return {
        "first": instant(min(start for _, start, _ in listed)),
        "last": instant(max(end for *_, end in listed)),
        "devices": [of for of, *_ in listed],
        "froms": [instant(start) for _, start, _ in listed],
        "tos": [instant(end) for *_, end in listed],
    }
