import sqlite3
from contextlib import closing

import pytest

from lns.delivery.many import Many

INSERT = Many("INSERT INTO t VALUES {rows} ON CONFLICT (a) DO NOTHING", "(?, ?)")


@pytest.mark.parametrize("count", [0, 1, 4, 5, 99, 100, 347])
def test_all_rows_go_in_once_and_in_their_order(count):
    rows = [(n, f"row {n}") for n in range(count, 0, -1)]
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t (a PRIMARY KEY, b)")
        assert INSERT.execute(db, rows) == count
        assert db.execute("SELECT a, b FROM t ORDER BY rowid").fetchall() == rows


def test_what_changes_nothing_is_not_counted():
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t (a PRIMARY KEY, b)")
        assert INSERT.execute(db, [(n % 7, n) for n in range(30)]) == 7
        assert db.execute("SELECT b FROM t WHERE a = 3").fetchall() == [(3,)]
