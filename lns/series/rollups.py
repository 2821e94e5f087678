"""Keeps the roll-ups: hourly aggregates of all days that are over, one row per device, field and day.

A row that is written, removed or dropped on a day that is over marks the day of its device as changed, in the same
transaction; it is read row by row until it is rolled up anew. Of today nothing is marked: rows on time cost nothing.
"""

import sqlite3
from collections.abc import Sequence
from itertools import groupby
from time import monotonic

from lns.clock import DAY_US
from lns.series.rolled import HOUR_US, pack
from lns.series.statements import pieces, upserts

_GRACE_US = HOUR_US  # after midnight, in which the last rows of a day may come
_PIECE_S = 0.01  # a write waits for so long at most, and for one day of one device
_MARKED_MOST = 200_000  # remembered, about 30 MB
_BEFORE_ALL = -(2**63)

HOURS = f"""
WITH hour AS (
    SELECT field_id, time_us / {HOUR_US} AS hour, count(*) AS count,
        count(number) AS numbers, sum(number) AS sum, min(number) AS min, max(number) AS max,
        min(time_us) AS first_us, max(time_us) AS last_us
    FROM (
        SELECT field_id, time_us, CASE typeof(value) WHEN 'real' THEN value END AS number FROM measurement
        WHERE device_id = :device AND time_us >= :from AND time_us < :to
    )
    GROUP BY field_id, hour
)
SELECT hour.field_id, hour % 24, count, numbers, sum, min, max, oldest.value, newest.value
FROM hour
JOIN measurement oldest ON oldest.device_id = :device AND oldest.time_us = first_us AND oldest.field_id = hour.field_id
JOIN measurement newest ON newest.device_id = :device AND newest.time_us = last_us AND newest.field_id = hour.field_id
ORDER BY hour.field_id, hour
"""
# Steps from one field of the device to the next, because the day stands after the field.
CLEAR = """
WITH RECURSIVE held (field_id) AS (
    SELECT min(field_id) FROM rollup WHERE device_id = :device
    UNION ALL
    SELECT (SELECT min(field_id) FROM rollup WHERE device_id = :device AND field_id > held.field_id)
    FROM held WHERE field_id IS NOT NULL
)
DELETE FROM rollup WHERE device_id = :device AND day = :day AND field_id IN (SELECT field_id FROM held)
"""
NEXT_DEVICE = "SELECT min(device_id) FROM series WHERE device_id > :device"
NEXT_TIME = "SELECT min(time_us) FROM measurement WHERE device_id = :device AND time_us >= :to"
_MARK = upserts("INSERT INTO changed_day (device_id, day)", 2, "DO NOTHING")


class Rollups:
    """The roll-ups of a database. After a rollback it is to forget.

    Days are finished one after the other, each for all devices; those on which no device has a row are leapt over.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._over = 0  # days before this one are over, and marked where they change
        self.reload()

    def reload(self) -> None:
        """Trust nothing that was remembered, and begin the day in progress again."""
        [(self._day,)] = self._connection.execute("SELECT before_day FROM rolled_up")
        self._over = max(self._over, self._day)
        self._marked: set[tuple[int, int]] = set()
        self._any_marked = True  # or so it may be
        self._begin_day()

    def note(self, device_ids: Sequence[int], times_us: Sequence[int], now_us: int) -> None:
        """Mark what rows of these devices and times change, as far as it is over."""
        self._see(now_us)
        end_us = self._over * DAY_US
        if not times_us or min(times_us) >= end_us:
            return
        moments = set(zip(device_ids, times_us, strict=True))  # the rows of an uplink are one
        changed = {(device_id, time_us // DAY_US) for device_id, time_us in moments if time_us < end_us}
        changed -= self._marked
        flat = [number for mark in changed for number in mark]
        for start, size in pieces(0, len(changed)):
            self._connection.execute(_MARK[size], flat[start * 2 : (start + size) * 2])
        if len(self._marked) > _MARKED_MOST:
            self._marked.clear()
        self._marked |= changed
        self._any_marked = True

    def due(self, now_us: int) -> bool:
        """Whether there may be something to roll up."""
        self._see(now_us)
        return self._any_marked or self._day < self._over

    def piece(self, now_us: int) -> bool:
        """Roll up for a moment; returns whether there may be more."""
        end = monotonic() + _PIECE_S
        while self.due(now_us):
            self._step()
            if monotonic() > end:
                break
        return self.due(now_us)

    def _see(self, now_us: int) -> None:
        # Never back, though the clock may be: what was rolled up stays marked when it changes.
        self._over = max(self._over, (now_us - _GRACE_US) // DAY_US)

    def _step(self) -> None:
        if self._any_marked:
            found = self._connection.execute("SELECT device_id, day FROM changed_day LIMIT 1").fetchone()
            if found:
                self._roll(*found)
                return
            self._any_marked = False
        if self._day < self._over:
            self._visit()

    def _begin_day(self) -> None:
        self._device = _BEFORE_ALL
        # Rows that come from now on are marked on days before this one, and on no later ones.
        self._next_day = self._over

    def _visit(self) -> None:
        """Roll up the day for the next device, or go on to the next day."""
        [(device_id,)] = self._connection.execute(NEXT_DEVICE, {"device": self._device})
        if device_id is None:
            self._day = max(self._day + 1, self._next_day)
            self._connection.execute("UPDATE rolled_up SET before_day = ?", (self._day,))
            self._begin_day()
            return
        self._roll(device_id, self._day)
        self._device = device_id
        [(time_us,)] = self._connection.execute(NEXT_TIME, {"device": device_id, "to": (self._day + 1) * DAY_US})
        if time_us is not None:
            self._next_day = min(self._next_day, time_us // DAY_US)

    def _roll(self, device_id: int, day: int) -> None:
        asked = {"device": device_id, "day": day, "from": day * DAY_US, "to": (day + 1) * DAY_US}
        self._connection.execute(CLEAR, asked)
        hours = self._connection.execute(HOURS, asked).fetchall()
        self._connection.executemany(
            "INSERT INTO rollup VALUES (?, ?, ?, ?)",
            [
                (device_id, field_id, day, pack([hour[1:] for hour in of_field]))
                for field_id, of_field in groupby(hours, lambda hour: hour[0])
            ],
        )
        self._connection.execute("DELETE FROM changed_day WHERE device_id = :device AND day = :day", asked)
        self._marked.discard((device_id, day))
