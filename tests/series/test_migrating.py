"""The schema of the SQLite store: what is missing is shown, and added once."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lns.errors import StoreError
from lns.series import migrating
from lns.series.migrating import migrate, missing
from tests.series.build import run_sql

FILES = [file.read_text("utf-8") for file in sorted((Path(migrating.__file__).parent / "sql").glob("*.sql"))]


def schema(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master ORDER BY name") if sql]


def test_the_sql_that_is_shown_makes_the_same_schema_as_opening_does(tmp_path):
    shown, opened = tmp_path / "shown.db", tmp_path / "opened.db"
    run_sql(shown, missing(tmp_path / "none.db"))
    with closing(sqlite3.connect(opened, isolation_level=None)) as connection:
        migrate(connection, opened)
    assert schema(shown) == schema(opened)
    assert not (tmp_path / "none.db").exists()


def test_of_an_older_file_only_what_is_new_is_missing_and_of_a_new_one_nothing(tmp_path):
    path = tmp_path / "series.db"
    run_sql(path, f"{FILES[0]}; INSERT INTO field VALUES (7, 'kept'); PRAGMA user_version = 1")
    assert missing(path) == "\n".join(FILES[1:])
    for _ in range(2):
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            migrate(connection, path)
            assert connection.execute("SELECT * FROM field").fetchall() == [(7, "kept")]
            assert connection.execute("PRAGMA user_version").fetchone() == (len(FILES),)
        assert missing(path) == ""


def test_a_file_of_a_newer_version_is_refused_before_anything_is_shown(tmp_path):
    path = tmp_path / "series.db"
    run_sql(path, "PRAGMA user_version = 99")
    with pytest.raises(StoreError, match=r"was written by a newer version \(schema 99, this version knows up to 3\)"):
        missing(path)
