"""Partitions come as rows need them and go whole."""

import psycopg
import pytest

from lns.series.postgres.store import PostgresSeries
from lns.series.store import WriteResult
from tests.postgres import config, shared
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
