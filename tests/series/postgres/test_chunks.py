"""Partitions come as rows need them and go whole."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from lns.config.stores import Postgres
from lns.series.postgres.store import PostgresSeries
from lns.series.store import WriteResult
from tests.postgres import config, shared
from tests.process import until
from tests.series.build import DAY_US, DEVICE, T0, Clock, row, rows, running


def partitions(schema: str) -> list[str]:
    query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1"
    with psycopg.connect(shared().dsn) as connection:
        return [name for (name,) in connection.execute(query, (f"{schema}.measurement",))]


async def test_partitions_are_made_as_rows_need_them_and_dropped_whole():
    settings = config(shared().dsn)
    async with running(PostgresSeries(settings, Clock())) as store:
        await store.write(rows(*(row(day * DAY_US, float(day)) for day in (-40, -3, -2, 0))), 1)
        days = ["20260812", "20260918", "20260919", "20260921"]
        assert partitions(settings.schema) == [f"{settings.schema}.measurement_{day}" for day in days]
        before = store.whole_chunks_us(T0 - DAY_US)
        assert T0 - 2 * DAY_US < before <= T0 - DAY_US
        assert await store.expire(before) == 3
        assert partitions(settings.schema) == [f"{settings.schema}.measurement_20260921"]


async def test_a_partition_that_was_dropped_behind_our_back_is_made_again():
    settings = config(shared().dsn)
    async with running(PostgresSeries(settings, Clock())) as store:
        await store.write(rows(row(0)), 1)
        shared().run_sql(f"DROP TABLE {settings.schema}.measurement_20260921")
        assert await store.write(rows(row(1), row(2)), 2) == WriteResult(2, 0)


async def test_a_drop_that_was_interrupted_is_finished_by_the_next():
    settings = config(shared().dsn)
    async with running(PostgresSeries(settings, Clock())) as store:
        await store.write(rows(row(-5 * DAY_US), row(0)), 1)
        old = f"{settings.schema}.measurement_20260916"
        shared().run_sql(f"ALTER TABLE {settings.schema}.measurement DETACH PARTITION {old}")
        assert await store.expire(store.whole_chunks_us(T0)) == 1
        assert await store.write(rows(row(-5 * DAY_US, seq=2)), 2) == WriteResult(1, 0)


@pytest.mark.parametrize("chunk_days", [1, 7])
async def test_expiry_within_a_chunk_deletes_rows(chunk_days):
    settings = config(shared().dsn, chunk_days=chunk_days)
    async with running(PostgresSeries(settings, Clock())) as store:
        await store.write(rows(row(0), row(1), row(2)), 1)
        assert await store.expire(T0 + 2) == 2
        assert [p.time_us for p in await store.range(DEVICE, "t", 0, 2**62, 9)] == [T0 + 2]


async def test_wrong_clocks_of_many_years_make_few_partitions():
    settings = config(shared().dsn)
    async with running(PostgresSeries(settings, Clock())) as store:
        stray = [row(-n * 7 * DAY_US, device=n) for n in range(60, 1300)]
        assert (await store.write(rows(*stray, row(0)), 1)).accepted == 1241
        made = partitions(settings.schema)
        assert len(made) < 30
        assert f"{settings.schema}.measurement_20050101" in made
        assert await store.expire(store.whole_chunks_us(T0 - 6000 * DAY_US)) == sum(
            one.time_us < store.whole_chunks_us(T0 - 6000 * DAY_US) for one in stray
        )
        assert len(partitions(settings.schema)) == len(made) - 9


EXPIRER = """
import asyncio, sys
from lns.config.stores import Postgres
from lns.series.postgres.store import PostgresSeries
from tests.series.build import Clock

async def main():
    store = PostgresSeries(Postgres(dsn=sys.argv[1], schema=sys.argv[2]), Clock())
    await store.open()
    await store.expire(int(sys.argv[3]))

asyncio.run(main())
"""


def state(schema: str, table: str) -> str:
    query = """
    SELECT CASE WHEN i.inhrelid IS NULL THEN 'detached' WHEN i.inhdetachpending THEN 'pending' ELSE 'attached' END
    FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid WHERE c.oid = to_regclass(%s)
    """
    with psycopg.connect(shared().dsn) as connection:
        found = connection.execute(query, (f"{schema}.{table}",)).fetchone()
    return "gone" if found is None else str(found[0])


def expiry_killed(settings: Postgres, before_us: int, table: str, left: str) -> None:
    """An expiry of another process that is killed while it waits for a reader of the table that it detaches.

    Its server goes on with the statement, unless that is ended too: then the table is left half detached.
    """
    with psycopg.connect(shared().dsn) as reader:
        reader.execute(f"SELECT count(*) FROM {settings.schema}.measurement")
        arguments = [sys.executable, "-c", EXPIRER, settings.dsn, settings.schema, str(before_us)]
        root = Path(__file__).parents[3]
        with subprocess.Popen(arguments, cwd=root, env=os.environ | {"PYTHONPATH": str(root)}) as process:
            assert until(lambda: state(settings.schema, table) == "pending", 30)
            process.kill()
        if left == "pending":
            find = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE %s AND pid <> pg_backend_pid()"
            )
            with psycopg.connect(shared().dsn, autocommit=True) as other:
                assert other.execute(
                    find, (f"ALTER TABLE measurement DETACH PARTITION {table} CONCURRENTLY",)
                ).fetchall()
    assert until(lambda: state(settings.schema, table) == left, 30)


@pytest.mark.kill
@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("left", ["detached", "pending"])
async def test_late_rows_go_in_after_an_expiry_was_killed_before_it_dropped_their_chunk(left, restarted):
    settings = config(shared().dsn)
    old, table = -40 * DAY_US, "measurement_20260812"
    store = PostgresSeries(settings, Clock())
    await store.open()
    try:
        await store.write(rows(row(old, 3.0), row(0)), 1)
        await store.roll_up()
        expiry_killed(settings, T0 - 30 * DAY_US, table, left)
        if restarted:
            await store.close()
            await store.open()
        await store.roll_up()  # by now the day is empty
        assert await store.write(rows(row(old + 5, 4.0, seq=2), row(5)), 2) == WriteResult(2, 0)
        assert (await store.cursor(), state(settings.schema, table)) == (2, "attached")
        await store.roll_up()
        [day] = await store.buckets(DEVICE, "t", T0 - 50 * DAY_US, T0 - 30 * DAY_US, DAY_US)
        assert (day.count, day.sum) == (2, 7.0)
        assert await store.expire(T0 - 30 * DAY_US) == 2
        assert state(settings.schema, table) == "gone"
    finally:
        await store.close()
