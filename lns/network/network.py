"""The network as the rest of the server sees it: receptions in, downlinks queued, devices kept in step."""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable

from lns.config import Network as NetworkConfig
from lns.exchange.sqlite import SqliteExchange
from lns.live import Live
from lns.lorawan.regions import REGIONS
from lns.mac import queue
from lns.mac.downlink import FHDR_OCTETS, FPORT_OCTETS
from lns.mac.frames import Reception
from lns.mac.join import JoinSettings
from lns.mac.queue import DownlinkItem
from lns.mac.session import Device
from lns.network.core import Core
from lns.network.devices import Devices
from lns.network.downlinks import Downlinks, Gateways
from lns.network.joins import Joins
from lns.network.load import load
from lns.network.state import NetworkState
from lns.registry.registry import Registry
from lns.registry.rows import NetworkSnapshot
from lns.registry.snapshot import Part

LOAD_ROWS = 5000
MAX_QUEUE = 64
"""Downlinks that may wait for one device: at one an uplink, more is a mistake."""


class DownlinkRefused(ValueError):
    """A downlink that cannot be queued; the text names the value and the limit."""


class Network:
    """Builds the parts of the network and owns what is in memory."""

    def __init__(
        self, config: NetworkConfig, registry: Registry, exchange: SqliteExchange, gateways: Gateways, live: Live
    ) -> None:
        self._registry, self._exchange = registry, exchange
        self.on_loaded: list[Callable[[NetworkSnapshot], None]] = []
        self._state = NetworkState()
        exchange.enlist(self._state)
        self.devices = Devices(self._state, config.net_id)
        self._downlinks = Downlinks(config, exchange, self._state, gateways, live)
        joins = Joins(_join_settings(config), exchange, self._state, self.devices, self._downlinks, live)
        self._core = Core(config, exchange, self._state, self.devices, self._downlinks, joins, live)

    async def load(self) -> None:
        """Bring every device into memory, in parts: all rows at once would leave their memory behind."""
        last_id = await asyncio.to_thread(self._registry.devices.last_id)
        for first_id in range(1, last_id + 1, LOAD_ROWS):
            await self._load(range(first_id, first_id + LOAD_ROWS), at_start=True)

    async def run(self) -> None:
        """Send downlinks as their counters become durable, for ever."""
        await self._downlinks.run()

    def receive(self, receptions: Iterable[Reception], now: float) -> None:
        """What a gateway heard; `now` is monotonic seconds."""
        self._core.receive(receptions, now)

    def drain(self) -> None:
        """Handle the frames whose window is still open."""
        self._core.drain()

    async def reload_devices(self, dev_euis: Iterable[str]) -> None:
        """The registry has created, changed or deleted these devices."""
        wanted = list(dev_euis)
        found = await self._load(wanted, at_start=False)
        for dev_eui in wanted:
            if dev_eui not in found:
                self.devices.forget(dev_eui)

    async def _load(self, part: Part, at_start: bool) -> set[str]:
        snapshot = await asyncio.to_thread(self._registry.load_network, part)
        load(self.devices, snapshot, at_start)
        for listener in self.on_loaded:
            listener(snapshot)
        return {row.dev_eui for row in snapshot.devices}

    def device(self, dev_eui: str) -> Device:
        """The device; KeyError when there is none."""
        return self.devices.by_eui[dev_eui]

    async def enqueue(
        self, dev_eui: str, fport: int, payload: bytes, confirmed: bool, expires_at_us: int | None = None
    ) -> DownlinkItem:
        """Queue a downlink durably; it goes with the next answer to the device. KeyError: no such device."""
        device = self.device(dev_eui)
        waiting = device.queue if device.queue is not None else deque()
        _check(device, fport, payload, len(waiting))
        now_us = time.time_ns() // 1000
        position = waiting[-1].position + 1 if waiting else 1
        item = DownlinkItem(
            str(uuid.uuid4()), device.id, fport, payload, confirmed, now_us, expires_at_us, position=position
        )
        waiting.append(item)
        device.queue = waiting
        self._state.downlink(item, now_us)
        self._downlinks.enqueued(device, time.monotonic())
        await self._exchange.committed()
        return item

    def downlinks(self, dev_eui: str) -> list[DownlinkItem]:
        """What waits for the device, in order, and before it what awaits its acknowledgement."""
        device = self.device(dev_eui)
        return [*([device.awaiting_ack] if device.awaiting_ack else []), *(device.queue or ())]

    async def delete_downlink(self, dev_eui: str, item_id: str) -> bool:
        """Take one item out of the queue; False when it is not waiting (any more)."""
        device = self.device(dev_eui)
        item = queue.find(device.queue, item_id)
        if item is None or device.queue is None:
            return False
        device.queue.remove(item)
        self._downlinks.close_item(device, item.to("deleted", "deleted by a user"))
        await self._exchange.committed()
        return True

    async def flush_downlinks(self, dev_eui: str) -> int:
        """Take all items out of the queue; returns how many there were."""
        device = self.device(dev_eui)
        items, device.queue = list(device.queue or ()), None
        for item in items:
            self._downlinks.close_item(device, item.to("deleted", "flushed by a user"))
        await self._exchange.committed()
        return len(items)


def _check(device: Device, fport: int, payload: bytes, waiting: int) -> None:
    if not 1 <= fport <= 223:
        raise DownlinkRefused(f"fport is {fport}, applications use 1 to 223")
    region = device.region
    room = max(region.max_macpayload(rate.dr, downlink=True) or 0 for rate in region.downlink_rates)
    room -= FHDR_OCTETS + FPORT_OCTETS
    if len(payload) > room:
        raise DownlinkRefused(f"payload is {len(payload)} octets, at most {room} fit in {region.name}")
    if waiting >= MAX_QUEUE:
        raise DownlinkRefused(f"{waiting} downlinks wait for {device.dev_eui}, at most {MAX_QUEUE} may")


def _join_settings(config: NetworkConfig) -> dict[str, JoinSettings]:
    """Per region: extra channels where channels can be added, a sub-band where the plan is fixed."""
    return {
        name: JoinSettings(
            config.net_id,
            config.rx1_delay_s,
            extra_channels_hz=config.extra_channels_hz if name == "EU868" else (),
            sub_band=config.us915_sub_band if name == "US915" else 0,
        )
        for name in REGIONS
    }
