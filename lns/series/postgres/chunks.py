"""Pieces of the time axis: native partitions made on demand, hypertable chunks, and dropping old ones of both.

There is no default partition: with one, no partition can be detached beside running queries.
"""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

import msgspec

from lns.clock import DAY_US
from lns.series.postgres.connecting import Conn
from lns.series.postgres.grid import instant
from lns.series.postgres.schema import Layout
from lns.series.postgres.spans import Span

_PREFIX = "measurement_"
_FINALIZE = "ALTER TABLE measurement DETACH PARTITION {} FINALIZE"

# Also what a stop has left between detaching and dropping: nothing else carries these names.
_PARTITIONS = r"""
SELECT c.relname, i.inhrelid IS NOT NULL, coalesce(i.inhdetachpending, false)
FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = 'measurement'::regclass
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname ~ '^measurement_\d{8}$'
ORDER BY c.relname
"""
CHUNKS = """
SELECT format('%%I.%%I', chunk_schema, chunk_name), range_start, range_end FROM timescaledb_information.chunks
WHERE hypertable_schema = current_schema() AND hypertable_name = 'measurement' AND range_end <= %s ORDER BY range_end
"""
_FIRST_CHUNK = """
SELECT min(range_start) FROM timescaledb_information.chunks
WHERE hypertable_schema = current_schema() AND hypertable_name = 'measurement'
"""
DROP_CHUNK = "SELECT drop_chunks('measurement', older_than => %s::timestamptz, newer_than => %s::timestamptz)"


class Chunk(msgspec.Struct, frozen=True):
    """A table of measurements with `from_us` <= time < `to_us`; `state` is attached, pending or detached."""

    table: str
    from_us: int
    to_us: int
    state: str = "attached"


class Partitions:
    """Makes the partitions that rows need. Does nothing for a hypertable, which makes its own.

    `returned` is told of the times of a partition that is there again, in the transaction that brings it back.
    """

    def __init__(self, connection: Conn, layout: Layout, returned: Callable[[Span], None]) -> None:
        self._connection = connection
        self._layout = layout
        self._returned = returned
        self._known: set[int] | None = None

    def forget(self) -> None:
        """Look again which there are."""
        self._known = None

    def cover(self, times_us: Collection[int]) -> None:
        """Make what is missing for rows of these times, each in a transaction of its own."""
        if self._layout.kind != "native":
            return
        known = self._known
        if known is None:
            attached = (chunk for chunk in _partitions(self._connection, self._layout) if chunk.state == "attached")
            known = self._known = {chunk.from_us for chunk in attached}
        if not times_us:
            return
        grid = self._layout.grid
        wanted = {grid.chunk(min(times_us)), grid.chunk(max(times_us))}
        if len(wanted) > 1:
            days = {time_us // DAY_US for time_us in times_us}
            wanted = {grid.chunk(day * DAY_US) for day in days}
        for from_us, to_us in sorted(wanted):
            if from_us not in known:
                self._make(from_us, to_us)
                known.add(from_us)

    def _make(self, from_us: int, to_us: int) -> None:
        start, end = instant(from_us), instant(to_us)
        name = f"{_PREFIX}{start:%Y%m%d}"
        left = next((chunk for chunk in _partitions(self._connection, self._layout) if chunk.table == name), None)
        if left is not None and left.state == "attached":
            return
        if left is not None and left.state == "pending":
            self._connection.execute(_FINALIZE.format(name))
        # Made apart and then attached: unlike CREATE TABLE .. PARTITION OF, that waits for no reader.
        with self._connection.transaction():
            if left is None:
                self._connection.execute(f"CREATE TABLE {name} (LIKE measurement INCLUDING ALL)")
            else:  # an expiry ended before it could drop it; the next one will
                self._returned((from_us, to_us))
            self._connection.execute(
                f"ALTER TABLE measurement ATTACH PARTITION {name} FOR VALUES FROM ('{start}') TO ('{end}')"
            )


def whole_chunks_us(layout: Layout, before_us: int) -> int:
    """The last end of a chunk up to `before_us`: a retention to that time drops chunks and deletes no rows."""
    return layout.grid.chunk(before_us)[0]


def oldest_us(connection: Conn, layout: Layout) -> int | None:
    """Where the first chunk begins; None without any."""
    if layout.kind == "native":
        return min(
            (chunk.from_us for chunk in _partitions(connection, layout) if chunk.state == "attached"), default=None
        )
    row = connection.execute(_FIRST_CHUNK, binary=True).fetchone()
    return None if row is None else row[0]


def old(connection: Conn, layout: Layout, before_us: int) -> list[Chunk]:
    """Chunks that hold nothing from `before_us` on, oldest first."""
    if layout.kind == "native":
        return [chunk for chunk in _partitions(connection, layout) if chunk.to_us <= before_us]
    found = connection.execute(CHUNKS, (instant(before_us),), binary=True)
    return [Chunk(table, from_us, to_us) for table, from_us, to_us in found]


def drop(connection: Conn, layout: Layout, chunk: Chunk) -> int:
    """Drop a chunk; returns how many rows it held. Readers and writers of other chunks go on meanwhile."""
    if layout.kind == "native":
        if chunk.state == "attached":
            connection.execute(f"ALTER TABLE measurement DETACH PARTITION {chunk.table} CONCURRENTLY")
        elif chunk.state == "pending":
            connection.execute(_FINALIZE.format(chunk.table))
        held = _count(connection, chunk)
        connection.execute(f"DROP TABLE {chunk.table}")
        return held
    held = _count(connection, chunk)
    connection.execute(DROP_CHUNK, (instant(chunk.to_us), instant(chunk.from_us)))
    return held


def _count(connection: Conn, chunk: Chunk) -> int:
    row = connection.execute(f"SELECT count(*) FROM {chunk.table}").fetchone()
    return 0 if row is None else int(row[0])


def _partitions(connection: Conn, layout: Layout) -> list[Chunk]:
    found = []
    for name, attached, pending in connection.execute(_PARTITIONS):
        from_us, to_us = layout.grid.chunk(_day_us(name.removeprefix(_PREFIX)))
        state = "pending" if pending else "attached" if attached else "detached"
        found.append(Chunk(name, from_us, to_us, state))
    return found


def _day_us(text: str) -> int:
    day = datetime(int(text[:4]), int(text[4:6]), int(text[6:]), tzinfo=UTC)
    return (day - instant(0)) // timedelta(microseconds=1)
