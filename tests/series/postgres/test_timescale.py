"""What TimescaleDB does for us: hypertable, compression, roll-ups, and all of it late, on its own code."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from lns.clock import DAY_US
from lns.series.postgres.rollup_sql import HOUR_US, MINUTE
from lns.series.postgres.schema import serves, statements
from lns.series.postgres.store import PostgresSeries
from lns.series.store import WriteResult
from tests.postgres import config, roll, shared, timescale_store
from tests.series.build import DEVICE, T0, Clock, row, rows, running
from tests.series.postgres.test_buckets import check

START = T0 // DAY_US * DAY_US - T0


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.now_us += START
    return clock


@pytest.fixture
def store(clock: Clock) -> PostgresSeries:
    made = timescale_store(clock)
    assert isinstance(made, PostgresSeries)
    return made


class Beside:
    """SQL beside a store, in its schema."""

    def __init__(self, store: PostgresSeries) -> None:
        self._connection = psycopg.connect(store._config.dsn, autocommit=True)
        self._connection.execute(f"SET search_path TO {store._config.schema}, public")

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query).fetchall()

    def run(self, statements: str) -> None:
        self._connection.execute(statements)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def beside(store: PostgresSeries) -> Iterator[Beside]:
    made = Beside(store)
    yield made
    made.close()


async def test_the_setup_makes_a_hypertable_with_its_policies(store, beside, caplog):
    with caplog.at_level(logging.INFO, "lns.series.postgres"):
        async with running(store):
            pass
    assert "measurements lie in a hypertable of timescaledb" in caplog.messages[0]
    jobs = beside.ask(
        "SELECT proc_name FROM timescaledb_information.jobs WHERE hypertable_schema = current_schema()"
        " OR hypertable_name IN (SELECT materialization_hypertable_name FROM"
        " timescaledb_information.continuous_aggregates WHERE view_schema = current_schema()) ORDER BY 1"
    )
    assert jobs == [("policy_compression",), *[("policy_refresh_continuous_aggregate",)] * 3]
    settings = "SELECT attname, segmentby_column_index FROM timescaledb_information.compression_settings"
    assert beside.ask(f"{settings} WHERE hypertable_schema = current_schema() AND segmentby_column_index > 0") == [
        ("device_id", 1)
    ]


async def test_the_sql_that_is_shown_can_be_run_by_hand(store, beside):
    text = await store.setup_sql()
    beside.run(text)
    assert await store.setup_sql() == ""
    async with running(store):
        assert await store.write(rows(row()), 1) == WriteResult(1, 0)


async def test_a_schema_that_was_made_without_timescaledb_stays_so(store, beside, caplog):
    beside.run(";\n".join(statements(store._config, None)))
    with caplog.at_level(logging.INFO, "lns.series.postgres"):
        async with running(store):
            await store.write(rows(row(-2 * DAY_US), row()), 1)
            await roll(store)
            await check(store)
    assert "native partitions, made before timescaledb was there" in caplog.messages[0]


async def test_roll_ups_have_the_columns_that_they_have_without_timescaledb(store, beside):
    query = """
        SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns
        WHERE table_schema = '{}' AND table_name LIKE 'rollup_%' ORDER BY 1, 2
    """
    plain = config(shared().dsn)
    async with running(store), running(PostgresSeries(plain, Clock())):
        with psycopg.connect(plain.dsn) as connection:
            expected = connection.execute(query.format(plain.schema)).fetchall()
        assert beside.ask(query.format(store._config.schema)) == expected
    assert len(expected) == 3 * 18


async def test_charts_agree_with_the_rows_before_and_after_late_data_and_expiry(store, clock):
    async with running(store):
        values = [1.0, 2.5, True, "open", -3.0]
        batch = [row(START - n * HOUR_US // 2, values[n % 5], device=1 + n % 2) for n in range(200)]
        await store.write(rows(*batch), 1)
        await check(store)
        await roll(store)
        await check(store)
        await store.write(
            rows(*(row(START - n * HOUR_US // 2 + 1, 7.0, device=1, seq=2) for n in range(9, 150, 20))), 2
        )
        await check(store)
        await roll(store)
        await check(store)
        await store.expire(T0 + START - 2 * DAY_US - HOUR_US)
        await check(store)
        await roll(store)
        await check(store)


async def test_roll_ups_show_what_was_refreshed_and_what_is_new(store, beside, clock):
    async with running(store):
        await store.write(rows(*(row(START + n * HOUR_US // 2, float(n)) for n in range(-60, 9))), 1)
        for name in ("minute", "hour", "day"):
            query = f"SELECT sum(count)::int, min(min), max(max), sum(sum) FROM rollup_{name}"
            before = beside.ask(query)
            assert before == [(69, -60.0, 8.0, float(sum(range(-60, 9))))]
            await roll(store)
            assert beside.ask(query) == before


async def test_late_rows_go_into_compressed_chunks_and_the_higher_seq_stays(store, beside, clock):
    async with running(store):
        await store.write(rows(*(row(START - 3 * DAY_US + n * 60_000_000, float(n), seq=5) for n in range(1000))), 5)
        [(chunks,)] = beside.ask("SELECT count(compress_chunk(c)) FROM show_chunks('measurement') c")
        assert chunks == 1
        late = [row(START - 3 * DAY_US + n * 60_000_000, -1.0, seq=4 + n % 3) for n in range(600)]
        new = [row(START - 3 * DAY_US + n * 60_000_000 + 1, 0.0, seq=6) for n in range(300)]
        assert await store.write(rows(*late, *new), 6) == WriteResult(500, 400)
        found = await store.range(DEVICE, "t", T0 - 4 * DAY_US, T0, 10_000)
        assert len(found) == 1300
        assert sum(point.value == -1.0 for point in found) == 200


async def test_old_chunks_are_dropped_whole_and_what_is_left_is_deleted(store, beside):
    async with running(store):
        await store.write(rows(*(row(START + n * DAY_US // 4) for n in range(-20, 1))), 1)
        assert await store.expire(T0 + START - 2 * DAY_US + 1) == 13
        starts = beside.ask(
            "SELECT range_start FROM timescaledb_information.chunks"
            " WHERE hypertable_schema = current_schema() AND hypertable_name = 'measurement'"
        )
        assert len(starts) == 3
        assert len(await store.range(DEVICE, "t", 0, T0, 100)) == 8


async def test_minutes_are_dropped_after_their_time(store, beside, clock):
    async with running(store):
        await store.write(rows(row(START - DAY_US), row(START - HOUR_US)), 1)
        await roll(store)
        assert beside.ask("SELECT count(*)::int FROM rollup_minute") == [(2,)]
        clock.now_us += 4 * DAY_US
        await store.write(rows(row(START + 4 * DAY_US - 2 * HOUR_US)), 2)
        await roll(store)
        counts = "SELECT (SELECT count(*)::int FROM rollup_minute), (SELECT count(*)::int FROM rollup_hour)"
        assert beside.ask(counts) == [(1, 3)]
        assert len(await store.buckets(DEVICE, "t", T0 - 3 * DAY_US, T0 + 4 * DAY_US, MINUTE.width_us)) == 3


async def test_a_batch_at_once_with_reads_is_seen_whole(store):
    async with running(store), asyncio.TaskGroup() as tasks:
        for n in range(1, 10):
            tasks.create_task(store.write(rows(*(row(i, float(n), seq=n) for i in range(200))), n))
            values = {point.value for point in await store.range(DEVICE, "t", T0, T0 + 1000, 1000)}
            assert len(values) <= 1


@pytest.mark.parametrize(
    ("version", "whether"),
    [("2.17.2", False), ("2.18.0", False), ("2.18.1", True), ("2.23.0-dev", True), ("3.0", True), ("dev", False)],
)
def test_versions_that_may_lose_late_rows_are_told_from_those_that_serve(version, whether):
    assert serves(version) == whether
