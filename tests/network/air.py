"""The gateways' side in memory: what the network sends is kept, and comes on the air for the lives that are around."""

import asyncio
from collections.abc import Callable

from lns.mac.frames import Transmission, TxOutcome
from lns.network.clocks import Clocks
from simulators.life import Life
from simulators.tower import Tower

ROUND_TRIP_S = 0.01


class Air:
    """Gateways. `outcomes` are answers to give before a gateway decides by itself; a refused frame is not on the air.

    `deaf` ones have no downlink path. Without a tower a gateway takes everything.
    """

    def __init__(self, clocks: Clocks) -> None:
        self.sent: list[Transmission] = []
        self.outcomes: list[TxOutcome | None] = []
        self.deaf: set[str] = set()
        self.round_trips: dict[str, float] = {}
        self.on_send: Callable[[Transmission], None] = lambda _: None
        self.towers: dict[str, Tower] = {}
        self.lives: list[tuple[Life, frozenset[str]]] = []  # and the gateways that each can hear
        self._clocks = clocks

    def send(self, transmission: Transmission, on_outcome: Callable[[TxOutcome | None], None]) -> str | None:
        if transmission.gateway_eui in self.deaf:
            return "it has not sent PULL_DATA"
        self.sent.append(transmission)
        self.on_send(transmission)
        outcome = self.outcomes.pop(0) if self.outcomes else self._transmit(transmission)
        asyncio.get_running_loop().call_later(self.round_trip_s(transmission.gateway_eui), on_outcome, outcome)
        return None

    def round_trip_s(self, gateway_eui: str) -> float:
        return self.round_trips.get(gateway_eui, ROUND_TRIP_S)

    def catch_up(self, life: Life) -> None:
        """It is as late for a life as for the network."""
        behind_us = self._clocks.utc_us() - life.now_us
        if behind_us > 0:
            life.wait(behind_us / 1e6)

    def _transmit(self, transmission: Transmission) -> TxOutcome:
        tower = self.towers.get(transmission.gateway_eui)
        if tower is None:
            return TxOutcome(True)
        queued = tower.offer(transmission, self._clocks.utc_us())
        if isinstance(queued, TxOutcome):
            return queued
        for life, around in self.lives:
            if transmission.gateway_eui in around and _concerns(life, transmission):
                self.catch_up(life)
                life.expect(queued)
        return TxOutcome(True)


def _concerns(life: Life, transmission: Transmission) -> bool:
    """A data frame concerns who has the address, a join-accept whoever asks to join."""
    phy, device = transmission.phy_payload, life.device
    if phy[0] >> 5 == 1:
        return life.last is not None and life.last.joins
    dev_addr = phy[4:0:-1].hex()
    return dev_addr in device.groups or (device.session is not None and device.session.dev_addr == dev_addr)
