"""A network with a real registry and exchange, and a radio in memory between it and simulated devices."""

import asyncio
import itertools
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from lns.config import Config
from lns.config import Exchange as ExchangeConfig
from lns.config import Network as NetworkConfig
from lns.exchange.records import Record
from lns.exchange.sqlite import SqliteExchange
from lns.live import Live
from lns.lorawan.regions import region
from lns.mac.frames import Reception, Transmission
from lns.mac.settings import RegionSettings
from lns.network import Network
from lns.network.clocks import Clocks
from lns.registry.device_input import parse_device
from lns.registry.registry import Registry
from simulators import identity
from simulators.device import Device
from simulators.firmware import ORDINARY, Firmware
from tests.network.air import Air
from tests.network.virtual_time import clocks

CONFIG = NetworkConfig(dedup_window_ms=20, late_window_ms=100, net_id="000000")
DR = 5


class World:
    """One network; `hear` puts a frame on the air."""

    def __init__(
        self, network: Network, exchange: SqliteExchange, registry: Registry, air: Air, live: Live, now: Clocks
    ) -> None:
        self.network, self.exchange, self.registry, self.air, self.live = network, exchange, registry, air, live
        self.clocks = now
        self._tmst = itertools.count(1_000_000, 10_000)

    async def device(
        self,
        number: int = 1,
        activation: str = "otaa",
        firmware: Firmware = ORDINARY,
        registered_as: str | None = None,
        region_name: str = "EU868",
        dr: int = DR,
        **more: Any,
    ) -> Device:
        """A registered device; ABP ones are ready to send. Its version is the firmware's, unless registered wrongly."""
        device = Device(number, identity.device(1, number), region(region_name), dr, firmware)
        if activation == "abp":
            device.personalise()
        await self.register(device, activation, registered_as or firmware.version.name, **more)
        return device

    async def register(self, device: Device, activation: str, version: str, **more: Any) -> None:
        """A person registers a device."""
        values = {"activation": activation, **who_it_is(device.identity, activation, version), **more}
        await asyncio.to_thread(self._provision, version, device.mac.region.name, values)
        await self.network.reload_devices([device.identity.dev_eui])

    def _provision(self, version: str, region_name: str, values: dict[str, Any]) -> None:
        name = f"{version} {region_name}"
        if name not in {template.name for template in self.registry.templates.all()}:
            self.registry.templates.add({"name": name, "lorawan_version": version, "region": region_name})
        self.registry.devices.add(parse_device({"template": name, **values}))

    async def change(self, device: Device, **values: Any) -> None:
        """A person changes the registered device."""
        dev_eui = device.identity.dev_eui
        await asyncio.to_thread(self.registry.devices.change, dev_eui, values)
        await self.network.reload_devices([dev_eui])

    async def delete(self, device: Device) -> None:
        """A person deletes the registered device."""
        await asyncio.to_thread(self.registry.devices.delete, device.identity.dev_eui)
        await self.network.reload_devices([device.identity.dev_eui])

    def hear(self, phy: bytes, *gateways: int, snr_db: float = 7.0) -> None:
        """Frames reach the network from these gateways (default: the first), each a bit weaker."""
        modulation = region("EU868").uplink_modulation(DR)
        now = self.clocks.read()
        receptions = [
            Reception(phy, f"{g:016x}", 868_100_000, modulation, -80.0 - g, snr_db - g, next(self._tmst), now.utc_us)
            for g in gateways or (1,)
        ]
        self.network.receive(receptions, now.now)

    async def records(self, topic: str) -> list[Any]:
        """Everything in the log under `topic`."""
        await self.exchange.committed()
        found: list[Record] = [
            stored.record for stored in (await self.exchange.read(0, frozenset({topic}), 100_000))[0]
        ]
        return found

    async def events(self, *kinds: str) -> list[Any]:
        """The log's events of these kinds."""
        return [event for event in await self.records("event") if event.kind in kinds]

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

    def why(self) -> list[tuple[str, str]]:
        """Reason and text of every refusal so far."""
        return [(str(event["reason"]), event["text"]) for event in self.live.recent_refusals]

    async def join(self, device: Device, nonce: int | None = None) -> None:
        """Let a device join."""
        before = len(self.air.sent)
        self.hear(device.join_request(secrets.randbits(16) if nonce is None else nonce))
        device.accept((await self.transmissions(before + 1))[-1].phy_payload)


def who_it_is(who: identity.Identity, activation: str, version: str) -> dict[str, Any]:
    """Identifiers and keys as a person registers them."""
    values: dict[str, Any] = {"dev_eui": who.dev_eui, "join_eui": who.join_eui}
    if activation == "otaa":
        keys = {"app_key": who.app_key.hex()}
        return values | keys | ({"nwk_key": who.nwk_key.hex()} if version == "1.1" else {})
    names = ["nwk_s_key", "app_s_key"]
    if version == "1.1":
        names = ["f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key", "app_s_key"]
    return values | {"abp": {"dev_addr": who.dev_addr, **{name: getattr(who, name).hex() for name in names}}}


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for a condition with a deadline."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


@contextmanager
def no_errors_logged() -> Iterator[None]:
    """Nothing may go wrong unseen: what a callback raises is logged, and nothing more."""
    errors = _Errors()
    logging.getLogger().addHandler(errors)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(errors)
    assert not errors.texts, "\n".join(errors.texts)


@asynccontextmanager
async def world(
    folder: Path, config: NetworkConfig = CONFIG, regions: dict[str, RegionSettings] | None = None
) -> AsyncIterator[World]:
    """A running network on the files of `folder`."""
    registry = Registry(folder / "inflight.db")
    await asyncio.to_thread(registry.open)
    exchange = SqliteExchange(registry.path, ExchangeConfig(commit_interval_ms=1), registry.write_lock)
    await exchange.open()
    now = clocks(asyncio.get_running_loop())
    air, live = Air(now), Live()
    network = Network(Config(network=config, regions=regions or {}), registry, exchange, air, live, now)
    await network.load()
    with no_errors_logged():
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
