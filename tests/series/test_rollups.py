"""What the roll-ups cost and when they are made: nothing for rows on time, in small steps, by themselves."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from lns.clock import DAY_US
from lns.series import rollups
from lns.series.rolled import HOUR_US
from lns.series.rollups import Rollups
from lns.series.sqlite import SqliteSeries
from lns.series.store import Rows
from lns.series.writer import Writer
from tests.series.build import Clock, run_sql, running
from tests.series.test_rolled import DAY0, START, all_rolled, expire, measured, written

V1 = Path(rollups.__file__).parent / "sql" / "0001_measurements.sql"
DAY = 96  # quarters of an hour


def marks(connection: sqlite3.Connection) -> list[tuple[int, int]]:
    return [(device, day - DAY0) for device, day in connection.execute("SELECT * FROM changed_day")]


def days(connection: sqlite3.Connection) -> list[tuple[int, int]]:
    return [(device, day - DAY0) for device, day in connection.execute("SELECT device_id, day FROM rollup")]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


def test_a_row_on_time_marks_nothing_and_a_late_one_its_day():
    with written() as (connection, writer):
        now_us = START + 3 * DAY_US + 2 * HOUR_US
        writer.write(Rows.of(measured(3 * DAY + n, 1.0, device=n) for n in range(8)), None, now_us)
        assert marks(connection) == []
        late = [measured(at, 1.0, device=device) for device in (4, 5) for at in (DAY, DAY + 1, 2 * DAY, 3 * DAY)]
        writer.write(Rows.of(late), None, now_us)
        assert marks(connection) == [(4, 1), (4, 2), (5, 1), (5, 2)]


def test_yesterday_is_left_open_for_an_hour():
    with written() as (connection, writer):
        late = Rows.of([measured(3 * DAY - 1, 1.0)])
        writer.write(late, None, START + 3 * DAY_US + HOUR_US - 1)
        assert marks(connection) == []
        writer.write(late, None, START + 3 * DAY_US + HOUR_US)
        assert marks(connection) == [(1, 2)]


def test_a_mark_that_is_there_is_not_written_again():
    with written() as (connection, writer):
        changes = []
        for seq in (1, 2, 3):
            before = connection.total_changes
            writer.write(Rows.of([measured(0, 1.0, seq=seq)]), None, START + 9 * DAY_US)
            changes.append(connection.total_changes - before)
        assert changes == [4, 1, 1]  # name, series, mark and row, then the row only


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(rollups, "_MARKED_MOST", 3)
    with written() as (connection, _):
        kept = Rollups(connection)
        for device in range(20):
            kept.note([device], [START], START + 9 * DAY_US)
        assert len(kept._marked) <= 4
        assert marks(connection) == [(device, 0) for device in range(20)]


def test_days_are_rolled_up_once_they_are_over_and_empty_ones_leapt_over():
    with written() as (connection, writer):
        writer.write(Rows.of([measured(0, 1.0), measured(0, 2.0, device=2)]), None, START)
        now_us = START + 1000 * DAY_US + HOUR_US
        steps = 0
        while writer.roll_up(now_us):
            steps += 1
        assert days(connection) == [(1, 0), (2, 0)]
        assert connection.execute("SELECT before_day FROM rolled_up").fetchall() == [(DAY0 + 1000,)]
        assert steps < 12
        assert not writer.roll_up(now_us)
        assert writer.roll_up(now_us + DAY_US)


def test_expiry_and_removal_take_rollups_away():
    with written() as (connection, writer):
        now_us = START + 9 * DAY_US
        writer.write(Rows.of(measured(day * DAY, 1.0) for day in range(4)), None, now_us)
        all_rolled(writer, now_us)
        assert days(connection) == [(1, 0), (1, 1), (1, 2), (1, 3)]
        expire(connection, writer, START + 2 * DAY_US, now_us)
        all_rolled(writer, now_us)
        assert days(connection) == [(1, 2), (1, 3)]
        assert marks(connection) == []


async def test_a_file_from_before_there_were_rollups_is_rolled_up_in_spare_time(tmp_path):
    path, clock = tmp_path / "series.db", Clock()
    clock.now_us = START + 5 * DAY_US
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(V1.read_text("utf-8"))
        connection.execute("INSERT INTO field VALUES (3, 't')")
        connection.execute("INSERT INTO series VALUES (1, 3, ?)", (DAY0 + 4,))
        for day in range(5):
            connection.execute("INSERT INTO measurement VALUES (1, 3, ?, 2.5, NULL, 1)", (START + day * DAY_US,))
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    async with running(SqliteSeries(path, clock)) as store:
        asked = (1, "t", START, START + 5 * DAY_US, 48 * HOUR_US)
        before = await store.buckets(*asked)
        assert [b.count for b in before] == [2, 2, 1]
        with closing(sqlite3.connect(path)) as connection:
            await until(lambda: len(days(connection)) == 4)  # the fifth day has no hour of grace behind it
        assert await store.buckets(*asked) == before


async def test_late_rows_are_rolled_up_in_spare_time(tmp_path):
    path, clock = tmp_path / "series.db", Clock()
    clock.now_us = START + 9 * DAY_US
    async with running(SqliteSeries(path, clock)) as store:
        with closing(sqlite3.connect(path)) as connection:
            for day in (3, 1):
                await store.write(Rows.of([measured(day * DAY, 1.0)]), None)
                await until(lambda day=day: (1, day) in days(connection) and not marks(connection))


async def test_a_rollup_that_fails_is_said_and_costs_no_write(tmp_path, caplog):
    path, clock = tmp_path / "series.db", Clock()
    clock.now_us = START + 9 * DAY_US
    async with running(SqliteSeries(path, clock)) as store:
        assert isinstance(store, SqliteSeries)
        await store.roll_up()
        run_sql(path, "ALTER TABLE rollup RENAME TO elsewhere")
        with caplog.at_level(logging.WARNING, "lns.series.sqlite"):
            await store.write(Rows.of([measured(0, 1.0)]), 1)
            await until(lambda: bool(caplog.records))
        [said] = {record.getMessage() for record in caplog.records}
        assert said == (
            f"measurements are not rolled up for now: the database {path} cannot be used: no such table: rollup"
        )
        await store.write(Rows.of([measured(1, 3.0)]), 2)
        assert await store.cursor() == 2
        run_sql(path, "ALTER TABLE elsewhere RENAME TO rollup")
        await store.roll_up()
        assert [b.sum for b in await store.buckets(1, "t", START, START + 9 * DAY_US, DAY_US)] == [4.0]


def test_a_reopened_file_goes_on_with_the_day_it_was_at(tmp_path):
    path, now_us = tmp_path / "series.db", START + 20 * DAY_US
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        Writer(connection, path).write(Rows.of(measured(n * DAY, 1.0) for n in range(9)), None, START + 9 * DAY_US)
        all_rolled(Writer(connection, path), START + 5 * DAY_US)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        held = len(days(connection))
        all_rolled(Writer(connection, path), now_us)
        assert (held, len(days(connection))) == (8, 9)
        assert marks(connection) == []
