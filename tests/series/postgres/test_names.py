"""What the writer remembers, and when it asks again."""

from collections.abc import Iterator

import pytest

from lns.clock import DAY_US
from lns.series.postgres import names
from lns.series.postgres.connecting import Conn, connect
from lns.series.postgres.names import Names, SeriesDays
from lns.series.postgres.schema import prepare
from tests.postgres import config, shared
from tests.series.build import T0, row, rows

TODAY = T0 // DAY_US


@pytest.fixture
def connection() -> Iterator[Conn]:
    settings = config(shared().dsn)
    with connect(settings, {}) as connection:
        prepare(connection, settings)
        yield connection


def entered(connection: Conn) -> list[tuple[int, int, int]]:
    found = connection.execute("SELECT device_id, field_id, newest_from FROM series ORDER BY 1, 2", binary=True)
    return [(device_id, field_id, time_us // DAY_US) for device_id, field_id, time_us in found]


def test_names_keep_their_ids_also_with_a_null_in_them(connection):
    first = dict(Names(connection, "field").ids(["t", "a\0b"]))
    assert Names(connection, "field").ids([]) == first
    assert Names(connection, "field").ids(["t", "u"])["t"] == first["t"]


def test_a_name_that_was_rolled_back_is_forgotten(connection):
    units = Names(connection, "unit")
    with connection.transaction(force_rollback=True):
        units.ids(["C"])
    units.forget()
    assert list(units.ids(["V"])) == ["V"]


def test_a_series_moves_to_its_newest_day_and_never_back(connection):
    series = SeriesDays(connection)
    seen = []
    for days in ([0], [0, -1], [2, 1], [1]):
        series.note(series.new(rows(*(row(day * DAY_US, device=1) for day in days)), [5] * len(days)), ())
        seen.append(entered(connection))
    assert seen == [[(1, 5, TODAY)], [(1, 5, TODAY)], [(1, 5, TODAY + 2)], [(1, 5, TODAY + 2)]]


def test_rows_left_out_enter_nothing(connection):
    series = SeriesDays(connection)
    series.note(series.new(rows(row(0, device=1), row(0, device=2)), [5, 5]), {0})
    assert entered(connection) == [(2, 5, TODAY)]


def test_what_is_remembered_is_bounded(connection, monkeypatch):
    monkeypatch.setattr(names, "_NOTED_MOST", 3)
    series = SeriesDays(connection)
    for device in range(20):
        series.note(series.new(rows(row(0, device=device)), [5]), ())
    assert sum(map(len, series._noted.values())) <= 4
    assert len(entered(connection)) == 20
