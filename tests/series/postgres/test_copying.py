"""The binary COPY format, against octets that PostgreSQL itself has written, and the texts it cannot hold."""

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lns.series.postgres.copying import STAGING, encode, escaped, plain, stage, unfit
from lns.series.store import Rejected, Rows
from tests.postgres import shared
from tests.series.build import row, rows

WRITTEN = "SELECT device_id, field_id, time, seq, number, flag, label, unit_id FROM staging ORDER BY n"
BATCH = rows(
    row(0, 21.5), row(1, True), row(2, False, unit=None), row(3, "°C"), row(4, "", unit=None), row(5, -0.0), row(6, 3)
)


def test_rows_are_encoded_as_postgres_writes_them():
    columns = (BATCH, [4] * 7, [9, 9, None, 9, None, 9, 9])
    called: list[bool] = []
    octets = b"".join(encode(*columns))
    with psycopg.connect(shared().dsn) as connection:
        connection.execute(STAGING)
        for _ in range(2):
            connection.execute("DELETE FROM staging")
            stage(connection, encode(*columns), lambda: called.append(True))
        assert connection.execute("SELECT n FROM staging ORDER BY n").fetchall() == [(n,) for n in range(7)]
        with connection.cursor().copy(f"COPY ({WRITTEN}) TO STDOUT (FORMAT BINARY)") as copy:
            assert b"".join(map(bytes, copy)) == octets
        found = connection.execute("SELECT number, flag, label, unit_id FROM staging ORDER BY n").fetchall()
    assert called == [True, True]
    assert found == [
        (21.5, None, None, 9),
        (None, True, None, 9),
        (None, False, None, None),
        (None, None, "°C", 9),
        (None, None, "", None),
        (0.0, None, None, 9),
        (3.0, None, None, 9),
    ]


@settings(deadline=None)
@given(st.text(st.sampled_from("\0\x1a01a")) | st.text())
def test_an_escaped_text_holds_no_null_and_comes_back(text):
    assert "\0" not in escaped(text)
    assert plain(escaped(text)) == text


@pytest.mark.parametrize(
    ("device_id", "seq", "problem"),
    [
        (2**31 - 1, 2**63 - 1, None),
        (-(2**31), 0, None),
        (2**31, 0, "device id is 2147483648, at most 2147483647 fits"),
        (1, 2**63, "seq is 9223372036854775808, at most 9223372036854775807 fits"),
    ],
)
def test_integers_that_do_not_fit_are_named(device_id, seq, problem):
    company = rows(row(0), row(0, device=device_id, seq=seq), row(1))
    assert unfit(company) == ([Rejected(1, "constraint", problem)] if problem else [])
    assert unfit(Rows()) == []
