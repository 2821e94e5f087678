"""A device's life and the network it belongs to: what it sends is heard, what comes back meets its windows."""

import asyncio
from collections.abc import Sequence
from typing import Any

from lns.mac.frames import Reception
from lns.mac.session import Device as Known
from lns.mac.session import Session
from simulators.device import Device, Received
from simulators.ears import Heard
from simulators.firmware import Firmware
from simulators.life import Life, Lost, never
from simulators.session import Fault
from simulators.tower import Tower
from simulators.versions import VERSIONS
from tests.network.world import World

IMPOSSIBLE = (Fault.MALFORMED, Fault.MIC, Fault.FCNT_REUSED, Fault.FCNT_BEHIND)
"""What no air and no device can make of the frames of a network that does right."""


def towers(world: World, *numbers: int, has_gps: bool = True) -> list[Tower]:
    """Gateways around, the first one the nearest; those that are there already are the same for every device."""
    air, booted_us = world.air, world.clocks.utc_us() - 1_000_000
    for n in numbers or (1,):
        air.towers.setdefault(f"{n:016x}", Tower(f"{n:016x}", booted_us, snr_db=8.0 - n, has_gps=has_gps))
    return [air.towers[f"{n:016x}"] for n in numbers or (1,)]


class Pair:
    """One device in a world. Every method lets time pass until the windows of what it sent are over.

    `arrived` are the payloads of uplinks of which the air let at least one copy through, in order.
    """

    def __init__(self, world: World, device: Device, around: Sequence[Tower] = (), lost: Lost = never) -> None:
        self.world, self.device = world, device
        around = around or towers(world)
        self.life = Life(device, around, lost, world.clocks.utc_us())
        self.arrived: list[bytes] = []
        self._around = frozenset(tower.eui for tower in around)
        world.air.lives.append((self.life, self._around))

    def move(self, world: World) -> None:
        """The device goes on under another network, or the same one started again."""
        world.air.towers.update(self.world.air.towers)
        world.air.lives.append((self.life, self._around))
        self.world = world

    @property
    def dev_eui(self) -> str:
        return self.device.identity.dev_eui

    @property
    def known(self) -> Known:
        """The device as the network knows it."""
        return self.world.network.device(self.dev_eui)

    @property
    def session(self) -> Session:
        """The network's session."""
        session = self.known.session
        assert session is not None
        return session

    async def join(self, dev_nonce: int | None = None) -> list[Heard]:
        """Ask to join, once."""
        self._now()
        return await self._exchange(self.life.join(self.device.dev_nonce + 1 if dev_nonce is None else dev_nonce))

    async def rejoin(self, rejoin_type: int) -> list[Heard]:
        """Ask to rejoin, once."""
        self._now()
        return await self._exchange(self.life.rejoin(rejoin_type))

    async def send(
        self, payload: bytes = b"x", fport: int | None = 10, confirmed: bool = False, asks: bytes = b""
    ) -> list[Heard]:
        """Send an uplink and its repetitions; gives what came back."""
        self._now()
        return await self._exchange(self.life.uplink(fport, payload, confirmed, asks), payload)

    async def due_rejoin(self) -> list[Heard] | None:
        """Send the rejoin-request that is due, if there is one."""
        self._now()
        receptions = self.life.due_rejoin()
        return None if receptions is None else await self._exchange(receptions)

    async def wait(self, seconds: float) -> list[Heard]:
        """Let time pass without sending; gives what came."""
        before = len(self.life.heard)
        await asyncio.sleep(seconds)
        self._now()
        return self._since(before)

    def received(self) -> list[Received]:
        """Every data frame the device has accepted."""
        return [heard.outcome for heard in self.life.heard if isinstance(heard.outcome, Received)]

    async def _exchange(self, receptions: list[Reception], payload: bytes | None = None) -> list[Heard]:
        before, heard_as = len(self.life.heard), payload
        copies: list[Reception] | None = receptions
        while copies is not None:
            await self._until(self.life.now_us)
            if copies:
                self.arrived += [] if heard_as is None else [heard_as]
                heard_as = None
                self.world.network.receive(copies, self.world.clocks.monotonic())
            await self._until(self.life.closed_us)
            self._now()
            copies = self.life.repeat()
        return self._since(before)

    def _since(self, before: int) -> list[Heard]:
        heard = self.life.heard[before:]
        wrong = [one for one in heard if one.outcome in IMPOSSIBLE or one.fault in IMPOSSIBLE]
        assert not wrong, wrong
        return heard

    async def _until(self, at_us: int) -> None:
        await asyncio.sleep(max(0, at_us - self.world.clocks.utc_us()) / 1e6)

    def _now(self) -> None:
        self.world.air.catch_up(self.life)


def only(heard: Sequence[Heard]) -> tuple[str | None, Received]:
    """The one downlink that came, and its window."""
    (one,) = heard
    assert isinstance(one.outcome, Received), one
    return one.window, one.outcome


async def living(world: World, version: str = "1.0.3", **more: Any) -> Pair:
    """A device that has joined, or has its session from the factory with `activation="abp"`.

    `built` are fields of its firmware, `around` its gateways, `lost` its air; the rest is how it is registered.
    """
    around, lost, built = more.pop("around", ()), more.pop("lost", never), more.pop("built", {})
    firmware = Firmware(version=VERSIONS[version], **built)
    pair = Pair(world, await world.device(firmware=firmware, **more), around, lost)
    if pair.device.session is None:
        await pair.join()
        assert pair.device.session is not None
    return pair
