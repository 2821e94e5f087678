"""CPU microseconds per uplink of each stage of the path, one after the other inside this process, without the sockets.

The stages of one copy; for those that copies cost more, three copies too. What other threads and the decoder worker
use for a stage is counted with it. `network` is everything between listener and log, `match_decrypt` a part of it.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from decoders.pool import Pool
from lns.config import Config
from lns.config import Exchange as ExchangeConfig
from lns.config import Measurements as MeasurementsConfig
from lns.decoding.codecs import Codecs
from lns.decoding.consumer import Decoding
from lns.decoding.failures import Failures
from lns.exchange.sqlite import SqliteExchange
from lns.gateways import semtech
from lns.live import Live
from lns.lorawan.phy import DataFrame, parse_uplink
from lns.mac import session, uplink
from lns.mac.dedup import Deduplicator
from lns.mac.match import Match, match
from lns.network import Network
from lns.registry.device_input import parse_device
from lns.registry.registry import FILE_NAME, Registry
from lns.series.consumer import SeriesConsumer
from lns.series.sqlite import SqliteSeries
from tests.bench import processes
from tests.bench.air import Air
from tests.bench.cpu import cpu
from tests.bench.figure import Figure, repeated
from tests.bench.frames import REGION, Fleet, Frame
from tests.bench.server import temporary_folder

DEVICES = 2000
ROUNDS = 3
UPLINKS = 10_000
PER_COMMIT = 40  # what 8,000 uplinks/s gather in the shortest time between two commits, 5 ms
PER_DECODE = 100
PER_WRITE = 500

_CODEC = Path("codecs/inflight/demo-sensor/codec.js")
_WINDOW_S, _LATE_S = 0.2, 1.0

Costs = dict[str, list[float]]
"""Microseconds per uplink of each round, by stage."""


def run() -> list[Figure]:
    """All stages."""
    costs: Costs = {}
    for gateways, suffix in ((1, ""), (3, ".3gw")):
        fleet = Fleet(DEVICES, gateways)
        sessions = _sessions(fleet)
        for _ in range(ROUNDS):
            frames = fleet.frames(UPLINKS)
            _note(costs, f"parse{suffix}", _parse(frames))
            _note(costs, f"dedup{suffix}", _dedup(frames))
            if not suffix:
                _note(costs, "match_decrypt", _match_decrypt(frames, sessions))
    asyncio.run(_whole(costs))
    return [repeated(f"stage.{name}", "us", values, 2) for name, values in costs.items()]


def _note(costs: Costs, name: str, cpu_s: float) -> None:
    costs.setdefault(name, []).append(cpu_s / UPLINKS * 1e6)


def _parse(frames: list[Frame]) -> float:
    datagrams = [datagram for frame in frames for datagram in frame.copies]
    with cpu() as used:
        for datagram in datagrams:
            semtech.reply(semtech.parse(datagram, 0))
    return used()


def _dedup(frames: list[Frame]) -> float:
    heard = [frame.receptions() for frame in frames]
    dedup = Deduplicator(_WINDOW_S, _LATE_S)
    with cpu() as used:
        for number, receptions in enumerate(heard):
            now = number * 1e-4
            for reception in receptions:
                dedup.add(reception, now)
            if number % PER_COMMIT == 0:
                dedup.expire(now)
        dedup.drain()
    return used()


def _sessions(fleet: Fleet) -> session.Sessions:
    sessions = session.Sessions()
    for number, device in enumerate(fleet.devices):
        who = device.identity
        owner = session.Device(number, who.dev_eui, 1, REGION, "1.0.3")
        sessions.add(session.Session(number, owner, who.dev_addr, who.nwk_s_key, who.app_s_key))
    return sessions


def _match_decrypt(frames: list[Frame], sessions: session.Sessions) -> float:
    heard = [frame.receptions() for frame in frames]
    with cpu() as used:
        for receptions in heard:
            phy_payload = receptions[0].phy_payload
            frame = parse_uplink(phy_payload)
            assert isinstance(frame, DataFrame)
            found = match(frame, phy_payload, sessions.candidates(frame.dev_addr), receptions)
            assert isinstance(found, Match)
            uplink.handle(frame, found)
            found.session.fcnt_up = found.fcnt
    return used()


async def _whole(costs: Costs) -> None:
    """The stages that need the log."""
    fleet = Fleet(DEVICES, 1)
    with temporary_folder() as folder:
        registry = Registry(folder / FILE_NAME)
        registry.open()
        try:
            _provision(registry, fleet)
            await _with_log(costs, fleet, registry)
        finally:
            registry.close()


def _provision(registry: Registry, fleet: Fleet) -> None:
    registry.codecs.add("demo", _CODEC.read_text("utf-8"), "ts013")
    registry.codecs.activate("demo", 1)
    registry.templates.change("default", {"codec": "demo"})
    news = []
    for device in fleet.devices:
        who = device.identity
        abp = {"dev_addr": who.dev_addr, "nwk_s_key": who.nwk_s_key.hex(), "app_s_key": who.app_s_key.hex()}
        news.append(parse_device({"dev_eui": who.dev_eui, "activation": "abp", "abp": abp}))
    registry.devices.add_many(news)


async def _with_log(costs: Costs, fleet: Fleet, registry: Registry) -> None:
    live = Live()
    exchange = SqliteExchange(registry.path, ExchangeConfig(), registry.write_lock)
    await exchange.open()
    pool, measurements = Pool(), MeasurementsConfig()
    await pool.start()
    codecs = Codecs(registry, measurements)
    await codecs.load()
    network = Network(Config(), registry, exchange, Air(), live)
    network.on_loaded.append(codecs.take)
    await network.load()
    decoding = Decoding(exchange, pool, codecs, Failures(), measurements, live)
    series = SqliteSeries(registry.path.with_name("series.db"))
    await series.open()
    try:
        for _ in range(ROUNDS):
            start = exchange.head_seq
            async with _committing(exchange):
                await _network_and_append(costs, network, exchange, fleet.frames(UPLINKS))
            await _decode(costs, exchange, decoding, pool, start)
            async with _committing(exchange):
                await exchange.committed()
            await _store(costs, exchange, series, start)
    finally:
        await pool.close()
        await series.close()
        await exchange.close()


@asynccontextmanager
async def _committing(exchange: SqliteExchange) -> AsyncIterator[None]:
    """The log is only written inside the block, so that its cost falls on no other stage."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(exchange.run(), name="exchange")
        yield
        await exchange.stop()


async def _network_and_append(costs: Costs, network: Network, exchange: SqliteExchange, frames: list[Frame]) -> None:
    heard = [frame.receptions() for frame in frames]
    network_s = append_s = 0.0
    for start in range(0, UPLINKS, PER_COMMIT):
        began = time.process_time()
        for receptions in heard[start : start + PER_COMMIT]:
            network.receive(receptions, time.monotonic())
        network.drain()
        handled = time.process_time()
        await exchange.committed()
        network_s += handled - began
        append_s += time.process_time() - handled
    _note(costs, "network", network_s)
    _note(costs, "record_append", append_s)


async def _decode(costs: Costs, exchange: SqliteExchange, decoding: Decoding, pool: Pool, start: int) -> None:
    uplinks, _ = await exchange.read(start, frozenset({"uplink"}), UPLINKS)
    workers = list(pool.status().pids)
    before = sum(processes.cpu(workers).values())
    with cpu() as used:
        for first in range(0, UPLINKS, PER_DECODE):
            await decoding.handle(uplinks[first : first + PER_DECODE])
    _note(costs, "decode", used() + sum(processes.cpu(workers).values()) - before)


async def _store(costs: Costs, exchange: SqliteExchange, series: SqliteSeries, start: int) -> None:
    decoded, _ = await exchange.read(start, frozenset({"decoded"}), UPLINKS)
    consumer = SeriesConsumer(series)
    with cpu() as used:
        for first in range(0, UPLINKS, PER_WRITE):
            await consumer.handle(decoded[first : first + PER_WRITE])
    _note(costs, "store", used())
