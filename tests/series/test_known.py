"""What the writer remembers agrees with its tables."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lns.clock import DAY_US
from lns.series import known
from lns.series.known import Names, SeriesDays
from tests.series.build import row, rows

SCHEMA = Path(known.__file__).parent / "sql" / "0001_measurements.sql"
TODAY = 20_000


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        opened.executescript(SCHEMA.read_text("utf-8"))
        yield opened


def entered(connection: sqlite3.Connection) -> list[tuple[int, int, int]]:
    return connection.execute("SELECT * FROM series ORDER BY device_id, field_id").fetchall()


def on(day: int, device: int = 1) -> object:
    return row(day * DAY_US - 1_790_000_000_000_000, device=device)


def test_a_name_keeps_its_id(connection):
    names = Names(connection, "field")
    first = dict(names.ids(["t", "u"]))
    assert names.ids(["u", "v"]) == first | {"v": 3}
    assert Names(connection, "field").ids([]) == {"t": 1, "u": 2, "v": 3}


def test_a_name_that_was_rolled_back_is_forgotten(connection):
    names = Names(connection, "unit")
    connection.execute("BEGIN")
    names.ids(["C"])
    connection.execute("ROLLBACK")
    names.reload()
    names.ids(["V"])
    assert connection.execute("SELECT name FROM unit").fetchall() == [("V",)]


def test_a_series_is_entered_once_a_day(connection):
    series = SeriesDays(connection)
    changes = []
    for day in (TODAY - 1, TODAY - 1, TODAY - 2, TODAY, TODAY):
        before = connection.total_changes
        series.note(rows(on(day)), [5], (), TODAY)
        changes.append(connection.total_changes - before)
    assert changes == [1, 0, 0, 1, 0]
    assert entered(connection) == [(1, 5, TODAY)]


def test_a_clock_that_is_ahead_does_not_hide_later_days_of_others(connection):
    series = SeriesDays(connection)
    for day, device in ((TODAY + 1, 1), (TODAY, 2), (TODAY + 1, 2), (TODAY, 3)):
        series.note(rows(on(day, device)), [5], (), TODAY)
    assert entered(connection) == [(1, 5, TODAY + 1), (2, 5, TODAY + 1), (3, 5, TODAY)]


def test_rows_left_out_enter_nothing(connection):
    series = SeriesDays(connection)
    series.note(rows(on(TODAY, 1), on(TODAY, 2)), [5, 5], {0}, TODAY)
    assert entered(connection) == [(2, 5, TODAY)]


def test_what_is_remembered_is_bounded(connection, monkeypatch):
    monkeypatch.setattr(known, "_NOTED_MOST", 3)
    series = SeriesDays(connection)
    for device in range(20):
        series.note(rows(on(TODAY, device)), [5], (), TODAY)
    assert len(series._noted) <= 4
    assert len(entered(connection)) == 20
