"""Times as PostgreSQL counts them, and what its errors mean."""

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lns.config.stores import Postgres
from lns.series.checks import EARLIEST_US, LATEST_US
from lns.series.postgres.connecting import connect, is_row_fault, place, sentence
from lns.series.postgres.grid import instant
from tests.postgres import shared


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(EARLIEST_US, LATEST_US), max_size=20))
def test_times_go_there_and_back_to_the_microsecond(times_us):
    with connect(Postgres(dsn=shared().dsn), {}) as connection:
        query = "SELECT unnest(%s::timestamptz[])"
        found = connection.execute(query, ([instant(time_us) for time_us in times_us],), binary=True).fetchall()
    assert [time_us for (time_us,) in found] == times_us


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("postgresql://user:secret@db.example:5433/metering?sslmode=require", "db.example:5433/metering"),
        ("host=db.example user=lns password=secret", "db.example:5432/lns"),
        ("", "localhost:5432/"),
    ],
)
def test_a_place_is_told_without_its_password(dsn, expected):
    assert place(Postgres(dsn=dsn)) == expected


@pytest.mark.parametrize(
    ("statement", "whose", "text"),
    [
        ("SELECT 1/0", True, "postgresql at here refuses: division by zero (22012)"),
        ("SELECT nothing", False, 'postgresql at here refuses: column "nothing" does not exist (42703)'),
    ],
)
def test_an_error_is_a_rows_fault_or_the_engines(statement, whose, text):
    with psycopg.connect(shared().dsn) as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute(statement)
    assert (is_row_fault(caught.value), sentence("here", caught.value)) == (whose, text)
