"""A network with a real registry and exchange, and a radio in memory between it and simulated devices."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lns.config import Config
from lns.config import Exchange as ExchangeConfig
from lns.config import Network as NetworkConfig
from lns.exchange.records import Record
from lns.exchange.sqlite import SqliteExchange
from lns.live import Live
from lns.lorawan.regions import region
from lns.mac.frames import Reception, Transmission, TxOutcome
from lns.mac.settings import RegionSettings
from lns.network import Network
from lns.network.clocks import Clocks
from lns.registry.device_input import parse_device
from lns.registry.registry import Registry
from simulators import identity
from simulators.device import Device
from tests.network.virtual_time import clocks

CONFIG = NetworkConfig(dedup_window_ms=20, late_window_ms=100, net_id="000000")
DR = 5


class Air:
    """The gateways' side: keeps what was transmitted and answers with the outcomes it was given."""

    def __init__(self) -> None:
        self.sent: list[Transmission] = []
        self.outcomes: list[TxOutcome | None] = []
        self.deaf: set[str] = set()
        self.on_send: Callable[[Transmission], None] = lambda _: None

    def send(self, transmission: Transmission, on_outcome: Callable[[TxOutcome | None], None]) -> str | None:
        if transmission.gateway_eui in self.deaf:
            return "it has not sent PULL_DATA"
        self.sent.append(transmission)
        self.on_send(transmission)
        outcome = self.outcomes.pop(0) if self.outcomes else TxOutcome(True)
        asyncio.get_running_loop().call_soon(on_outcome, outcome)
        return None

    def round_trip_s(self, gateway_eui: str) -> float:
        return 0.01


class World:
    """One network; `hear` puts a frame on the air."""

    def __init__(self, network: Network, exchange: SqliteExchange, registry: Registry, air: Air, live: Live, now: Clocks) -> None:
        self.network, self.exchange, self.registry, self.air, self.live = network, exchange, registry, air, live
        self.clocks = now
        self._tmst = itertools.count(1_000_000, 10_000)

    async def device(self, number: int = 1, activation: str = "otaa", **more: Any) -> Device:
        """A registered device; ABP ones are ready to send."""
        who = identity.device(1, number)
        values: dict[str, Any] = {"dev_eui": who.dev_eui, "activation": activation, "join_eui": who.join_eui, **more}
        device = Device(number, who, region("EU868"), DR)
        if activation == "otaa":
            values["app_key"] = who.app_key.hex()
        else:
            keys = {"nwk_s_key": who.nwk_s_key.hex(), "app_s_key": who.app_s_key.hex()}
            values["abp"] = {"dev_addr": who.dev_addr, **keys}
            device.personalise()
        await asyncio.to_thread(self.registry.devices.add, parse_device(values))
        await self.network.reload_devices([who.dev_eui])
        return device

    def hear(self, phy: bytes, *gateways: int, snr_db: float = 7.0) -> None:
        """Frames reach the network from these gateways (default: the first), each a bit weaker."""
        modulation = region("EU868").uplink_modulation(DR)
        now = self.clocks.read()
        receptions = [
            Reception(phy, f"{g:016x}", 868_100_000, modulation, -80.0 - g, snr_db - g, next(self._tmst), now.utc_us)
            for g in gateways or (1,)
        ]
        self.network.receive(receptions, now.now)

    async def records(self, topic: str) -> list[Record]:
        """Everything in the log under `topic`."""
        await self.exchange.committed()
        return [stored.record for stored in (await self.exchange.read(0, frozenset({topic}), 100_000))[0]]

    async def uplinks(self, count: int) -> list[Any]:
        """The log's uplinks once there are `count`."""
        await until(lambda: self.exchange.head_seq >= count)
        found = await self.records("uplink")
        while len(found) < count:
            await asyncio.sleep(0.005)
            found = await self.records("uplink")
        return found

    async def transmissions(self, count: int) -> list[Transmission]:
        """What was sent, once there are `count`."""
        await until(lambda: len(self.air.sent) >= count)
        return self.air.sent

    async def refused(self, count: int = 1) -> list[str]:
        """Reasons of refusals, once there are `count`."""
        await until(lambda: len(self.live.recent_refusals) >= count)
        return [str(event["reason"]) for event in self.live.recent_refusals]

    async def join(self, device: Device, nonce: int | None = None) -> None:
        """Let a device join."""
        before = len(self.air.sent)
        self.hear(device.join_request(secrets.randbits(16) if nonce is None else nonce))
        device.accept((await self.transmissions(before + 1))[-1].phy_payload)


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for a condition with a deadline."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def world(
    folder: Path, config: NetworkConfig = CONFIG, regions: dict[str, RegionSettings] | None = None
) -> AsyncIterator[World]:
    """A running network on the files of `folder`."""
    registry = Registry(folder / "inflight.db")
    await asyncio.to_thread(registry.open)
    exchange = SqliteExchange(registry.path, ExchangeConfig(commit_interval_ms=1), registry.write_lock)
    await exchange.open()
    air, live = Air(), Live()
    now = clocks(asyncio.get_running_loop())
    network = Network(Config(network=config, regions=regions or {}), registry, exchange, air, live, now)
    await network.load()
    async with asyncio.TaskGroup() as tasks:
        committer = tasks.create_task(exchange.run(), name="exchange")
        sender = tasks.create_task(network.run(), name="downlinks")
        exchange.cursor("test", frozenset({"uplink", "event"}), 0)
        try:
            yield World(network, exchange, registry, air, live, now)
        finally:
            network.drain()
            sender.cancel()
            await exchange.stop()
            await committer
    await exchange.close()
    await asyncio.to_thread(registry.close)
