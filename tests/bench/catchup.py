"""After an engine was away for an hour: how fast its store catches up while live traffic goes on, and in what memory.

The log holds an hour of the load (5 million measurements) that the store has not seen. The server starts on it, and
devices go on sending at the rate at which that hour was filled; the store is caught up when it lags no more than the
live traffic makes it. ENGINES names the engines (sqlite,postgres,influxdb), BACKLOG the measurements.
"""

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

from lns.config import Exchange
from lns.exchange.sqlite import SqliteExchange
from lns.registry.registry import FILE_NAME
from tests.bench import processes
from tests.bench.figure import Figure
from tests.bench.fleet import DEVICES, Load, send
from tests.bench.registered import register
from tests.bench.series import FIELDS, Log
from tests.bench.server import Server, serving, temporary_folder

BACKLOG = int(os.environ.get("BACKLOG", "5_000_000"))  # measurements
HOUR_S = 3600
LIVE_PER_S = max(BACKLOG, 5_000_000) / HOUR_S  # measurements; a smaller backlog is a shorter outage
WARM_UP_S = 15.0  # memory is what it is from here on
_LOOK_S = 0.5
_GIVE_UP_S = 1200.0
_AT_ONCE = 5000


class CaughtUp(msgspec.Struct, frozen=True):
    """Seconds until the store was there, measurements it took in that time, and how the memory grew meanwhile."""

    took_s: float
    measurements: int
    rss_first: int
    rss_most: int
    refused: int


def run() -> list[Figure]:
    """Engines one after another on copies of one log; one that is not there is left out, and said."""
    figures: list[Figure] = []
    with temporary_folder() as folder:
        asyncio.run(_fill(folder))
        for name in wanted(os.environ.get("ENGINES", "")):
            place = folder / name
            try:
                with ENGINES[name]() as sections:
                    shutil.copytree(folder / "data", place / "data")
                    store = name.removeprefix("timescale") or "postgres"
                    figures += _shown(name, _measure(place, f"series.{store}", sections))
            except pytest.skip.Exception as missing:
                print(f"left out: {missing}")
            finally:
                shutil.rmtree(place, ignore_errors=True)
    return figures


def wanted(names: str) -> list[str]:
    """The engines of a list with commas, which names those there are; all but the slow one where it is empty."""
    found = [name.strip() for name in names.split(",") if name.strip()]
    for name in found:
        if name not in ENGINES:
            raise ValueError(f"ENGINES names {name!r}, there are {', '.join(ENGINES)}")
    return found or [name for name in ENGINES if name not in _ONLY_NAMED]


def _shown(name: str, found: CaughtUp) -> list[Figure]:
    rate = found.measurements / found.took_s
    return [
        Figure(f"catchup.{name}.measurements_per_s", round(rate), "1/s"),
        Figure(f"catchup.{name}.times_live_rate", round(rate / LIVE_PER_S, 1), ""),
        Figure(f"catchup.{name}.rss_growth_mb", round((found.rss_most - found.rss_first) / 1e6), "MB"),
        Figure(f"catchup.{name}.live_uplinks_lost", found.refused, "uplinks"),
    ]


async def _fill(folder: Path) -> None:
    """A log of decoded uplinks of devices that exist."""
    register(folder, DEVICES)
    exchange = SqliteExchange(folder / "data" / FILE_NAME, Exchange(commit_interval_ms=0), threading.Lock())
    await exchange.open()
    log = Log()
    async with asyncio.TaskGroup() as tasks:
        committer = tasks.create_task(exchange.run())
        for _ in range(BACKLOG // len(FIELDS) // _AT_ONCE):
            await exchange.append([("decoded", stored.record) for stored in log.batch(_AT_ONCE)])
        await exchange.stop()
        await committer
    await exchange.close()


def _measure(folder: Path, consumer: str, sections: str) -> CaughtUp:
    with serving(folder, sections) as server, httpx.Client(headers={"Authorization": f"Bearer {server.key}"}) as http:
        rate = LIVE_PER_S / len(FIELDS)
        sending = threading.Thread(target=_send_on, args=(server, rate, stop := threading.Event()))
        started = time.monotonic()
        sending.start()
        rss: list[tuple[float, int]] = []
        try:
            while True:
                time.sleep(_LOOK_S)
                took_s = time.monotonic() - started
                rss.append((took_s, processes.rss_bytes(server.pid)))
                status = http.get(f"{server.url}/api/v1/exchange").raise_for_status().json()
                state = next((c for c in status["consumers"] if c["name"] == consumer), None)
                if state is not None and state["lag"] < rate * 5 and state["position"] > 0:
                    break
                if took_s > _GIVE_UP_S:
                    raise TimeoutError(f"{consumer} lags after {_GIVE_UP_S:g} s: {state}")
        finally:
            stop.set()
            sending.join()
        counters = http.get(f"{server.url}/api/v1/status").raise_for_status().json()["counters"]
        warm = [size for at, size in rss if at >= WARM_UP_S] or [rss[-1][1]]
        measurements = BACKLOG + round(took_s * LIVE_PER_S)
        return CaughtUp(took_s, measurements, warm[0], max(warm), int(counters["uplinks"].get("refused", 0)))


def _send_on(server: Server, rate: float, stop: threading.Event) -> None:
    """Live traffic in pieces of ten seconds, until it is told to stop."""
    while not stop.is_set():
        send(server, Load(gateways=1, uplinks=round(rate * 10), rate=rate))


@contextmanager
def _sqlite() -> Iterator[str]:
    yield ""


@contextmanager
def _postgres() -> Iterator[str]:
    from tests.postgres import Postgres

    with Postgres() as server:
        yield f'[series]\nenabled = false\n[postgres]\nenabled = true\ndsn = "{server.dsn}"\n'


@contextmanager
def _influx() -> Iterator[str]:
    from tests.influx import InfluxServer

    with InfluxServer() as server:
        yield f'[series]\nenabled = false\n[influxdb]\nenabled = true\nurl = "{server.url}"\n'


@contextmanager
def _timescale() -> Iterator[str]:
    dsn = os.environ.get("LNS_TEST_TIMESCALE")
    if not dsn:
        pytest.skip("no TimescaleDB server given: set LNS_TEST_TIMESCALE to the DSN of an empty database")
    yield f'[series]\nenabled = false\n[postgres]\nenabled = true\nschema = "catchup"\ndsn = "{dsn}"\n'


@contextmanager
def _mongo() -> Iterator[str]:
    from tests.mongo import GIVEN, MongoServer

    with ExitStack() as stack:
        url = os.environ.get(GIVEN) or stack.enter_context(MongoServer()).url
        yield f'[series]\nenabled = false\n[mongodb]\nenabled = true\ndatabase = "catchup"\nurl = "{url}"\n'


ENGINES = {"sqlite": _sqlite, "postgres": _postgres, "timescale": _timescale, "influxdb": _influx, "mongodb": _mongo}
_ONLY_NAMED = {"timescale", "mongodb"}  # by hand: a server of one's own, or one that has to be given few measurements
