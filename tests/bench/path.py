"""The whole path into each store, datagram to committed row, with that store alone enabled.

As in `e2e`, a round lasts from the first datagram to the last row that the store has taken, and the ratio compares its
rows a second with those of the same store when nothing but batches are written to it. What is lost is counted in the
engine itself: one row of the payload's counter for each uplink.
"""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from lns.series.consumer import SeriesConsumer
from lns.series.sqlite import SqliteSeries
from lns.series.store import SeriesStore
from tests.bench.engines import FIELDS, RECORDS
from tests.bench.figure import Figure, repeated
from tests.bench.fleet import DEVICES, Load, send
from tests.bench.series import T0, Log
from tests.bench.server import Server, serving, temporary_folder

ROUNDS = 3
UPLINKS = 20_000
MONGO_UPLINKS = 500  # the server that can be had here takes a few thousand rows a second
_SEEN = 5  # uplinks of a device on average, so that hardly one is new
_LOOK_S = 0.02
_QUIET_S = 1.0
_GIVE_UP_S = 300.0


class Engine(msgspec.Struct, frozen=True):
    """A running engine: how the server is told of it, the rows of a field that it holds, a store of its own in it."""

    sections: str
    held: Callable[[Server, str], int]
    make: Callable[[Path], SeriesStore]


def run() -> list[Figure]:
    """SQLite, PostgreSQL, InfluxDB, MongoDB; one that is not installed here is left out, and said."""
    figures: list[Figure] = []
    engines: dict[str, tuple[Callable[[], AbstractContextManager[Engine]], int]] = {
        "sqlite": (_sqlite, UPLINKS),
        "postgres": (_postgres, UPLINKS),
        "influxdb": (_influx, UPLINKS),
        "mongodb": (_mongo, MONGO_UPLINKS),
    }
    for name, (started, uplinks) in engines.items():
        try:
            with started() as engine:
                figures += _figures(name, engine, uplinks)
        except pytest.skip.Exception as missing:
            print(f"left out: {missing}")
    return figures


def _figures(name: str, engine: Engine, uplinks: int) -> list[Figure]:
    alone = [asyncio.run(_alone(engine, uplinks)) for _ in range(ROUNDS)]
    with temporary_folder() as folder, serving(folder, engine.sections) as server, httpx.Client() as http:
        http.headers["Authorization"] = f"Bearer {server.key}"
        warm_up = min(DEVICES, uplinks)
        send(server, Load(gateways=1, uplinks=warm_up))
        rows, odd = divmod(_quiet(http, server, name), warm_up)  # of an uplink: its fields, and those of its reception
        if odd:
            raise RuntimeError(f"{name} does not hold all of {warm_up} uplinks: {odd} measurements past {rows} of each")
        rates = [_round(http, server, name, uplinks, rows) for _ in range(ROUNDS)]
        lost = warm_up + ROUNDS * uplinks - engine.held(server, "counter")
    return [
        repeated(f"path.{name}.measurements_per_s", "1/s", rates, 0),
        repeated(f"path.{name}.alone_measurements_per_s", "1/s", alone, 0),
        repeated(f"path.{name}.ratio_to_alone", "", [a / b for a, b in zip(rates, alone, strict=True)], 2),
        Figure(f"path.{name}.lost", lost, "uplinks"),
    ]


async def _alone(engine: Engine, uplinks: int) -> float:
    """Rows a second of the engine's store, given to it in batches, once it has seen its devices as the server's has."""
    log = Log()
    with tempfile.TemporaryDirectory() as folder:
        store = engine.make(Path(folder))
        await store.open()
        try:
            consumer = SeriesConsumer(store)
            size = min(RECORDS, uplinks)
            for _ in range(min(_SEEN * DEVICES, uplinks) // size):
                await consumer.handle(log.batch(size))
            batches = [log.batch(size) for _ in range(uplinks // size)]
            started = time.perf_counter()
            for batch in batches:
                await consumer.handle(batch)
            return len(batches) * size * FIELDS / (time.perf_counter() - started)
        finally:
            await store.close()


def _round(http: httpx.Client, server: Server, name: str, uplinks: int, rows: int) -> float:
    """Measurements a second. TimeoutError when they do not come."""
    until = _stored(http, server, name) + uplinks * rows
    first_us = send(server, Load(gateways=1, uplinks=uplinks)).first_us
    give_up_at = time.monotonic() + _GIVE_UP_S
    while (stored := _stored(http, server, name)) < until:
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"{until - stored} of {uplinks * rows} measurements are not in {name}")
        time.sleep(_LOOK_S)
    return uplinks * rows / (time.time_ns() // 1000 - first_us) * 1e6


def _quiet(http: httpx.Client, server: Server, name: str) -> int:
    """What is stored once nothing more comes."""
    seen, since = 0, time.monotonic()
    while not seen or time.monotonic() < since + _QUIET_S:
        if (stored := _stored(http, server, name)) != seen:
            seen, since = stored, time.monotonic()
        time.sleep(_LOOK_S)
    return seen


def _stored(http: httpx.Client, server: Server, name: str) -> int:
    """Measurements that the store has committed, with those that no store is given since they did not change."""
    counters = http.get(f"{server.url}/api/v1/status").raise_for_status().json()["counters"]
    return int(counters["measurements_stored"].get(name, 0) + sum(counters["measurements_suppressed"].values()))


@contextmanager
def _sqlite() -> Iterator[Engine]:
    def held(server: Server, field: str) -> int:
        count = "SELECT count(*) FROM measurement WHERE field_id = (SELECT id FROM field WHERE name = ?)"
        with closing(sqlite3.connect(f"{server.series_db.as_uri()}?mode=ro", uri=True)) as db:
            return int(db.execute(count, (field,)).fetchone()[0])

    yield Engine("", held, lambda folder: SqliteSeries(folder / "series.db"))


@contextmanager
def _postgres() -> Iterator[Engine]:
    import psycopg

    from lns.series.postgres.store import PostgresSeries
    from tests.postgres import Postgres, config

    with Postgres() as engine:

        def held(_: Server, field: str) -> int:
            count = "SELECT count(*) FROM inflight.measurement JOIN inflight.field f ON f.id = field_id WHERE name = %s"
            with psycopg.connect(engine.dsn) as db:
                (rows,) = db.execute(count, (field,)).fetchone() or (0,)
                return int(rows)

        sections = f'[series]\nenabled = false\n[postgres]\nenabled = true\ndsn = "{engine.dsn}"\n'
        yield Engine(sections, held, lambda _: PostgresSeries(config(engine.dsn)))


@contextmanager
def _influx() -> Iterator[Engine]:
    from tests.influx import InfluxServer, OwnDatabase

    with InfluxServer() as engine:

        def held(_: Server, field: str) -> int:
            query = f'SELECT count("kind") FROM "measurements" WHERE "field" = \'{field}\''
            answer = httpx.get(f"{engine.url}/query", params={"db": "inflight", "q": query}, trust_env=False)
            return int(answer.raise_for_status().json()["results"][0]["series"][0]["values"][0][1])

        sections = f'[series]\nenabled = false\n[influxdb]\nenabled = true\nurl = "{engine.url}"\n'
        yield Engine(sections, held, lambda _: OwnDatabase(engine, lambda: T0 * 2))


@contextmanager
def _mongo() -> Iterator[Engine]:
    from pymongo import MongoClient

    from tests.mongo import BATCH_ROWS, MongoServer, fresh_store

    with MongoServer() as engine:

        def held(_: Server, field: str) -> int:
            client: MongoClient[dict[str, Any]] = MongoClient(engine.url)
            with closing(client):
                return sum(one["_id"]["f"] == field for one in client["inflight"]["measurements"].find({}, {"_id": 1}))

        batch = f"batch_rows = {BATCH_ROWS}\n"
        sections = f'[series]\nenabled = false\n[mongodb]\nenabled = true\nurl = "{engine.url}"\n{batch}'
        yield Engine(sections, held, lambda _: fresh_store(lambda: T0 * 2, engine.url))
