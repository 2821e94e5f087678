"""The composition root: builds every object, runs them in one TaskGroup, drains on SIGTERM."""

import asyncio
import gc
import logging
import secrets
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import msgspec
import uvloop

from decoders.pool import Pool
from lns import metrics
from lns.api.app import create_app
from lns.api.serve import serve
from lns.api.services import Services
from lns.api.trials import Trials
from lns.archive.around import ARCHIVE
from lns.assembly.archiving import Archiving
from lns.assembly.commands import Commands
from lns.assembly.latest import LatestValues
from lns.assembly.latest import Surroundings as LatestSurroundings
from lns.assembly.loop import Loop
from lns.assembly.outlets import Outlets, OutletSurroundings
from lns.assembly.part import STORE_LINGER_S, Part
from lns.assembly.stores import Stores
from lns.config import Config
from lns.decoding.codecs import Codecs
from lns.decoding.consumer import Decoding
from lns.decoding.failures import Failures
from lns.decoding.parts import Parts
from lns.decoding.replay import Replays
from lns.demo import run_demo
from lns.errors import StoreError, sqlite_sentence
from lns.exchange.consumer import Consumer
from lns.exchange.loop import run_consumer
from lns.exchange.records import Event
from lns.exchange.sqlite import SqliteExchange
from lns.folder import first_key, hold
from lns.gateways.link import State
from lns.gateways.links import GatewayEvent, Links
from lns.gateways.semtech_udp import SemtechUdp
from lns.live import Live, time_text
from lns.logs import setup as setup_logs
from lns.mac.frames import Reception
from lns.names import Names
from lns.network import Network
from lns.outlets.delivery import Refused
from lns.outlets.formats.places import Place
from lns.registry.registry import FILE_NAME, Registry

_logger = logging.getLogger(__name__)

SWITCH_INTERVAL_S = 0.0005
"""Hand-over of the interpreter lock: a store's thread must not wait 5 ms for every statement of a busy loop."""
DECODER_LINGER_S = 0.005
"""How long a small batch waits for company."""
CATCH_UP_S = 10.0
"""How long a stop waits for consumers; what they have not read by then they read at the next start."""
POSITIONS_S = 2.0
"""How long a start waits for consumers to tell where they are: no number that one knows is given again."""
UPKEEP_S = 30.0
DOWNLINKS_KEPT_US = 30 * 86_400_000_000
"""How long people can look up what became of a downlink."""
GC_THRESHOLD = 50_000
TX_ACK_TICK_S = 0.1


def run(config: Config, demo: bool = False, on_ready: Callable[["Server"], None] = lambda _: None) -> None:
    """Serve until SIGTERM or SIGINT, on request with a simulated fleet.

    ConfigError and StoreError say in one sentence why the server cannot start.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    setup_logs(config.log.level, config.log.format)
    with hold(Path(config.data_dir)):
        uvloop.run(Server(config, demo).serve(on_ready), loop_factory=Loop)


class Server:
    """Everything one process runs."""

    def __init__(self, config: Config, demo: bool = False) -> None:
        self._config, self._demo = config, demo
        folder = Path(config.data_dir)
        self.live = Live(config.network.refusals_kept)
        self.registry = Registry(
            folder / FILE_NAME, config.network.region, Path(config.keys.file) if config.keys.file else None
        )
        self.exchange = SqliteExchange(self.registry.path, config.exchange, self.registry.write_lock)
        self.links = Links(config.udp)
        self.udp = SemtechUdp(config.udp, self.links, self._receive, self._gateway_event)
        self.network = Network(config, self.registry, self.exchange, self.udp, self.live)
        d = config.decoders
        self.pool = Pool(d.workers, d.batch, d.timeout_ms, d.memory_mb, d.jitless)
        self.codecs = Codecs(self.registry, config.measurements)
        failures = Failures()
        self.exchange.enlist(failures)
        self.decoding = Decoding(self.exchange, self.pool, self.codecs, failures, config.measurements, self.live)
        self.stores = Stores(config)
        self.parts: list[Part] = [self.stores]
        parts = Parts(self.registry, self.exchange, self.pool, self.codecs, self.stores.reads)
        self.trials = Trials(parts)
        around = LatestSurroundings(self.exchange, self.stores, self.network.devices, self.links, self._tell)
        self.latest = LatestValues(config, around)
        self.parts.append(self.latest)
        self.names = Names(self.network.devices)
        self.codecs.contexts.describe = self.names.who
        self.network.on_loaded += [self.codecs.take, self.names.take]
        self.commands = Commands(self.network, self.codecs, self.pool)
        around_outlets = OutletSurroundings(self.names, self.live, self.commands, self._place_of)
        self.outlets = Outlets(config, self.registry, self.exchange, around_outlets)
        self.parts.append(self.outlets)
        self.network.on_loaded.append(lambda _: self.outlets.forget_names())
        self.archiving = Archiving(config, parts, self.stores, self.outlets, self.decoding.name)
        self.parts.append(self.archiving)
        self.replays = Replays(parts, failures, self.decoding.name, self.archiving.history)
        self.network.devices.on_forgotten += [self.codecs.forget, self.names.forget]
        self.kafka: Consumer | None = None
        self._ready = False
        self._stopping = asyncio.Event()
        self.udp_port = 0
        self.api_port = 0

    def _receive(self, receptions: list[Reception], now: float) -> None:
        self.network.receive(receptions, now)

    def _gateway_event(self, event: GatewayEvent) -> None:
        """A gateway was seen, moved, flooded or came back: keep it in the log, show it."""
        data = msgspec.to_builtins(event)
        self._tell(Event(secrets.token_bytes(16), "gateway", event.at_us, None, None, None, event.gateway_eui, data))

    def _place_of(self, gateway_eui: str) -> Place | None:
        found = self.codecs.contexts.where(gateway_eui)
        return None if found is None else Place(*found)

    def _tell(self, event: Event) -> None:
        """Keep an event in the log, and show it to those who watch."""
        self.exchange.put("event", event)
        who = {"dev_eui": event.dev_eui, "gateway_eui": event.gateway_eui}
        known = {name: value for name, value in who.items() if value is not None}
        self.live.publish({"kind": event.kind, "at": time_text(event.at_us), **known, **event.data})

    async def serve(self, on_ready: Callable[["Server"], None]) -> None:
        """Start, run until a signal, drain, stop."""
        async with AsyncExitStack() as stack:
            await self._open(stack)
            async with asyncio.TaskGroup() as tasks:
                await self._run(tasks, on_ready)
        if self.exchange.lost is not None:
            raise StoreError(f"the log cannot be written: {self.exchange.lost} records are lost")

    def stop(self) -> None:
        """Begin an orderly stop; returns at once."""
        self._stopping.set()

    async def _open(self, stack: AsyncExitStack) -> None:
        """Files and workers first, so that every problem is told before anything listens."""
        await asyncio.to_thread(self.registry.open)
        stack.callback(self.registry.close)
        await asyncio.to_thread(first_key, Path(self._config.data_dir), self.registry)
        try:
            await self.exchange.open()
        except sqlite3.Error as error:
            raise StoreError(sqlite_sentence(self.registry.path, error)) from error
        stack.push_async_callback(self.exchange.close)
        for part in self.parts:
            await part.open(stack)
        await self.codecs.load()
        await self.replays.open()
        await self.network.load()
        rows = await asyncio.to_thread(self.registry.gateways.all)
        self.links.load((row.eui, row.region) for row in rows if row.accepted)
        await self.pool.start()
        metrics.decodes_waiting.read = lambda: [((), float(self.decoding.late.waiting))]
        metrics.decoders_parked.read = lambda: [((), float(len(self.pool.status().parked)))]
        metrics.decoder_restarts.read = lambda: [((c,), float(n)) for c, n in self.pool.status().deaths.items()]
        stack.push_async_callback(self.pool.close)
        _calm_collector()
        self.kafka = await self._open_kafka(stack)

    async def _open_kafka(self, stack: AsyncExitStack) -> Consumer | None:
        if not self._config.kafka.enabled:
            return None
        from lns.outlets.kafka import KafkaOutlet  # an extra: loaded only where it is used

        outlet = KafkaOutlet(self._config.kafka, self.names.of, self._set_aside)
        await outlet.open()
        stack.push_async_callback(outlet.close)
        self.network.on_loaded.append(lambda _: outlet.forget())
        return outlet

    async def _run(self, tasks: asyncio.TaskGroup, on_ready: Callable[["Server"], None]) -> None:
        running = [
            tasks.create_task(self.exchange.maintain(), name="exchange upkeep"),
            tasks.create_task(self.network.run(), name="downlinks"),
            tasks.create_task(self._expire_tx_acks(), name="tx acks"),
            tasks.create_task(self._upkeep(), name="upkeep"),
            tasks.create_task(self.replays.run(), name="replays"),
            tasks.create_task(self.trials.run(), name="trials"),
            tasks.create_task(self.decoding.late.run(), name="late decodes"),
        ]
        for part in self.parts:
            running += [tasks.create_task(run, name=name) for name, run in part.runs()]
        consumers = self._consumers()
        for consumer, linger_s in consumers:
            run = run_consumer(self.exchange, consumer, linger_s)
            running.append(tasks.create_task(run, name=f"consumer {consumer.name}"))
        # before the first commit, and before anything is acknowledged that would wait for it
        await self.exchange.positions_told(self._tellers(consumers), POSITIONS_S)
        committer = tasks.create_task(self.exchange.run(), name="exchange")
        try:
            self.udp_port = await self.udp.start()
            api = await serve(create_app(self._services()), self._config.api.host, self._config.api.port)
            self.api_port = api.port
            self._ready = True
            with _signals(self.stop):
                on_ready(self)
                if self._demo:
                    fleet = run_demo(
                        self.udp_port, self.api_port, Path(self._config.data_dir), self._config.network.region
                    )
                    running.append(tasks.create_task(fleet, name="demo"))
                await self._stopping.wait()
            _logger.info("stopping: what was received is written first")
            await self._drain()
            await api.stop()
        finally:
            for task in running:
                task.cancel()
            await self.udp.close()
            await self.exchange.stop()
            await committer

    def _consumers(self) -> list[tuple[Consumer, float]]:
        consumers: list[tuple[Consumer, float]] = [(self.decoding, DECODER_LINGER_S)]
        for part in self.parts:
            consumers += part.feeds()
        if self.kafka is not None:
            consumers.append((self.kafka, STORE_LINGER_S))
        return consumers

    def _tellers(self, consumers: list[tuple[Consumer, float]]) -> list[str]:
        """Who knows positions of its own; outlets have told theirs when they were opened."""
        archive = [] if self.archiving.archive is None else [ARCHIVE]
        return [consumer.name for consumer, _ in consumers] + archive

    async def _drain(self) -> None:
        """Everything that has arrived goes through the path, as far as consumers manage in time."""
        self._ready = False
        self.udp.stop_receiving()
        self.network.drain()
        self.archiving.hurry()
        try:
            async with asyncio.timeout(CATCH_UP_S):
                await self.exchange.caught_up(without_failing=True)
        except TimeoutError:
            _logger.warning("consumers still lag; they go on at the next start")

    async def _expire_tx_acks(self) -> None:
        while True:
            await asyncio.sleep(TX_ACK_TICK_S)
            self.udp.expire(time.monotonic())

    async def _upkeep(self) -> None:
        """Slow housekeeping: when gateways were last seen, the retention of downlinks and of all engines."""
        while True:
            await asyncio.sleep(UPKEEP_S)
            for part in self.parts:
                try:
                    await part.upkeep(time.time_ns() // 1000)
                except StoreError as error:
                    _logger.warning("upkeep failed, trying again: %s", error)
            try:
                seen = {link.eui: link.last_seen_at_us for link in self.links.all() if link.state is State.ACCEPTED}
                await asyncio.to_thread(self.registry.gateways.seen, {k: v for k, v in seen.items() if v})
                await asyncio.to_thread(self.registry.downlinks.expire, time.time_ns() // 1000 - DOWNLINKS_KEPT_US)
            except StoreError as error:
                _logger.warning("upkeep failed, trying again: %s", error)

    async def _set_aside(self, refused: Refused) -> None:
        """An outlet will never take this record: say so in the log, unless it was itself such a notice."""
        at_us = time.time_ns() // 1000
        data = {name: value for name, value in msgspec.to_builtins(refused).items() if name != "id"}
        self.live.publish({"kind": "delivery", "at": time_text(at_us), **data})
        stored = await self.exchange.pick(refused.seq)
        if stored is not None and not (isinstance(stored.record, Event) and stored.record.kind == "delivery"):
            who = (refused.device_id, None, refused.dev_eui, None)
            event = Event(secrets.token_bytes(16), "delivery", at_us, *who, data)
            await self.exchange.append([("event", event)])

    def _services(self) -> Services:
        return Services(
            config=self._config,
            registry=self.registry,
            network=self.network,
            links=self.links,
            series=self.stores.reads,
            stores=self.stores,
            outlets=self.outlets,
            commands=self.commands,
            latest=self.latest,
            exchange=self.exchange,
            decoding=self.decoding,
            codecs=self.codecs,
            archiving=self.archiving,
            replays=self.replays,
            trials=self.trials,
            decoder_pool=self.pool,
            live=self.live,
            started_at=time.time(),
            udp_port=self.udp_port,
            health=lambda: self.exchange.last_error,
            ready=lambda: None if self._ready else "stopping",
        )


def _calm_collector() -> None:
    """Leave what is loaded out of garbage collection, and collect rarely: records on the path have no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 50, 50)


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
