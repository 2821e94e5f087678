"""Frames on their way out: waits until their counters are durable, then tries their windows one after the other.

Nothing leaves before the commit that holds its FCntDown. Airtime is booked when a frame is handed to a gateway and
given back when the gateway refuses it.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from lns import metrics
from lns.exchange.sqlite import SqliteExchange
from lns.lorawan.airtime import airtime_us
from lns.mac import class_c
from lns.mac.choice import SHORTEST_LEAD_S, Booking, Need, fallback
from lns.mac.downlink import Window
from lns.mac.frames import TxOutcome
from lns.mac.queue import DownlinkItem
from lns.mac.refusal import Unsent
from lns.mac.session import Device
from lns.mac.slots import Slot
from lns.network.clocks import Clocks
from lns.network.notices import Notices, item_data
from lns.network.radios import Radios

Chance = Window | Slot
Problem = tuple[Unsent, str, str | None]
"""A reason, a sentence for people, the gateway."""
_NOBODY: Problem = (Unsent.NO_GATEWAY, "no gateway with a downlink path heard the device", None)


class Sending:
    """One frame and the chances that are left for it, best first.

    `done` is called once: with the chance a gateway took, or with None and what went wrong last.
    """

    __slots__ = (
        "booking",
        "chances",
        "decided_at",
        "device",
        "done",
        "fcnt_down",
        "item",
        "kind",
        "need",
        "phy_payload",
        "timer",
    )

    def __init__(
        self, kind: str, device: Device | None, phy_payload: bytes, chances: Sequence[Chance], need: Need
    ) -> None:
        self.kind, self.device, self.phy_payload = kind, device, phy_payload
        self.chances, self.need = list(chances), need
        self.decided_at = 0.0
        self.item: DownlinkItem | None = None
        self.fcnt_down: int | None = None
        self.booking: Booking | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.done: Callable[[Sending, Chance | None, str], None] = _nothing


def _nothing(sending: Sending, chance: Chance | None, problem: str) -> None:
    """Nobody waits for a frame without an item."""


class Sender:
    """One task (`run`) waits for the commits."""

    def __init__(self, exchange: SqliteExchange, radios: Radios, notices: Notices, clocks: Clocks) -> None:
        self._exchange, self._radios, self._notices, self._clocks = exchange, radios, notices, clocks
        self._decided: list[Sending] = []
        self._something_decided = asyncio.Event()

    def put(self, sending: Sending) -> None:
        """Send a frame whose counter the next commit stores."""
        sending.decided_at = self._clocks.monotonic()
        self._decided.append(sending)
        self._something_decided.set()

    async def run(self) -> None:
        """Commit, then send, for ever. What is decided during one commit goes with the next."""
        while True:
            await self._something_decided.wait()
            self._something_decided.clear()
            decided, self._decided = self._decided, []
            await self._exchange.committed()
            now = self._clocks.monotonic()
            for sending in decided:
                metrics.downlink_decision.observe((now - sending.decided_at) * 1000)
                self._try_next(sending, _NOBODY)

    def _try_next(self, sending: Sending, problem: Problem) -> None:
        """Send in the next window that can still be reached, else give up with the last problem."""
        now = self._clocks.monotonic()
        while sending.chances:
            chance = sending.chances.pop(0)
            late = self._late(sending, chance, now)
            if late is not None:
                metrics.downlinks.inc(sending.kind, "too_late")
                problem = late
                continue
            wait_s = self._wait_s(chance, now)
            if wait_s > 0:
                loop = asyncio.get_running_loop()
                sending.timer = loop.call_later(wait_s, self._hand_over, sending, chance)
                return
            error = self._send(sending, chance, now)
            if error is None:
                return
            problem = error
        metrics.downlinks.inc(sending.kind, "failed")
        self._notices.downlink_failed(sending.device, *problem)
        sending.done(sending, None, problem[1])

    def _late(self, sending: Sending, chance: Chance, now: float) -> Problem | None:
        """Why the chance cannot be reached any more: the frame has to travel, and forwarders want it ahead."""
        eui = _gateway(chance)
        lead_s = _start(chance, sending.need) - now
        needed_s = SHORTEST_LEAD_S + self._radios.facts((eui,), now)[eui].round_trip_s / 2
        if lead_s >= needed_s:
            return None
        text = f"{chance.name} opens in {lead_s * 1000:.0f} ms on {eui}, {needed_s * 1000:.0f} ms are needed"
        return Unsent.LATE, text, eui

    def _wait_s(self, chance: Chance, now: float) -> float:
        """A frame for a far moment is kept here: a gateway's queue is short, and forgets at a restart."""
        if isinstance(chance, Window):
            return 0.0
        fact = self._radios.facts((chance.gateway_eui,), now)[chance.gateway_eui]
        return class_c.hand_over_at(chance, fact) - now

    def recall(self, sending: Sending, why: str) -> None:
        """Keep a frame back that no gateway has got yet; from then on it is too late."""
        if sending in self._decided:
            self._decided.remove(sending)
        elif sending.timer is not None:
            sending.timer.cancel()
        else:
            return
        sending.done(sending, None, why)

    def _hand_over(self, sending: Sending, chance: Chance) -> None:
        sending.timer = None
        error = self._send(sending, chance, self._clocks.monotonic())
        if error is not None:
            self._try_next(sending, error)

    def _send(self, sending: Sending, chance: Chance, now: float) -> Problem | None:
        """Why the gateway did not get the frame, or None; what was decided meanwhile may have taken its place."""
        modulation = (chance if isinstance(chance, Window) else chance.tuning).modulation
        start = _start(chance, sending.need)
        end = start + airtime_us(modulation, sending.need.octets, False) / 1e6
        chooser = self._radios.chooser
        if chooser.plan.blocker(_gateway(chance), start, end) is not None:
            return Unsent.BUSY, f"{_gateway(chance)} sends another frame in {chance.name}", _gateway(chance)
        error = self._radios.send(chance.transmission(sending.phy_payload), partial(self._outcome, sending, chance))
        if error is not None:
            return Unsent.NO_GATEWAY, f"{_gateway(chance)}: {error}", _gateway(chance)
        if isinstance(chance, Window):
            sending.booking = chooser.book_window(chance, sending.need, now)
        else:
            sending.booking = chooser.book_slot(chance, sending.need, now)
        metrics.downlink_lead.observe((_start(chance, sending.need) - now) * 1000)
        metrics.downlinks.inc(sending.kind, f"sent_{chance.name}")
        return None

    def _outcome(self, sending: Sending, chance: Chance, outcome: TxOutcome | None) -> None:
        """A TX_ACK, or none within its time (then nobody knows, and the frame may well have been sent)."""
        eui = _gateway(chance)
        if outcome is not None and not outcome.accepted:
            now = self._clocks.monotonic()
            metrics.downlinks.inc(sending.kind, "refused")
            self._radios.refusals.refused(eui, now)
            if sending.booking is not None:
                self._radios.chooser.give_back(sending.booking, now)
                sending.booking = None
            windows = [left for left in sending.chances if isinstance(left, Window)]
            if windows:
                sending.chances = list(fallback(windows, eui))
            self._try_next(sending, (Unsent.REFUSED, f"{eui} refused {chance.name}: {outcome.error}", eui))
            return
        known = "accepted" if outcome else "unknown"
        metrics.downlinks.inc(sending.kind, known)
        self._tell(sending, chance, known)
        sending.done(sending, chance, "")

    def _tell(self, sending: Sending, chance: Chance, outcome: str) -> None:
        if sending.device is None:
            return
        eui, now_us = _gateway(chance), self._clocks.utc_us()
        if sending.item is not None:
            told = {"gateway_eui": eui, "window": chance.name, "outcome": "sent" if outcome == "accepted" else outcome}
            self._notices.event("txack", sending.device, now_us, **told, **_sent(chance), **item_data(sending.item))
        self._notices.shown(
            "downlink",
            sending.device,
            now_us,
            what=sending.kind,
            window=chance.name,
            gateway_eui=eui,
            fcnt_down=sending.fcnt_down,
            outcome="accepted" if outcome == "accepted" else "no tx_ack",
        )


def _gateway(chance: Chance) -> str:
    return chance.reception.gateway_eui if isinstance(chance, Window) else chance.gateway_eui


def _sent(chance: Chance) -> dict[str, Any]:
    """How a frame went out, for outlets."""
    how = chance if isinstance(chance, Window) else chance.tuning
    when = {"delay_s": chance.delay_s} if isinstance(chance, Window) else {"gps_time_ms": chance.gps_time_ms}
    modulation = msgspec.to_builtins(how.modulation)
    return {"freq_hz": how.freq_hz, "dr": how.dr, "power_dbm": how.power_dbm, "modulation": modulation, **when}


def _start(chance: Chance, need: Need) -> float:
    """When the frame is on the air, in monotonic seconds."""
    return need.opened_at + chance.delay_s if isinstance(chance, Window) else chance.start
