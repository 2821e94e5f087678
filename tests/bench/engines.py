"""Every time-series engine alone: rows a second through its consumer, as a ratio to the engine's own bulk loader.

Both write the same rows to the same server, in turns. The loader gets them ready-made, into a table or collection
with the same key: what remains is the price of being idempotent, of setting bad rows aside and of the position.
"""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import httpx
import pytest

from lns.exchange.records import Stored
from lns.series.consumer import SeriesConsumer, rows_of
from lns.series.sqlite import SqliteSeries
from lns.series.store import Rows, SeriesStore
from tests.bench.figure import Figure, repeated
from tests.bench.series import T0, Log

REPEATS = 5
ROWS = 80_000  # of a repeat
RECORDS = 2000  # a batch, as the consumer takes them
FIELDS = 4

Load = Callable[[Sequence[Rows]], Awaitable[float]]
"""Writes batches with the engine's own loader; returns the seconds it took, without making the batches."""


def run() -> list[Figure]:
    """SQLite, PostgreSQL, InfluxDB and MongoDB; one that is not installed here is left out, and said."""
    figures: list[Figure] = []
    for measure in (sqlite, postgres, influx, mongo):
        try:
            figures += asyncio.run(measure())
        except pytest.skip.Exception as missing:
            print(f"left out: {missing}")
    return figures


async def sqlite() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        raw = sqlite3.connect(Path(folder) / "raw.db", isolation_level=None)
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = NORMAL")
        raw.execute("PRAGMA cache_size = -65536")
        raw.execute(
            "CREATE TABLE m (device_id, field, time_us, value, unit, seq, PRIMARY KEY (device_id, time_us, field))"
            " WITHOUT ROWID"
        )

        async def load(batches: Sequence[Rows]) -> float:
            ready = [list(zip(*_columns(rows), strict=True)) for rows in batches]
            started = time.perf_counter()
            for rows in ready:
                raw.execute("BEGIN")
                raw.executemany("INSERT INTO m VALUES (?, ?, ?, ?, ?, ?)", rows)
                raw.execute("COMMIT")
            return time.perf_counter() - started

        try:
            return await _figures("sqlite", SqliteSeries(Path(folder) / "series.db"), load)
        finally:
            raw.close()


async def postgres() -> list[Figure]:
    import psycopg

    from lns.series.postgres import copying
    from lns.series.postgres.store import PostgresSeries
    from tests.postgres import config, shared

    settings = config(shared().dsn)
    with psycopg.connect(settings.dsn, autocommit=True) as raw:

        async def load(batches: Sequence[Rows]) -> float:
            raw.execute(f"CREATE TABLE IF NOT EXISTS raw (LIKE {settings.schema}.measurement INCLUDING ALL)")
            numbers = {name: n for n, name in enumerate(sorted(set(batches[0].fields)))}
            ready = [b"".join(copying.encode(r, [numbers[f] for f in r.fields], [1] * len(r))) for r in batches]
            columns = "device_id, field_id, time, seq, number, flag, label, unit_id"
            started = time.perf_counter()
            for octets in ready:
                with raw.cursor().copy(f"COPY raw ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
                    copy.write(octets)
            return time.perf_counter() - started

        try:
            return await _figures("postgres", PostgresSeries(settings), load)
        finally:
            raw.execute("DROP TABLE IF EXISTS raw")


async def influx() -> list[Figure]:
    from lns.series.influx.lines import encode
    from tests.influx import OwnDatabase, shared_server

    store = OwnDatabase(shared_server(), lambda: T0 + 3_600_000_000)
    where = {"db": store.database, "precision": "u"}
    async with httpx.AsyncClient(base_url=shared_server().url, trust_env=False, timeout=60) as raw:

        async def load(batches: Sequence[Rows]) -> float:
            ready = ["\n".join(encode("raw", row) for row in rows).encode() for rows in batches]
            started = time.perf_counter()
            for body in ready:
                (await raw.post("/write", params=where, content=body)).raise_for_status()
            return time.perf_counter() - started

        return await _figures("influxdb", store, load)


async def mongo() -> list[Figure]:
    from pymongo import AsyncMongoClient

    from tests.mongo import fresh_store, shared_server

    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(shared_server().url)
    collection = client["raw"]["m"]

    async def load(batches: Sequence[Rows]) -> float:
        ready = [
            [
                {"_id": {"d": d, "f": f, "t": t}, "v": v, "u": u, "s": s}
                for d, f, t, v, u, s in zip(*_columns(rows), strict=True)
            ]
            for rows in batches
        ]
        started = time.perf_counter()
        for documents in ready:
            await collection.insert_many(documents, ordered=False)
        return time.perf_counter() - started

    try:
        return await _figures("mongodb", fresh_store(lambda: T0 + 3_600_000_000), load)
    finally:
        await client.drop_database("raw")
        await client.close()


async def _figures(name: str, store: SeriesStore, load: Load) -> list[Figure]:
    """Rows a second of the store and of the loader, and the ratio of each pair of turns."""
    log, rates, raw_rates = Log(), [], []
    await store.open()
    try:
        consumer = SeriesConsumer(store)
        for turn in range(REPEATS + 1):
            batches = [log.batch(RECORDS) for _ in range(ROWS // FIELDS // RECORDS)]
            loaded = ROWS / await load([rows_of(batch) for batch in batches])
            stored = ROWS / await _store(consumer, batches)
            if turn:  # the first fills caches and makes partitions
                rates.append(stored)
                raw_rates.append(loaded)
    finally:
        await store.close()
    return [
        repeated(f"engines.{name}.rows_per_s", "1/s", rates, 0),
        repeated(f"engines.{name}.bulk_loader_rows_per_s", "1/s", raw_rates, 0),
        repeated(f"engines.{name}.ratio_to_bulk_loader", "", [a / b for a, b in zip(rates, raw_rates, strict=True)], 2),
    ]


async def _store(consumer: SeriesConsumer, batches: Sequence[Sequence[Stored]]) -> float:
    started = time.perf_counter()
    for batch in batches:
        await consumer.handle(batch)
    return time.perf_counter() - started


def _columns(rows: Rows) -> tuple[list[int], list[str], list[int], list[object], list[str | None], list[int]]:
    return rows.device_ids, rows.fields, rows.times_us, list(rows.values), rows.units, rows.seqs
