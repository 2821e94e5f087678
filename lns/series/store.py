"""The seam every time-series engine implements: what a measurement is, and how stores are written and read.

Invariant of every store: a key (device, field, time) holds the value written with the highest `seq`, the exchange
position of its record, however often and in whatever order batches arrive.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

import msgspec

from lns.exchange.records import Value


class Row(msgspec.Struct, frozen=True, gc=False):
    """One measurement; `time_us` is UTC microseconds, `seq` the exchange position of its last write."""

    device_id: int
    field: str
    time_us: int
    value: Value
    unit: str | None
    seq: int


class Rows(msgspec.Struct):
    """Measurements as parallel columns of equal length: what writers take, because an object per row costs more."""

    device_ids: list[int] = []
    fields: list[str] = []
    times_us: list[int] = []
    values: list[Value] = []
    units: list[str | None] = []
    seqs: list[int] = []

    def __len__(self) -> int:
        return len(self.seqs)

    def __iter__(self) -> Iterator[Row]:
        return map(Row, self.device_ids, self.fields, self.times_us, self.values, self.units, self.seqs)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Rows":
        """Columns from single rows."""
        table = cls()
        for row in rows:
            table.device_ids.append(row.device_id)
            table.fields.append(row.field)
            table.times_us.append(row.time_us)
            table.values.append(row.value)
            table.units.append(row.unit)
            table.seqs.append(row.seq)
        return table

    def take(self, indexes: Sequence[int]) -> "Rows":
        """The rows at `indexes`, in that order."""
        rows = list(self)
        return Rows.of(rows[i] for i in indexes)


class Key(NamedTuple):
    """What identifies a measurement."""

    device_id: int
    field: str
    time_us: int


class Removal(NamedTuple):
    """A measurement that is to go, unless a record after `seq` wrote it."""

    device_id: int
    field: str
    time_us: int
    seq: int


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """A row of a batch that was set aside: its index, a slug to count by, a sentence to show."""

    index: int
    code: str
    reason: str


class WriteResult(msgspec.Struct, frozen=True):
    """What became of a batch: its rows = accepted + superseded (the store held as new or newer) + rejected."""

    accepted: int
    superseded: int
    rejected: tuple[Rejected, ...] = ()


class SetAside(msgspec.Struct, frozen=True):
    """A rejected row as the store keeps it; `state` is open or retried, `row` is JSON and exact, NaN included."""

    id: int
    row: str
    code: str
    reason: str
    at_us: int
    state: str


class Point(msgspec.Struct, frozen=True, gc=False):
    """A value of a field in time."""

    time_us: int
    value: Value
    unit: str | None


class Bucket(msgspec.Struct, frozen=True, gc=False):
    """All values of a field in [start_us, start_us + width).

    `avg`, `min`, `max` and `sum` are over the numbers; None where there are none or the result is not finite.
    """

    start_us: int
    count: int
    avg: float | None
    min: float | None
    max: float | None
    sum: float | None
    first: Value
    last: Value


class FieldInfo(msgspec.Struct, frozen=True, gc=False):
    """A field of a device with its newest value."""

    field: str
    unit: str | None
    last_value: Value
    last_at_us: int


class Caps(msgspec.Struct, frozen=True):
    """What an engine can do, for those who copy from one to another."""

    time_resolution_us: int  # keys closer than this collide
    transactional_cursor: bool  # rows and position commit together
    conditional_upsert: bool  # the engine itself lets the higher seq win; otherwise keys must be written in order


class SeriesWriter(Protocol):
    """The writing half of a store. Every method raises StoreError where the engine fails; then nothing has changed."""

    async def write(self, rows: Rows, cursor: int | None, removals: Sequence[Removal] = ()) -> WriteResult:
        """Store a batch, then remove, and in the same transaction move the position up to `cursor` (None: it stays).

        A bad row is set aside with its reason and never costs its batch. A removal is not remembered: what an earlier
        record wrote comes back when that record is applied again, until this one is too.
        """

    async def cursor(self) -> int:
        """Seq of the last record applied; 0 before the first."""

    async def log(self) -> str:
        """The id of the log that the position is of; empty: nobody has said."""

    async def follow(self, log_id: str) -> None:
        """Say of which log the position is from now on."""

    async def expire(self, before_us: int) -> int:
        """Drop what is older than `before_us`, in pieces that let writes pass between; returns the rows dropped."""

    async def rejected(self, limit: int, after_id: int = 0, state: str = "open") -> list[SetAside]:
        """Rows set aside, oldest first, those with an id above `after_id`."""

    async def retry(self, ids: Sequence[int]) -> WriteResult:
        """Write open rejected rows again; those that fail again stay open. Indexes count in the order of ids."""


class SeriesReader(Protocol):
    """The reading half of a store. Times are UTC microseconds, ranges are [from_us, to_us)."""

    async def fields(self, device_id: int) -> list[str]:
        """Names of the fields a device has, sorted."""

    async def latest(self, device_id: int) -> list[FieldInfo]:
        """The newest value of every field of a device, sorted by field."""

    async def range(self, device_id: int, field: str, from_us: int, to_us: int, limit: int) -> list[Point]:
        """The oldest `limit` points of a range; the next page starts at the last point's time + 1."""

    async def buckets(self, device_id: int, field: str, from_us: int, to_us: int, width_us: int) -> list[Bucket]:
        """Aggregates of the buckets that hold a value, oldest first; bucket starts are multiples of `width_us`.

        Only what lies in the range counts, also in the first and the last bucket.
        """

    async def at(self, moments: Sequence[tuple[int, int]]) -> Rows:
        """All rows of (device, time) pairs, in no particular order."""

    async def scan(
        self, from_us: int, to_us: int, limit: int, after: Key | None = None, seq_le: int | None = None
    ) -> Rows:
        """A page of all devices' rows in a range, device by device, in an order of keys that is the store's own.

        The next page comes after the last row's key. `seq_le` leaves out what a later record wrote.
        """


class SeriesStore(SeriesWriter, SeriesReader, Protocol):
    """A time-series engine."""

    name: str
    caps: Caps

    async def open(self) -> None:
        """Connect and bring the schema up to date; may be called again after StoreError, which says why it cannot."""

    async def setup_sql(self) -> str:
        """What `open` would run to make or update the schema; empty where nothing is missing. Need not be open."""

    async def close(self) -> None:
        """Finish what runs and let go of the engine."""
