"""`lns series stores|setup|rejected|retry`: on a running server, and on configuration files alone."""

import sqlite3

import pytest

from lns.cli.outcome import Exit
from tests.cli.server import table, until
from tests.postgres import Postgres

NAN = '[1, "t", 1790000000000000, NaN, "C", 7]'


@pytest.fixture
def postgres():
    server = Postgres()
    yield server
    server.stop()


def set_aside(server, code, row):
    """What the store would have noted of a bad row."""
    connection = sqlite3.connect(server.folder / "data" / "series.db")
    with connection:
        connection.execute(
            "INSERT INTO rejected (digest, row, code, reason, at_us) VALUES (?, ?, ?, 'why', 1790000000000000)",
            (row.encode(), row, code),
        )
    connection.close()


def test_stores_are_listed_with_what_they_lag_and_asked_how_they_are(on):
    (row,) = until(lambda: [row for row in on("series", "stores", "--json").json if row["lag"] == 0])
    assert (row["name"], row["reads"], row["open"], row["state"], row["last_error"]) == (
        "sqlite", True, True, "running", None,
    )  # fmt: skip
    assert table(on("series", "stores"))[1][:3] == ["sqlite", "yes", "running"]
    asked = on("series", "stores", "sqlite", "--json").json
    assert (asked["answers"], asked["problem"], asked["latency_ms"] > 0) == (True, None, True)
    ran = on("series", "stores", "postgres")
    assert (ran.code, ran.err) == (Exit.NOT_FOUND, "lns: no store 'postgres' is enabled; enabled: sqlite\n")


def test_rows_set_aside_are_listed_and_retried_by_id_code_or_all(on, server):
    set_aside(server, "not_finite", NAN)
    set_aside(server, "text_too_long", NAN.replace("NaN", "5.0").replace('"t"', '"u"'))
    first, second = on("series", "rejected", "--json").json
    assert [first["code"], second["code"]] == ["not_finite", "text_too_long"]
    assert "device 1 t = nan C" in on("series", "rejected").out
    assert [row["id"] for row in on("series", "rejected", "--code", "text_too_long", "--json").json] == [second["id"]]
    assert on("series", "retry", first["id"]).out == "0 stored, 1 set aside again\n"
    assert on("series", "retry", "--code", "text_too_long").out == "1 stored, 0 set aside again\n"
    assert on("series", "retry", "--all").out == "0 stored, 1 set aside again\n"
    assert on("series", "retry").code == Exit.USAGE


def test_setup_shows_the_sql_runs_it_once_and_drops_nothing(lns, postgres, tmp_path):
    config = tmp_path / "inflight.toml"
    config.write_text(f'[postgres]\nenabled = true\ndsn = "{postgres.dsn}"\n')
    ran = lns("series", "setup", "--config", config, "--store", "postgres", "--yes")
    assert (ran.code, "is not running" in ran.err or "refused" in ran.err) == (Exit.REFUSED, True)
    postgres.start()
    (shown,) = lns("series", "setup", "--config", config, "--store", "postgres", "--json").json
    assert (shown["store"], shown["done"]) == ("postgres", False)
    assert "CREATE TABLE" in shown["sql"]
    ran = lns("series", "setup", "--config", config, "--yes")
    assert (ran.code, "postgres: done" in ran.out, "sqlite: done" in ran.out) == (0, True, True)
    again = lns("series", "setup", "--config", config)
    assert again.out == f"from {config}\nsqlite: nothing to do\npostgres: nothing to do\n"


def test_setup_without_a_file_says_that_it_looks_at_the_defaults(lns):
    assert lns("series", "setup", "--yes").out.startswith("no configuration file: defaults\nsqlite: ")
    assert lns("series", "setup").out == "no configuration file: defaults\nsqlite: nothing to do\n"


def test_setup_names_a_store_that_is_not_enabled(lns):
    ran = lns("series", "setup", "--store", "influxdb")
    assert (ran.code, ran.err) == (Exit.USAGE, "lns: store 'influxdb' is not enabled; enabled: sqlite\n")
