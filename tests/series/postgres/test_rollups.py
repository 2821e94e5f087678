"""What is rolled up when, in which pieces, and what people find who ask in SQL."""

import asyncio
from typing import Any

import psycopg
import pytest

from lns.clock import DAY_US
from lns.series.postgres import store as module
from lns.series.postgres.connecting import connect
from lns.series.postgres.rollup_sql import HOUR_US
from lns.series.postgres.rollups import mark_times
from lns.series.postgres.schema import prepare
from lns.series.postgres.store import PostgresSeries
from tests.postgres import Postgres, config, roll, shared
from tests.series.build import DEVICE, T0, Clock, row, rows, running

START = T0 // DAY_US * DAY_US - T0


def ask(schema: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(shared().dsn) as connection:
        connection.execute(f"SET search_path TO {schema}")
        connection.execute("SET timezone TO 'UTC'")
        return connection.execute(query).fetchall()


async def test_an_hour_is_rolled_up_ten_minutes_after_its_end():
    settings, clock = config(shared().dsn), Clock()
    query = "SELECT to_char(rolled_to, 'HH24:MI'), (SELECT count(*) FROM rolled_hour) FROM position"
    async with running(PostgresSeries(settings, clock)) as store:
        await store.write(rows(row(START), row(START + HOUR_US)), 1)
        seen = []
        for minutes in (69, 70, 129, 130):
            clock.now_us = T0 + START + minutes * 60_000_000
            await roll(store)
            seen += ask(settings.schema, query)
    assert seen == [("00:00", 0), ("01:00", 1), ("01:00", 1), ("02:00", 2)]


@pytest.mark.parametrize("name", ["minute", "hour", "day"])
async def test_the_views_hold_what_was_rolled_up_and_what_is_new(name):
    settings, clock = config(shared().dsn), Clock()
    query = f"SELECT sum(count), min(min), max(max), sum(sum), min(first_at), max(last_at) FROM rollup_{name}"
    async with running(PostgresSeries(settings, clock)) as store:
        await store.write(rows(*(row(START + n * HOUR_US // 2, float(n)) for n in range(-80, 9))), 1)
        clock.now_us = T0 + START
        before = ask(settings.schema, query)
        await roll(store)
        clock.now_us += 3 * HOUR_US
        await roll(store)
        assert ask(settings.schema, query) == before
        [(count, low, high, total, *_)] = before
        assert (count, low, high, total) == (89, -80.0, 8.0, sum(range(-80, 9)))


async def test_the_first_and_the_last_value_of_a_roll_up_keep_their_type():
    settings, clock = config(shared().dsn), Clock()
    columns = "first_number, first_flag, first_label, last_number, last_flag, last_label"
    async with running(PostgresSeries(settings, clock)) as store:
        hours = [START - 20 * HOUR_US, START - 3 * HOUR_US]
        await store.write(
            rows(row(hours[0], "on"), row(hours[0] + 1, 5.0), row(hours[1], 1.0), row(hours[1] + 1, True)), 1
        )
        await roll(store)
    assert ask(settings.schema, f"SELECT {columns} FROM rolled_hour ORDER BY start") == [
        (None, None, "on", 5.0, None, None),
        (1.0, None, None, None, True, None),
    ]
    assert ask(settings.schema, f"SELECT {columns} FROM rolled_day") == [(None, None, "on", None, True, None)]


async def test_minutes_are_kept_for_as_long_as_is_said_and_hours_for_longer():
    settings, clock = config(shared().dsn, minute_rollup_days=1), Clock()
    query = "SELECT (SELECT count(*) FROM rolled_minute), (SELECT count(*) FROM rolled_hour)"
    async with running(PostgresSeries(settings, clock)) as store:
        await store.write(rows(row(START - 40 * HOUR_US), row(START - 2 * HOUR_US)), 1)
        clock.now_us = T0 + START + HOUR_US
        await roll(store)
        assert ask(settings.schema, query) == [(1, 2)]
        await store.write(rows(row(START - 40 * HOUR_US, 2.0, seq=2)), 2)
        clock.now_us += 24 * HOUR_US
        await roll(store)
        assert ask(settings.schema, query) == [(0, 2)]


@pytest.mark.parametrize("before", [START - 6 * HOUR_US, START - 6 * HOUR_US + 1, START])
async def test_what_expires_is_gone_from_the_roll_ups_too(before):
    settings, clock = config(shared().dsn), Clock()
    async with running(PostgresSeries(settings, clock)) as store:
        await store.write(rows(*(row(START - n * HOUR_US + n % 2) for n in range(1, 60))), 1)
        await roll(store)
        assert ask(settings.schema, "SELECT count(*) FROM rolled_hour") == [(59,)]
        await store.expire(T0 + before)
        left = await store.range(DEVICE, "t", 0, T0, 100)
        found = await store.buckets(DEVICE, "t", T0 - 9 * DAY_US, T0, HOUR_US)
        assert [bucket.start_us for bucket in found] == [point.time_us // HOUR_US * HOUR_US for point in left]
        await roll(store)
        assert await store.buckets(DEVICE, "t", T0 - 9 * DAY_US, T0, HOUR_US) == found
        assert ask(settings.schema, "SELECT count(*) FROM rolled_hour") == [(len(left),)]


async def test_years_without_measurements_are_few_pieces():
    clock = Clock()
    async with running(PostgresSeries(config(shared().dsn), clock)) as store:
        await store.write(rows(row(-9000 * DAY_US), row(0)), 1)
        assert await roll(store) < 200
        found = await store.buckets(DEVICE, "t", 0, T0 + DAY_US, DAY_US)
        assert [bucket.count for bucket in found] == [1, 1]


def test_late_data_of_many_devices_is_marked_by_the_hour_and_not_by_device():
    settings = config(shared().dsn)
    query = "SELECT count(*), count(device_id) FROM stale"
    with connect(settings, {}) as connection:
        prepare(connection, settings)
        mark_times(connection, [(device, T0 + n) for device in range(100) for n in range(3)])
        assert connection.execute(query).fetchall() == [(100, 100)]
        connection.execute("DELETE FROM stale")
        mark_times(connection, [(device, T0 + n * HOUR_US) for device in range(101) for n in range(3)])
        assert connection.execute(query).fetchall() == [(3, 0)]


async def test_a_row_that_is_being_written_while_its_hour_is_rolled_up_is_not_forgotten():
    settings, clock = config(shared().dsn), Clock()
    clock.now_us = T0 + START
    async with running(PostgresSeries(settings, clock)) as store:
        await store.write(rows(row(START)), 1)
        clock.now_us += 2 * HOUR_US
        with psycopg.connect(shared().dsn) as holding:  # keeps the write from its commit
            holding.execute(f"LOCK TABLE {settings.schema}.series IN EXCLUSIVE MODE")
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(store.write(rows(row(START + 1, field="u")), 2))
                while not ask(settings.schema, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
                    await asyncio.sleep(0.01)
                assert await roll(store) > 0
                holding.rollback()
            assert writing.result().accepted == 1
        assert [b.count for b in await store.buckets(DEVICE, "u", T0 + START, T0 + DAY_US, HOUR_US)] == [1]
        await roll(store)
        assert ask(settings.schema, "SELECT count(*) FROM rolled_hour") == [(2,)]


async def test_tending_goes_on_after_the_server_was_away(monkeypatch, caplog):
    monkeypatch.setattr(module, "_TEND_S", 0.02)
    clock = Clock()
    with Postgres() as server:
        async with running(PostgresSeries(config(server.dsn), clock)) as store, asyncio.timeout(60):
            await store.write(rows(row(0)), 1)
            async with asyncio.TaskGroup() as tasks:
                tending = tasks.create_task(store.tend())
                server.kill()
                while not any("roll-ups wait" in text for text in caplog.messages):
                    await asyncio.sleep(0.01)
                server.start()
                clock.now_us += DAY_US
                with psycopg.connect(server.dsn, autocommit=True) as connection:
                    query = f"SELECT count(*) FROM {store._config.schema}.rolled_hour"
                    while connection.execute(query).fetchall() == [(0,)]:
                        await asyncio.sleep(0.01)
                tending.cancel()
    assert sum("roll-ups wait" in text for text in caplog.messages) == 1
