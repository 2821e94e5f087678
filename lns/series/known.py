"""What the writer remembers of its tables, so that nearly no batch asks them. After a rollback it is to forget."""

import sqlite3
from collections.abc import Collection, Iterable, Sequence

from lns.clock import DAY_US
from lns.series.statements import pieces, upserts
from lns.series.store import Rows

_NOTED_MOST = 200_000  # remembered, about 30 MB
_ENTER = upserts(
    "INSERT INTO series (device_id, field_id, newest_day)",
    3,
    "(device_id, field_id) DO UPDATE SET newest_day = excluded.newest_day WHERE excluded.newest_day > newest_day",
)


class Names:
    """A dictionary table, name to id, whole in memory."""

    def __init__(self, connection: sqlite3.Connection, table: str) -> None:
        self._connection = connection
        self._table = table
        self._ids: dict[str, int] = {}
        self.reload()

    def reload(self) -> None:
        """Forget names that a rollback took back."""
        self._ids = dict(self._connection.execute(f"SELECT name, id FROM {self._table}"))

    def ids(self, names: Collection[str]) -> dict[str, int]:
        """Ids of at least these names; new ones get one."""
        for name in names:
            if name not in self._ids:
                insert = f"INSERT INTO {self._table} (name) VALUES (?) RETURNING id"
                self._ids[name] = self._connection.execute(insert, (name,)).fetchone()[0]
        return self._ids


class SeriesDays:
    """The table of series. Remembers which of them it holds with the newest day or a later one."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._day = 0
        self._noted: set[tuple[int, int]] = set()

    def reload(self) -> None:
        """Trust nothing that was noted."""
        self._noted.clear()

    def forget(self, series: Iterable[tuple[int, int]]) -> None:
        """Do not trust what was noted of these, device and field id: rows of theirs were removed."""
        self._noted.difference_update(series)

    def note(self, rows: Rows, field_ids: Sequence[int], left_out: Collection[int], today: int) -> None:
        """Enter the series and days of rows, those at the indexes `left_out` excepted."""
        newest = max(rows.times_us, default=0) // DAY_US
        if self._day < min(newest, today):  # a device whose clock is ahead does not turn the day for all
            self._day = min(newest, today)
            self._noted.clear()
        pairs = zip(rows.device_ids, field_ids, strict=True)
        if newest <= self._day and not left_out and self._noted.issuperset(pairs):
            return
        self._enter(rows, field_ids, left_out)

    def _enter(self, rows: Rows, field_ids: Sequence[int], left_out: Collection[int]) -> None:
        days: dict[tuple[int, int], int] = {}
        for index, pair in enumerate(zip(rows.device_ids, field_ids, strict=True)):
            day = rows.times_us[index] // DAY_US
            if (pair not in self._noted or day > self._day) and day > days.get(pair, 0) and index not in left_out:
                days[pair] = day
        flat = [part for (device_id, field_id), day in days.items() for part in (device_id, field_id, day)]
        for start, size in pieces(0, len(days)):
            self._connection.execute(_ENTER[size], flat[start * 3 : (start + size) * 3])
        if len(self._noted) > _NOTED_MOST:
            self._noted.clear()
        self._noted.update(pair for pair, day in days.items() if day >= self._day)
