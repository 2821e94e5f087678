"""A PostgreSQL set up as the container's first start does it, and filled by the server's own store."""

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lns.series.store import Row, Rows
from tests.deploy.boards import DEPLOY
from tests.postgres import Postgres, roll

MINUTE_US, DAY_US = 60_000_000, 86_400_000_000
NOW_US = time.time_ns() // 1000
OLD_DAYS = 30
PASSWORD = {"INFLIGHT_DB_PASSWORD": "o'clock", "GRAFANA_DB_PASSWORD": "read me"}


def rows() -> Rows:
    """Two days of three devices, of which the third fell silent; a month-old day; two rows that no store takes."""
    found = []
    for device, until_us in ((1, NOW_US), (2, NOW_US), (3, NOW_US - 30 * 60 * MINUTE_US)):
        for at_us in range(until_us - 2 * DAY_US, until_us, 15 * MINUTE_US):
            found += _uplink(device, at_us)
    found += _uplink(1, NOW_US - OLD_DAYS * DAY_US)
    found.append(Row(1, "air.temperature", NOW_US - 1, float("nan"), "Cel", 1))
    found.append(Row(2, 'odd "name"', NOW_US - 1, float("inf"), None, 1))
    return Rows.of(found)


def _uplink(device: int, at_us: int) -> list[Row]:
    warm = 20 + device + (at_us // MINUTE_US % 60) / 60
    return [
        Row(device, "air.temperature", at_us, warm, "Cel", 1),
        Row(device, "link.rssi", at_us, -90.0 - device, "dBm", 1),
        Row(device, "link.snr", at_us, 5.0 - device, "dB", 1),
        Row(device, "door.open", at_us, at_us // MINUTE_US % 20 == 0, None, 1),
        Row(device, "mode", at_us, "eco", None, 1),
    ]


def dsn(server: Postgres, user: str) -> str:
    return f"postgresql://{user}@127.0.0.1:{server.port}/inflight"


def initialise(server: Postgres, folder: Path) -> None:
    """Run the container's script; TimescaleDB is not here, and the files lie elsewhere."""
    script = (DEPLOY / "postgres/initdb/10-inflight.sh").read_text("utf-8")
    for text, ours in (
        ("CREATE EXTENSION IF NOT EXISTS timescaledb;\n", ""),
        ("/etc/inflight/grafana.sql", str(DEPLOY / "postgres/grafana.sql")),
    ):
        assert script.count(text) == 1
        script = script.replace(text, ours)
    (folder / "init.sh").write_text(script, "utf-8")
    image = {"POSTGRES_USER": "postgres", "POSTGRES_DB": "inflight", **PASSWORD}
    place = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port)}
    subprocess.run(["sh", str(folder / "init.sh")], check=True, capture_output=True, env=os.environ | image | place)


@contextmanager
def filled(folder: Path) -> Iterator[Postgres]:
    """The server, with measurements and roll-ups."""
    psycopg = pytest.importorskip("psycopg", reason="needs pip install 'inflight-lns[postgres]'")
    with Postgres() as server:
        server.run_sql("CREATE ROLE postgres SUPERUSER LOGIN", "CREATE DATABASE inflight")
        with psycopg.connect(dsn(server, "postgres"), autocommit=True) as connection:
            connection.execute("ALTER ROLE inflight RENAME TO cluster")  # the account of the tests' own server
        initialise(server, folder)
        from lns.config.stores import Postgres as Settings
        from lns.series.postgres.store import PostgresSeries

        asyncio.run(fill(PostgresSeries(Settings(dsn=dsn(server, "inflight")), lambda: NOW_US)))
        yield server


async def fill(store: Any) -> None:
    """Write the rows and roll them up."""
    await store.open()
    try:
        done = await store.write(rows(), 1)
        assert len(done.rejected) == 2
        await roll(store)
    finally:
        await store.close()
