"""Stores and rows for the tests of this folder."""

import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

from lns.exchange.records import Value
from lns.series.sqlite import SqliteSeries
from lns.series.store import Row, Rows, SeriesStore
from tests.influx import OwnDatabase, shared_server
from tests.influx import given as given_influx
from tests.mongo import fresh_store as fresh_mongo
from tests.mongo import given as given_mongo
from tests.postgres import fresh_store, given_timescale

T0 = 1_790_000_000_000_000  # 2026-09-21
DAY_US = 86_400_000_000
DEVICE = 7


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now_us = T0

    def __call__(self) -> int:
        return self.now_us


Make = Callable[[Path, Clock], SeriesStore]

# Engines that are tested where the environment names a server: variable and how a store on it is made.
GIVEN: dict[str, tuple[str, Make]] = {
    "influxdb2": ("LNS_TEST_INFLUXDB2", lambda _folder, clock: given_influx(2, clock)),
    "influxdb3": ("LNS_TEST_INFLUXDB3", lambda _folder, clock: given_influx(3, clock)),
    "mongodb-given": ("LNS_TEST_MONGO", lambda _folder, clock: given_mongo(clock)),
    "timescale": ("LNS_TEST_TIMESCALE", lambda _folder, clock: given_timescale(clock)),
}

# Every engine the contract is run against: folder and clock to store.
STORES: dict[str, Make] = {
    "sqlite-file": lambda folder, clock: SqliteSeries(folder / "series.db", clock),
    "sqlite-memory": lambda _folder, clock: SqliteSeries(None, clock),
    "influxdb1": lambda _folder, clock: OwnDatabase(shared_server(), clock),
    "mongodb": lambda _folder, clock: fresh_mongo(clock),
    "postgres": lambda _folder, clock: fresh_store(clock),
    **{name: make for name, (variable, make) in GIVEN.items() if os.environ.get(variable)},
}


@asynccontextmanager
async def running(store: SeriesStore) -> AsyncIterator[SeriesStore]:
    """An open store for as long as the block lasts."""
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def row(
    at: int = 0, value: Value = 1.0, *, device: int = DEVICE, field: str = "t", unit: str | None = "C", seq: int = 1
) -> Row:
    """A row `at` microseconds after T0."""
    return Row(device, field, T0 + at, value, unit, seq)


def rows(*items: Row) -> Rows:
    return Rows.of(items)


def run_sql(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(sql)
