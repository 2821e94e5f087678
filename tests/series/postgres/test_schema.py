"""The SQL of the setup: shown as it is run, and only where it is missing."""

import psycopg
import pytest

from lns.config.stores import Postgres
from lns.errors import StoreError
from lns.series.postgres.schema import statements
from lns.series.postgres.store import PostgresSeries
from tests.postgres import config, shared
from tests.series.build import Clock, row, rows, running


async def test_the_sql_that_is_shown_can_be_run_by_hand():
    settings = config(shared().dsn)
    store = PostgresSeries(settings, Clock())
    text = await store.setup_sql()
    assert text.startswith(f"CREATE SCHEMA IF NOT EXISTS {settings.schema};\n")
    shared().run_sql(text)
    assert await store.setup_sql() == ""
    async with running(store):
        assert (await store.write(rows(row()), 1)).accepted == 1


async def test_what_is_shown_changes_nothing():
    settings = config(shared().dsn)
    store = PostgresSeries(settings, Clock())
    assert await store.setup_sql() == await store.setup_sql()
    with psycopg.connect(shared().dsn) as connection:
        found = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (settings.schema,)).fetchall()
    assert found == []
    await store.close()


async def test_a_newer_schema_is_refused():
    settings = config(shared().dsn)
    async with running(PostgresSeries(settings, Clock())):
        shared().run_sql(f"UPDATE {settings.schema}.setup SET version = 99")
    with pytest.raises(StoreError) as caught:
        await PostgresSeries(settings, Clock()).open()
    assert str(caught.value) == (
        f"the schema {settings.schema} was written by a newer version (schema 99, this version knows up to 1): "
        "start the newer version, or restore a backup from before the upgrade"
    )


async def test_a_database_that_cannot_hold_every_text_is_refused():
    shared().run_sql(
        "DROP DATABASE IF EXISTS latin", "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'"
    )
    dsn = shared().dsn.replace("/postgres", "/latin")
    with pytest.raises(StoreError, match=r"^the database latin has the encoding LATIN1, it must be UTF8$"):
        await PostgresSeries(config(dsn), Clock()).open()


async def test_tables_that_are_there_already_are_left_as_they_are():
    settings = config(shared().dsn)
    shared().run_sql(
        f"CREATE SCHEMA {settings.schema}",
        f"CREATE TABLE {settings.schema}.measurement (mine int)",
        f"INSERT INTO {settings.schema}.measurement VALUES (42)",
    )
    with pytest.raises(StoreError, match=r'refuses: relation "measurement" already exists \(42P07\)$'):
        await PostgresSeries(settings, Clock()).open()
    with psycopg.connect(shared().dsn) as connection:
        assert connection.execute(f"SELECT * FROM {settings.schema}.measurement").fetchall() == [(42,)]
        assert connection.execute("SELECT to_regclass(%s)", (f"{settings.schema}.unit",)).fetchall() == [(None,)]


def test_the_setup_says_what_the_settings_say():
    chosen = Postgres(schema="metering", chunk_days=7, compress_after_days=30)
    text = ";\n".join(statements(chosen, "timescale"))
    for part in (
        "SCHEMA IF NOT EXISTS metering",
        "INTERVAL '7 days'",
        "compression_policy('measurement', INTERVAL '30",
    ):
        assert part in text
    assert "compression_policy" not in ";".join(statements(Postgres(compress_after_days=0), "timescale"))
    for license_name in (None, "apache"):
        plain = ";".join(statements(chosen, license_name))
        assert ("create_hypertable" in plain) == (license_name == "apache")
        assert "timescaledb.continuous" not in plain
        assert "CREATE VIEW rollup_day" in plain
    assert "DROP" not in text.upper().replace("DROP_", "")
