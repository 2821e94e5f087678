"""Stores and rows for the tests of this folder."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

from lns.exchange.records import Value
from lns.series.sqlite import SqliteSeries
from lns.series.store import Row, Rows, SeriesStore

T0 = 1_790_000_000_000_000  # 2026-09-21
DAY_US = 86_400_000_000
DEVICE = 7


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now_us = T0

    def __call__(self) -> int:
        return self.now_us


# Every engine the contract is run against: folder and clock to store.
STORES: dict[str, Callable[[Path, Clock], SeriesStore]] = {
    "sqlite-file": lambda folder, clock: SqliteSeries(folder / "series.db", clock),
    "sqlite-memory": lambda _folder, clock: SqliteSeries(None, clock),
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
