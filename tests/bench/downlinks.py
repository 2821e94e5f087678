"""The way down: what a decision costs, what an answered uplink costs, and how long before its window a frame leaves.

A confirmed fleet inside this process, every uplink answered through a real registry and log. Each device is heard by
three gateways of its own, for a gateway has one transmitter and here the server is measured, not the air.
"""

import asyncio
import time
from statistics import quantiles

from lns.config import Config
from lns.config import Exchange as ExchangeConfig
from lns.exchange.sqlite import SqliteExchange
from lns.live import Live
from lns.mac.adr import decide
from lns.mac.frames import Reception, Transmission
from lns.mac.history import KEPT, GatewayNumbers, History
from lns.mac.radio import Radio
from lns.mac.settings import AdrSettings, RegionSettings
from lns.network import Network
from lns.network.downlinks import Answer
from lns.network.radios import OnOutcome
from lns.registry.device_input import parse_device
from lns.registry.registry import FILE_NAME, Registry
from simulators import identity, payloads
from simulators.device import Device
from tests.bench.air import Air
from tests.bench.cpu import cpu
from tests.bench.figure import Figure, repeated
from tests.bench.frames import DATA_RATE, REGION, SEED
from tests.bench.server import temporary_folder

DEVICES = 2000
UPLINKS = 4000
ROUNDS = 3
DECISIONS = 2000
GATEWAYS = 3
RATE_PER_S = 2000
_MODULATION = REGION.uplink_modulation(DATA_RATE)
_CHANNEL = REGION.uplink_channels[0]


def run() -> list[Figure]:
    """All figures of the way down."""
    return [*_adr(), *asyncio.run(_downlinks())]


def _adr() -> list[Figure]:
    figures = []
    for algorithm in ("margin", "gateways"):
        settings = AdrSettings(algorithm=algorithm)  # type: ignore[arg-type]
        history, numbers, radio = History(), GatewayNumbers(), Radio(REGION)
        for fcnt in range(KEPT):
            history.add(fcnt, 0, True, _receptions(b"", 0, fcnt), numbers)
        costs = []
        for _ in range(ROUNDS):
            with cpu() as used:
                for _ in range(DECISIONS):
                    decide(radio, history, settings, REGION)
            costs.append(used() / DECISIONS * 1e6)
        figures.append(repeated(f"adr.decision.{algorithm}", "us", costs))
    return figures


def _receptions(phy: bytes, number: int, tmst_us: int) -> list[Reception]:
    now_us = time.time_ns() // 1000
    return [
        Reception(
            phy,
            identity.gateway_eui(SEED, number * GATEWAYS + gateway),
            _CHANNEL.freq_hz,
            _MODULATION,
            -80.0 - gateway,
            7.5 - gateway,
            tmst_us & 0xFFFF_FFFF,
            now_us,
        )
        for gateway in range(GATEWAYS)
    ]


class Times(Air):
    """Notes how long before its window each frame comes; the gateways' counters run with the monotonic clock."""

    def __init__(self) -> None:
        self.leads_ms: list[float] = []

    def send(self, transmission: Transmission, on_outcome: OnOutcome) -> str | None:
        assert transmission.tmst_us is not None
        ahead_us = (transmission.tmst_us - int(time.monotonic() * 1e6)) & 0xFFFF_FFFF
        self.leads_ms.append(ahead_us / 1000)
        return super().send(transmission, on_outcome)


async def _downlinks() -> list[Figure]:
    devices = [Device(number, identity.device(SEED, number), REGION, DATA_RATE) for number in range(DEVICES)]
    with temporary_folder() as folder:
        registry = Registry(folder / FILE_NAME)
        registry.open()
        try:
            _provision(registry, devices)
            return await _measured(registry, devices)
        finally:
            registry.close()


def _provision(registry: Registry, devices: list[Device]) -> None:
    news = []
    for device in devices:
        device.personalise()
        who = device.identity
        abp = {"dev_addr": who.dev_addr, "nwk_s_key": who.nwk_s_key.hex(), "app_s_key": who.app_s_key.hex()}
        news.append(parse_device({"dev_eui": who.dev_eui, "activation": "abp", "abp": abp}))
    registry.devices.add_many(news)


async def _measured(registry: Registry, devices: list[Device]) -> list[Figure]:
    exchange = SqliteExchange(registry.path, ExchangeConfig(), registry.write_lock)
    await exchange.open()
    air = Times()
    network = Network(Config(regions={"EU868": RegionSettings(duty_cycle=False)}), registry, exchange, air, Live())
    await network.load()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(exchange.run()), tasks.create_task(network.run())]
        rounds = [await _round(network, devices, air) for _ in range(ROUNDS)]
        decisions = [await _decisions(network, devices) for _ in range(ROUNDS)]
        for task in running:
            task.cancel()
    await exchange.close()
    return [
        repeated("downlink.decision", "us", decisions),
        repeated("downlink.cpu_us_per_answered_uplink", "us", [cpu_us for cpu_us, _ in rounds]),
        repeated("downlink.answered_per_s_per_core", "1/s", [1e6 / cpu_us for cpu_us, _ in rounds], 0),
        repeated("downlink.lead_p50_ms", "ms", [quantiles(leads, n=100)[49] for _, leads in rounds]),
        repeated("downlink.lead_p1_ms", "ms", [quantiles(leads, n=100)[0] for _, leads in rounds]),
    ]


async def _round(network: Network, devices: list[Device], air: Times) -> tuple[float, list[float]]:
    """CPU microseconds per answered uplink, and the leads; every uplink has to be answered."""
    air.leads_ms = []
    frames = [
        (device.number, device.uplink(payloads.FPORT, payloads.reading(device.number, count), confirmed=True))
        for count in range(UPLINKS // DEVICES)
        for device in devices
    ]
    began, started = time.process_time(), time.monotonic()
    for count, (number, phy) in enumerate(frames):
        now = time.monotonic()
        network.receive(_receptions(phy, number, int(now * 1e6)), now)
        if count % 20 == 0:
            await asyncio.sleep(max(0.0, started + count / RATE_PER_S - now))
    async with asyncio.timeout(10):
        while len(air.leads_ms) < UPLINKS:
            await asyncio.sleep(0.01)
    return (time.process_time() - began) / UPLINKS * 1e6, air.leads_ms


async def _decisions(network: Network, devices: list[Device]) -> float:
    """Microseconds to decide about an acknowledgement with three gateways: windows, choice, frame."""
    answers = []
    for number in range(DECISIONS):
        session = network.device(devices[number % DEVICES].identity.dev_eui).session
        assert session is not None
        now = time.monotonic()
        answers.append(Answer(session, _receptions(b"", number, int(now * 1e6)), now, DATA_RATE, session.fcnt_up))
        answers[-1].wants = True
    with cpu() as used:
        for answer in answers:
            network.downlink_decider.decide(answer)
    await asyncio.sleep(1.5)  # their windows pass, so that they are not in the way of what comes next
    return used() / DECISIONS * 1e6
