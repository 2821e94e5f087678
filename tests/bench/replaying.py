"""The archive: uplinks a second into its files, and measurements a second out of them into a store that lost them.

For the second a server has archived a load and was stopped; then its log was emptied, as retention does, and its store
too. What is timed is the backfill that a person would ask for, and another that finds all there.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

from lns.archive.storage import Folder
from lns.archive.writer import Writer
from lns.exchange.records import Stored
from lns.registry.registry import FILE_NAME
from tests.bench.figure import Figure, repeated
from tests.bench.fleet import DEVICES, Load, send
from tests.bench.server import Server, serving, temporary_folder
from tests.exchange.build import uplink

REPEATS = 3
FILES = 3
FILE_UPLINKS = 50_000
UPLINKS = 20_000
RATE = 10_000_000  # the most that may be asked for: as fast as it goes
_LOOK_S = 0.02
_QUIET_S = 1.0
_GIVE_UP_S = 300.0
_ARCHIVE = "[archive]\nenabled = true\n"


class Store(msgspec.Struct, frozen=True):
    """A store as the server is told of it, and as it is emptied and counted behind the server's back."""

    name: str
    sections: str
    run: Callable[[Path, str], int]
    empty: str
    count: str


def run() -> list[Figure]:
    """The archive, then SQLite and PostgreSQL; what is not installed here is left out, and said."""
    figures = asyncio.run(writing())
    for made in (_sqlite, _postgres):
        try:
            figures += _from_archive(made)
        except pytest.skip.Exception as missing:
            print(f"left out: {missing}")
    return figures


async def writing() -> list[Figure]:
    """Uplinks of one gateway each into full files in a folder."""
    rates, sizes = [], []
    with temporary_folder() as folder:
        writer, after = Writer(Folder(folder)), 0
        for _ in range(FILES):
            seqs = range(after + 1, after + 1 + FILE_UPLINKS)
            batch = [Stored(seq, "uplink", uplink(seq, seq % DEVICES + 1)) for seq in seqs]
            started = time.perf_counter()
            written = await writer.write(batch, after)
            rates.append(FILE_UPLINKS / (time.perf_counter() - started))
            sizes.append(sum(one.bytes for one in written) / FILE_UPLINKS)
            after = seqs[-1]
    return [
        repeated("replaying.archive.uplinks_per_s", "1/s", rates, 0),
        repeated("replaying.archive.bytes_per_uplink", "B", sizes),
    ]


def _from_archive(made: Callable[[], AbstractContextManager[Store]]) -> list[Figure]:
    filled, compared, lost = [], [], 0
    with temporary_folder() as folder, made() as store:
        sections = store.sections + _ARCHIVE
        with serving(folder, sections) as server:
            send(server, Load(gateways=1, uplinks=DEVICES))
            send(server, Load(gateways=1, uplinks=UPLINKS))
            _wait_quiet(server, store)
        stored = store.run(folder, store.count)
        for _ in range(REPEATS):
            with closing(sqlite3.connect(folder / "data" / FILE_NAME, isolation_level=None)) as log:
                log.execute("DELETE FROM exchange_log")
            store.run(folder, store.empty)
            with serving(folder, sections) as server:
                filled.append(stored / _backfill(server, store.name))
                lost = max(lost, stored - store.run(folder, store.count))
                compared.append(stored / _backfill(server, store.name))
    return [
        repeated(f"replaying.{store.name}.filled_measurements_per_s", "1/s", filled, 0),
        repeated(f"replaying.{store.name}.compared_measurements_per_s", "1/s", compared, 0),
        Figure(f"replaying.{store.name}.lost", lost, "measurements"),
    ]


def _backfill(server: Server, store: str) -> float:
    """Seconds that a backfill of everything takes. RuntimeError when it fails."""
    where = f"{server.url}/api/v1/backfills"
    with httpx.Client(headers={"Authorization": f"Bearer {server.key}"}) as http:
        started = time.monotonic()
        job = http.post(where, json={"into": store, "rate": RATE}).raise_for_status().json()
        while job["state"] in ("waiting", "running"):
            if time.monotonic() > started + _GIVE_UP_S:
                raise TimeoutError(f"the backfill has not ended within {_GIVE_UP_S:g} s: {job}")
            time.sleep(_LOOK_S)
            job = http.get(f"{where}/{job['id']}").raise_for_status().json()
    if job["state"] != "done" or job["found"]["failed"]:
        raise RuntimeError(f"the backfill has failed: {job}")
    return time.monotonic() - started


def _wait_quiet(server: Server, store: Store) -> None:
    """Until the store holds all that comes."""
    seen, since = 0, time.monotonic()
    while not seen or time.monotonic() < since + _QUIET_S:
        if (rows := store.run(server.data_dir.parent, store.count)) != seen:
            seen, since = rows, time.monotonic()
        time.sleep(_QUIET_S / 10)


@contextmanager
def _sqlite() -> Iterator[Store]:
    def run_sql(folder: Path, statement: str) -> int:
        with closing(sqlite3.connect(folder / "data" / "series.db", isolation_level=None, timeout=30)) as db:
            (value,) = db.execute(statement).fetchone() or (0,)
            return int(value)

    yield Store("sqlite", "", run_sql, "DELETE FROM measurement", "SELECT count(*) FROM measurement")


@contextmanager
def _postgres() -> Iterator[Store]:
    import psycopg

    from tests.postgres import Postgres

    with Postgres() as engine:

        def run_sql(_: Path, statement: str) -> int:
            with psycopg.connect(engine.dsn, autocommit=True) as db:
                cursor = db.execute(statement.encode())
                (value,) = (cursor.fetchone() if cursor.description else None) or (0,)
                return int(value)

        sections = f'[series]\nenabled = false\n[postgres]\nenabled = true\ndsn = "{engine.dsn}"\n'
        table = "inflight.measurement"
        yield Store("postgres", sections, run_sql, f"TRUNCATE {table}", f"SELECT count(*) FROM {table}")
