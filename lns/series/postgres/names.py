"""What the writer remembers of its small tables, so that nearly no batch asks them. After a rollback it forgets."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from lns.clock import DAY_US
from lns.series.postgres.connecting import Conn
from lns.series.postgres.copying import escaped, plain
from lns.series.postgres.grid import instant
from lns.series.store import Rows

_NOTED_MOST = 200_000  # remembered, about 20 MB
_NOTHING: set[int] = set()
_LOW = 0xFFFF_FFFF
_ENTER = """
INSERT INTO series (device_id, field_id, newest_from)
SELECT * FROM unnest(%s::int4[], %s::int4[], %s::timestamptz[]) ORDER BY 1, 2
ON CONFLICT (device_id, field_id) DO UPDATE SET newest_from = excluded.newest_from
WHERE excluded.newest_from > series.newest_from
"""


class Names:
    """A dictionary table, name to id, whole in memory."""

    def __init__(self, connection: Conn, table: str) -> None:
        self._connection = connection
        self._table = table
        self._ids: dict[str, int] | None = None

    def forget(self) -> None:
        """Do not trust names that a rollback may have taken back."""
        self._ids = None

    def ids(self, names: Iterable[str]) -> Mapping[str, int]:
        """Ids of at least these names; new ones get one."""
        if self._ids is None:
            self._ids = self._look_up("")
        new = [escaped(name) for name in names if name not in self._ids]
        if new:
            insert = f"INSERT INTO {self._table} (name) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
            self._connection.execute(insert, (new,))
            self._ids |= self._look_up("WHERE name = ANY(%s)", (new,))
        return self._ids

    def _look_up(self, which: str, parameters: tuple[list[str], ...] = ()) -> dict[str, int]:
        found = self._connection.execute(f"SELECT name, id FROM {self._table} {which}", parameters)
        return {plain(name): number for name, number in found}


class SeriesDays:
    """The table of series. Remembers the days it has entered for each."""

    def __init__(self, connection: Conn) -> None:
        self._connection = connection
        self._noted: dict[int, set[int]] = {}  # by day: device and field, packed into one integer, which hashes faster

    def forget(self) -> None:
        """Trust nothing that was noted."""
        self._noted.clear()

    def new(self, rows: Rows, field_ids: Sequence[int]) -> Sequence[tuple[int, int]]:
        """Days and packed series of rows, one for each, empty where all are entered; asks nobody."""
        series = [device_id << 32 | field_id for device_id, field_id in zip(rows.device_ids, field_ids, strict=True)]
        day = min(rows.times_us) // DAY_US
        if max(rows.times_us) // DAY_US == day and self._of(day).issuperset(series):
            return ()
        return list(zip([time_us // DAY_US for time_us in rows.times_us], series, strict=True))

    def note(self, found: Sequence[tuple[int, int]], left_out: Collection[int]) -> None:
        """Enter what `new` has found, the rows at the indexes `left_out` excepted."""
        held = enumerate(found)
        self._enter({(day, one) for index, (day, one) in held if index not in left_out and one not in self._of(day)})

    def _of(self, day: int) -> set[int]:
        return self._noted.get(day, _NOTHING)

    def _enter(self, new: Collection[tuple[int, int]]) -> None:
        newest: dict[int, int] = {}
        for day, one in new:
            newest[one] = max(day, newest.get(one, day))
        if newest:
            columns = ([one >> 32 for one in newest], [one & _LOW for one in newest])
            starts = [instant(day * DAY_US) for day in newest.values()]
            self._connection.execute(_ENTER, (*columns, starts))
        if sum(map(len, self._noted.values())) > _NOTED_MOST:
            self._noted.clear()
        for day, one in new:
            self._noted.setdefault(day, set()).add(one)
