"""The network as the rest of the server sees it: receptions in, downlinks queued, devices kept in step."""

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lns.config import Config
from lns.exchange.sqlite import SqliteExchange
from lns.live import Live
from lns.mac import dialogue, queue
from lns.mac.frames import Reception
from lns.mac.multicast import MulticastDownlink
from lns.mac.queue import FHDR_OCTETS, FPORT_OCTETS, DownlinkItem
from lns.mac.session import Device
from lns.network import link_view
from lns.network.clock_sync import ClockSync
from lns.network.clocks import SYSTEM, Clocks
from lns.network.core import Core
from lns.network.devices import Devices
from lns.network.downlinks import UNLIMITED_SHARE, Downlinks
from lns.network.joins import Joins
from lns.network.listening import Listening
from lns.network.load import load
from lns.network.multicasts import Multicasts
from lns.network.notices import Notices
from lns.network.radios import Gateways, Radios
from lns.network.sender import Sender
from lns.network.state import NetworkState
from lns.registry.registry import Registry
from lns.registry.rows import NetworkSnapshot
from lns.registry.snapshot import Part

LOAD_ROWS = 5000
MAX_QUEUE = 64
"""Downlinks that may wait for one device: at one an uplink, more is a mistake."""
MAX_PRIORITY = 100


class DownlinkRefused(ValueError):
    """A downlink that cannot be queued; the text names the value and the limit."""


class Network:
    """Builds the parts of the network and owns what is in memory."""

    def __init__(
        self,
        config: Config,
        registry: Registry,
        exchange: SqliteExchange,
        gateways: Gateways,
        live: Live,
        clocks: Clocks = SYSTEM,
    ) -> None:
        self._registry, self._exchange, self._settings = registry, exchange, config.region_settings
        self._clocks = clocks
        self.on_loaded: list[Callable[[NetworkSnapshot], None]] = []
        state = self._state = NetworkState(lambda octets: registry.seal.seal(octets))  # open only when it runs
        exchange.enlist(state)
        self._notices = notices = Notices(exchange, state, live, clocks)
        self.radios = radios = Radios(gateways)
        self.devices = devices = Devices(state, config.network.net_id)
        self._sender = sender = Sender(exchange, radios, notices, clocks)
        downlinks = self.downlink_decider = Downlinks(
            config.network, self._settings, state, radios, sender, notices, clocks
        )
        self._listening = Listening(state, devices, downlinks, radios, sender, notices, clocks)
        self._multicasts = Multicasts(state, devices, radios, sender, notices, self._share, clocks)
        joins = Joins(config.network.net_id, self._settings, exchange, state, devices, downlinks, live, clocks)
        clock_sync = ClockSync(radios, notices, clocks)
        self._core = Core(
            config.network,
            exchange,
            state,
            devices,
            downlinks,
            self._listening,
            joins,
            clock_sync,
            radios,
            notices,
            live,
            clocks,
        )

    def _share(self, region_name: str, share: float) -> float:
        return share if self._settings(region_name).duty_cycle else UNLIMITED_SHARE

    async def load(self) -> None:
        """Bring every device into memory, in parts: all rows at once would leave their memory behind."""
        last_id = await asyncio.to_thread(self._registry.devices.last_id)
        for first_id in range(1, last_id + 1, LOAD_ROWS):
            await self._load(range(first_id, first_id + LOAD_ROWS), at_start=True)
        self._multicasts.load(await asyncio.to_thread(self._registry.load_multicast))
        for device in self.devices.by_id.values():
            self._listening.free(device, self._clocks.monotonic())

    async def run(self) -> None:
        """Send downlinks as their counters become durable, for ever."""
        await self._sender.run()

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
                continue
            device = self.devices.by_eui[dev_eui]
            if device.session is not None:
                dialogue.again(device.session)
            self._listening.free(device, self._clocks.monotonic())

    async def reload_multicast(self, group_ids: Sequence[int]) -> None:
        """The registry has created, changed or deleted these groups or their members."""
        self._multicasts.load(await asyncio.to_thread(self._registry.load_multicast, group_ids), group_ids)

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
        self,
        dev_eui: str,
        fport: int,
        payload: bytes,
        confirmed: bool,
        expires_at_us: int | None = None,
        priority: int = 0,
        at_us: int | None = None,
    ) -> DownlinkItem:
        """Queue a downlink durably; it goes with the next answer to the device. KeyError: no such device."""
        device = self.device(dev_eui)
        waiting = device.queue if device.queue is not None else deque()
        _check(device, fport, payload, priority)
        if len(waiting) >= MAX_QUEUE:
            raise DownlinkRefused(f"{len(waiting)} downlinks wait for {device.dev_eui}, at most {MAX_QUEUE} may")
        now_us = self._clocks.utc_us()
        item = DownlinkItem(
            str(uuid.uuid4()),
            device.id,
            fport,
            payload,
            confirmed,
            now_us,
            expires_at_us,
            position=queue.next_position(waiting, device.awaiting_ack),
            priority=priority,
            at_us=at_us,
        )
        queue.insert(waiting, item)
        device.queue = waiting
        self._queued(device, item)
        await self._exchange.committed()
        return item

    async def replace_downlink(
        self, dev_eui: str, item_id: str, fport: int, payload: bytes, confirmed: bool, **more: Any
    ) -> DownlinkItem | None:
        """Let another downlink take the place of a waiting one; None when that does not wait (any more).

        `more` as in `enqueue`: expires_at_us, priority, at_us. KeyError: no such device.
        """
        device = self.device(dev_eui)
        _check(device, fport, payload, more.get("priority", 0))
        now_us = self._clocks.utc_us()
        new = DownlinkItem(item_id, device.id, fport, payload, confirmed, now_us, **more)
        item = queue.replace(device.queue, new) if device.queue else None
        if item is None:
            return None
        self._queued(device, item)
        await self._exchange.committed()
        return item

    def _queued(self, device: Device, item: DownlinkItem) -> None:
        self._notices.item(device, item)
        now = self._clocks.monotonic()
        if not self.downlink_decider.enqueued(device, now):
            self._listening.free(device, now)

    def downlinks(self, dev_eui: str) -> list[DownlinkItem]:
        """What waits for the device, in order, and before it what awaits its acknowledgement."""
        device = self.device(dev_eui)
        return [*([device.awaiting_ack] if device.awaiting_ack else []), *(device.queue or ())]

    async def delete_downlink(self, dev_eui: str, item_id: str) -> bool:
        """Take one item out of the queue, or give up one that was sent and not acknowledged; False: neither."""
        device = self.device(dev_eui)
        item = queue.delete(device.queue, item_id) if device.queue else None
        if item is None and device.awaiting_ack is not None and device.awaiting_ack.id == item_id:
            item, device.awaiting_ack = queue.recall(device.awaiting_ack), None
        if item is None:
            return False
        self._notices.item(device, item)
        self._listening.free(device, self._clocks.monotonic())
        await self._exchange.committed()
        return True

    async def flush_downlinks(self, dev_eui: str) -> int:
        """Take all items out of the queue; returns how many there were."""
        device = self.device(dev_eui)
        items = queue.flush(device.queue) if device.queue else []
        for item in items:
            self._notices.item(device, item)
        await self._exchange.committed()
        return len(items)

    async def multicast_enqueue(
        self, group_id: int, fport: int, payload: bytes, expires_at_us: int | None = None, at_us: int | None = None
    ) -> MulticastDownlink:
        """Queue a downlink of a group durably. KeyError: no such group; DownlinkRefused names value and limit."""
        try:
            item = self._multicasts.enqueue(group_id, fport, payload, expires_at_us, at_us)
        except ValueError as error:
            raise DownlinkRefused(str(error)) from error
        await self._exchange.committed()
        return item

    async def export_session(self, dev_eui: str) -> dict[str, Any] | None:
        """The session with all counters, keys and channel state; None without one. KeyError: no such device."""
        device = self.device(dev_eui)
        await self._exchange.committed()
        return link_view.export(device)

    def link(self, dev_eui: str) -> dict[str, Any]:
        """How the device is heard. KeyError: no such device."""
        return link_view.link(self.device(dev_eui), self.radios.numbers)

    def force_rejoin(self, dev_eui: str, rejoin_type: int = 0, dr: int = 0) -> None:
        """Ask the device to rejoin, with the next downlink (ForceRejoinReq, 1.1). DownlinkRefused says why not."""
        device = self.device(dev_eui)
        session = device.session
        if session is None:
            raise DownlinkRefused(f"device {dev_eui} has no session")
        try:
            dialogue.ask(session, "ForceRejoinReq", period=0, max_retries=0, rejoin_type=rejoin_type, dr=dr)
        except ValueError as error:
            raise DownlinkRefused(str(error)) from error
        self._state.retuned(session)


def _check(device: Device, fport: int, payload: bytes, priority: int) -> None:
    if not 1 <= fport <= 223:
        raise DownlinkRefused(f"fport is {fport}, applications use 1 to 223")
    if not -MAX_PRIORITY <= priority <= MAX_PRIORITY:
        raise DownlinkRefused(f"priority is {priority}, {-MAX_PRIORITY} to {MAX_PRIORITY} are known")
    region = device.region
    room = max(region.max_macpayload(rate.dr, downlink=True) or 0 for rate in region.downlink_rates)
    room -= FHDR_OCTETS + FPORT_OCTETS
    if len(payload) > room:
        raise DownlinkRefused(f"payload is {len(payload)} octets, at most {room} fit in {region.name}")
