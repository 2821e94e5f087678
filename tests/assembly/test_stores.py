"""Which stores a configuration makes, and that each is tended."""

import asyncio
import time
from contextlib import AsyncExitStack

import pytest

from lns.assembly.stores import Stores
from lns.config import Config, ConfigError, Influx, Postgres, SeriesSqlite
from lns.errors import StoreError
from lns.series.store import Row, Rows
from tests.postgres import Postgres as PostgresServer

DAY_US = 86_400_000_000


def test_the_first_enabled_store_is_read_unless_one_is_named(tmp_path):
    postgres, influx = Postgres(enabled=True), Influx(enabled=True)
    made = Stores(Config(data_dir=str(tmp_path), postgres=postgres, influxdb=influx))
    assert (list(made.all), made.reads) == (["sqlite", "postgres", "influxdb"], made.all["sqlite"])
    named = SeriesSqlite(enabled=False, reads_from="influxdb")
    made = Stores(Config(data_dir=str(tmp_path), series=named, postgres=postgres, influxdb=influx))
    assert (list(made.all), made.reads) == (["postgres", "influxdb"], made.all["influxdb"])
    assert Stores(Config(data_dir=str(tmp_path), series=SeriesSqlite(enabled=False))).reads is None


def test_a_store_that_is_read_has_to_be_enabled(tmp_path):
    with pytest.raises(ConfigError) as error:
        Stores(Config(data_dir=str(tmp_path), series=SeriesSqlite(reads_from="mongodb")))
    assert str(error.value) == "series.reads_from is 'mongodb', which is not enabled; enabled: sqlite"


async def test_retention_goes_on_in_the_others_when_a_store_has_gone_away(tmp_path):
    now_us = time.time_ns() // 1000
    with PostgresServer() as server:
        settings = Postgres(enabled=True, dsn=server.dsn, retention_days=1)
        stores = Stores(Config(data_dir=str(tmp_path), series=SeriesSqlite(retention_days=1), postgres=settings))
        async with AsyncExitStack() as stack:
            await stores.open(stack)
            await stores.ensure_open("postgres")
            server.kill()
            sqlite = stores.all["sqlite"]
            old, new = Row(1, "t", now_us - 3 * DAY_US, 1.0, None, 1), Row(1, "t", now_us, 2.0, None, 2)
            await sqlite.write(Rows.of([old, new]), 2)
            with pytest.raises(StoreError, match="postgres"):
                await stores.upkeep(now_us)
            assert [row.value for row in await sqlite.scan(0, now_us + 1, 10)] == [2.0]


async def test_the_roll_ups_of_postgres_are_kept_while_the_server_runs(tmp_path):
    with PostgresServer() as server:
        config = Config(data_dir=str(tmp_path), postgres=Postgres(enabled=True, dsn=server.dsn, retention_days=30))
        stores = Stores(config)
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
            await stores.open(stack)
            running = [tasks.create_task(run) for _, run in stores.runs()]
            store = await stores.ensure_open("postgres")
            now_us = time.time_ns() // 1000
            old_us = now_us // DAY_US * DAY_US - 2 * DAY_US
            await store.write(Rows.of([Row(1, "t", old_us + i * 1_000_000, 1.0, None, i) for i in range(60)]), 60)
            async with asyncio.timeout(60):
                while not rolled_up(server):
                    await asyncio.sleep(0.1)
            await stores.upkeep(now_us)
            for task in running:
                task.cancel()


def rolled_up(server):
    import psycopg

    with psycopg.connect(server.dsn) as connection:
        return connection.execute("SELECT count(*) FROM inflight.rollup_hour").fetchone()[0]
