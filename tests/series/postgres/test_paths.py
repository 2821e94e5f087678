"""Both ways in keep the same promises, and the slower one needs nothing that the server does not have."""

import logging
import math

import psycopg
import pytest

from lns.errors import StoreError
from lns.series.postgres.connecting import connect
from lns.series.postgres.paths import Copying, Unnesting, choose
from lns.series.postgres.store import PostgresSeries
from lns.series.store import WriteResult
from tests.postgres import Postgres, config, shared
from tests.series.build import T0, Clock, row, rows, running

WAYS = pytest.mark.parametrize("way", ["copy", "unnest"])


@WAYS
async def test_values_of_every_type_go_in_and_the_higher_seq_stays(way):
    values = [21.5, -0.0, 3, True, False, "", "°C\0x", 5e-324]
    async with running(PostgresSeries(config(shared().dsn, write_path=way), Clock())) as store:
        batch = [row(n, value, unit="C" if n % 2 else None) for n, value in enumerate(values)]
        assert await store.write(rows(*batch), 1) == WriteResult(8, 0)
        again = rows(*(row(n, value, seq=n % 3) for n, value in enumerate(values)), row(0, 1.0, seq=7))
        result = await store.write(again, 2)
        assert (result.accepted, result.superseded) == (3, 6)
        found = list(await store.scan(T0, T0 + 100, 100))
    assert found == [
        row(n, 1.0, seq=7) if n == 0 else row(n, v, seq=2) if n % 3 == 2 else row(n, v, unit="C" if n % 2 else None)
        for n, v in enumerate(values)
    ]
    assert math.copysign(1, float(found[1].value)) == 1


@WAYS
async def test_rows_that_postgres_refuses_are_found_on_either_way(way):
    settings = config(shared().dsn, write_path=way)
    async with running(PostgresSeries(settings, Clock())) as store:
        rule = "ADD CONSTRAINT poison CHECK (mod(number::int8, 1000) <> 7)"
        shared().run_sql(f"ALTER TABLE {settings.schema}.measurement {rule}")
        result = await store.write(rows(*(row(n, float(n)) for n in range(3000))), 1)
        assert [(r.index, r.code) for r in result.rejected] == [(n, "constraint") for n in (7, 1007, 2007)]
        assert (result.accepted, await store.cursor()) == (2997, 1)


@WAYS
async def test_a_flood_of_refused_rows_stops_the_writer_until_the_rule_is_gone(way):
    settings = config(shared().dsn, write_path=way)
    table = f"{settings.schema}.measurement"
    async with running(PostgresSeries(settings, Clock())) as store:
        await store.write(rows(row(-1)), 1)
        shared().run_sql(f"ALTER TABLE {table} ADD CONSTRAINT wrong CHECK (number < 0) NOT VALID")
        for _ in range(2):
            with pytest.raises(
                StoreError, match=r"^writing stops: 100 rows in a row were refused as constraint; .*wrong"
            ):
                await store.write(rows(*(row(n) for n in range(500))), 2)
        assert (await store.cursor(), await store.rejected(9)) == (1, [])
        shared().run_sql(f"ALTER TABLE {table} DROP CONSTRAINT wrong")
        assert await store.write(rows(*(row(n) for n in range(500))), 2) == WriteResult(500, 0)


async def test_rows_that_no_engine_would_take_are_no_flood():
    async with running(PostgresSeries(config(shared().dsn), Clock())) as store:
        for n in range(4):
            result = await store.write(rows(*(row(at, math.nan) for at in range(200)), row(n)), n)
            assert (result.accepted, len(result.rejected)) == (1, 200)


def test_copy_is_taken_where_it_is_allowed():
    settings = config(shared().dsn)
    with connect(settings, {}) as connection:
        assert isinstance(choose(connection, "auto"), Copying)
        assert isinstance(choose(connection, "unnest"), Unnesting)


def test_arrays_are_taken_where_there_may_be_no_staging_table_and_the_log_says_so(caplog):
    with Postgres() as server:
        server.run_sql("CREATE ROLE bare LOGIN", "REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC")
        settings = config(server.dsn.replace("inflight@", "bare@"))
        with connect(settings, {}) as connection, caplog.at_level(logging.WARNING):
            assert isinstance(choose(connection, "auto"), Unnesting)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                choose(connection, "copy")
    assert caplog.messages == [
        "rows go in as arrays, which is slower: no copy here, "
        'permission denied to create temporary tables in database "postgres"'
    ]
