"""Class A answers: waits for the last moment, decides, makes the counter durable, then sends.

An answer is decided `downlink_margin_ms` and one round trip before its window opens, so that an application that is
quick is heard in the same window. Nothing leaves before the commit that holds its FCntDown.
"""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from lns import metrics
from lns.config import Network as NetworkConfig
from lns.exchange.records import Event
from lns.exchange.sqlite import SqliteExchange
from lns.live import Live
from lns.mac import downlink
from lns.mac.downlink import Window
from lns.mac.frames import Reception, Transmission, TxOutcome
from lns.mac.queue import DownlinkItem, expire
from lns.mac.session import Device, Session
from lns.network import show
from lns.network.state import NetworkState

SHORTEST_LEAD_S = 0.05
"""A window nearer than this is missed: sx1302 forwarders refuse what comes less than about 40 ms ahead."""

OnOutcome = Callable[[TxOutcome | None], None]


class Gateways(Protocol):
    """What downlinks need of the gateway side."""

    def send(self, transmission: Transmission, on_outcome: OnOutcome) -> str | None:
        """Send a PULL_RESP; returns why it could not be sent. The outcome is None when no TX_ACK came."""

    def round_trip_s(self, gateway_eui: str) -> float:
        """Smoothed time from PULL_RESP to TX_ACK, 0 while unknown."""


class Answer:
    """The chance that one uplink opens: its windows and what is owed in them."""

    __slots__ = ("ack", "answers", "dr", "opened_at", "receptions", "scheduled", "session", "wants")

    def __init__(
        self,
        session: Session,
        receptions: list[Reception],
        opened_at: float,
        dr: int,
        ack: bool,
        answers: bytes,
        wants: bool,
    ) -> None:
        self.session, self.receptions, self.opened_at, self.dr = session, receptions, opened_at, dr
        self.ack, self.answers, self.wants = ack, answers, wants
        self.scheduled = False


class Sending:
    """One frame on its way through the windows that are left."""

    __slots__ = ("decided_at", "device", "fcnt_down", "item", "kind", "opened_at", "phy_payload", "windows")

    def __init__(
        self, kind: str, device: Device, phy_payload: bytes, windows: list[Window], opened_at: float, decided_at: float
    ) -> None:
        self.kind, self.device, self.phy_payload, self.windows = kind, device, phy_payload, windows
        self.opened_at, self.decided_at = opened_at, decided_at
        self.item: DownlinkItem | None = None
        self.fcnt_down: int | None = None


class Downlinks:
    """Decides and sends answers; one task (`run`) waits for the commits."""

    def __init__(
        self, config: NetworkConfig, exchange: SqliteExchange, state: NetworkState, gateways: Gateways, live: Live
    ) -> None:
        self._margin_s = config.downlink_margin_ms / 1000
        self._exchange, self._state, self._gateways, self._live = exchange, state, gateways, live
        self._open: dict[int, Answer] = {}
        self._open_order: deque[tuple[float, int, Answer]] = deque()
        self._decided: list[Sending] = []
        self._something_decided = asyncio.Event()

    def offer(self, answer: Answer, now: float) -> None:
        """An uplink was handled: answer it in time if something is owed, else keep the chance open for a while."""
        device = answer.session.device
        while self._open_order and self._open_order[0][0] <= now:
            _, device_id, old = self._open_order.popleft()
            if self._open.get(device_id) is old:
                del self._open[device_id]
        self._open[device.id] = answer
        self._open_order.append((answer.opened_at + answer.session.rx1_delay_s + 1.0, device.id, answer))
        if answer.wants or device.queue:
            self._schedule(answer, self._decide_at(answer) - now)

    def enqueued(self, device: Device, now: float) -> None:
        """A downlink was queued: the last uplink's window may still take it."""
        answer = self._open.get(device.id)
        if answer is not None and not answer.scheduled:
            self._schedule(answer, self._decide_at(answer) - now)

    def _decide_at(self, answer: Answer) -> float:
        round_trip_s = self._gateways.round_trip_s(answer.receptions[0].gateway_eui)
        return answer.opened_at + answer.session.rx1_delay_s - self._margin_s - round_trip_s

    def _schedule(self, answer: Answer, delay_s: float) -> None:
        answer.scheduled = True
        asyncio.get_running_loop().call_later(max(0.0, delay_s), self._decide, answer)

    def _decide(self, answer: Answer) -> None:
        """Choose content and windows, advance FCntDown, and hand the frame to the sender."""
        session, now = answer.session, time.monotonic()
        device = session.device
        if self._open.get(device.id) is answer:
            del self._open[device.id]
        windows = downlink.data_windows(device.region, session, answer.receptions, answer.dr)
        item, windows = self._choose_item(device, answer, windows)
        if item is None and not answer.wants:
            return
        fpending = len(device.queue or ()) > (item is not None)
        frame = downlink.build(session, item, answer.ack, answer.answers, fpending)
        windows = [window for window in windows if len(frame) - 5 <= window.room]
        sending = Sending("data" if item else "mac", device, frame, windows, answer.opened_at, now)
        sending.fcnt_down = session.fcnt_down
        session.fcnt_down += 1
        self._state.moved(session)
        if item is not None:
            assert device.queue is not None
            device.queue.popleft()
            sending.item = item.to("sent", fcnt_down=sending.fcnt_down)
            device.awaiting_ack = sending.item if item.confirmed else device.awaiting_ack
            self._state.downlink(sending.item, time.time_ns() // 1000)
        self._put(sending)

    def _choose_item(
        self, device: Device, answer: Answer, windows: list[Window]
    ) -> tuple[DownlinkItem | None, list[Window]]:
        """The first queued item that a window has room for, with those windows; hopeless items fail with a reason."""
        now_us = time.time_ns() // 1000
        for item in expire(device.queue, now_us) if device.queue else ():
            self.close_item(device, item)
        while device.queue and windows:
            item = device.queue[0]
            if item.confirmed and device.awaiting_ack is not None:
                return None, windows  # only one confirmed downlink may be outstanding
            roomy = [window for window in windows if downlink.fits(item, answer.answers, window)]
            if roomy and len(answer.answers) <= downlink.MAX_FOPTS_OCTETS:
                return item, roomy
            if any(downlink.fits(item, b"", window) for window in windows):
                return None, windows  # MAC answers take the room this time, FPending announces the item
            device.queue.popleft()
            room = max(window.room for window in windows) - downlink.FHDR_OCTETS - downlink.FPORT_OCTETS
            self.close_item(
                device, item.to("failed", f"payload is {len(item.payload)} octets, {room} fit at dr {windows[0].dr}")
            )
        return None, windows

    def close_item(self, device: Device, item: DownlinkItem) -> None:
        """An item has reached its last state: keep it, tell outlets and watchers."""
        now_us = time.time_ns() // 1000
        self._state.downlink(item, now_us)
        kind = {"acked": "ack", "nacked": "nack"}.get(item.state, "downlink")
        self.event(kind, device, now_us, **_item_data(item))
        metrics.downlinks.inc("data", item.state)

    def send_join_accept(self, device: Device, accept: bytes, windows: list[Window], opened_at: float) -> None:
        """Send once the session, the DevNonce and the JoinNonce are durable."""
        self._put(Sending("join_accept", device, accept, windows, opened_at, time.monotonic()))

    def _put(self, sending: Sending) -> None:
        self._decided.append(sending)
        self._something_decided.set()

    async def run(self) -> None:
        """Commit, then send, for ever. What is decided during one commit goes with the next."""
        while True:
            await self._something_decided.wait()
            self._something_decided.clear()
            decided, self._decided = self._decided, []
            await self._exchange.committed()
            for sending in decided:
                metrics.downlink_decision.observe((time.monotonic() - sending.decided_at) * 1000)
                self._try_next(sending, "no gateway with a downlink path heard the uplink")

    def _try_next(self, sending: Sending, problem: str) -> None:
        """Send in the next window that can still be reached, else give up with the last problem."""
        now = time.monotonic()
        while sending.windows:
            window = sending.windows.pop(0)
            lead_s = sending.opened_at + window.delay_s - now
            if lead_s < SHORTEST_LEAD_S:
                problem = f"{window.name} opens in {lead_s * 1000:.0f} ms, {SHORTEST_LEAD_S * 1000:.0f} are needed"
                metrics.downlinks.inc(sending.kind, "too_late")
                continue
            transmission = window.transmission(sending.phy_payload)
            error = self._gateways.send(transmission, partial(self._outcome, sending, window))
            if error is None:
                metrics.downlink_lead.observe(lead_s * 1000)
                metrics.downlinks.inc(sending.kind, f"sent_{window.name}")
                return
            problem = f"{window.reception.gateway_eui}: {error}"
        self._gave_up(sending, problem)

    def _outcome(self, sending: Sending, window: Window, outcome: TxOutcome | None) -> None:
        """A TX_ACK, or none within its time (then nobody knows, and the frame may well have been sent)."""
        gateway_eui = window.reception.gateway_eui
        if outcome is not None and not outcome.accepted:
            metrics.downlinks.inc(sending.kind, "refused")
            self._try_next(sending, f"{gateway_eui} refused {window.name}: {outcome.error}")
            return
        metrics.downlinks.inc(sending.kind, "accepted" if outcome else "unknown")
        if sending.item is not None:
            state = "sent" if outcome else "unknown"
            self.event(
                "txack",
                sending.device,
                time.time_ns() // 1000,
                gateway_eui=gateway_eui,
                window=window.name,
                outcome=state,
                **_item_data(sending.item),
            )
        if self._live.watched:
            self._live.publish(
                show.event(
                    "downlink",
                    time.time_ns() // 1000,
                    sending.device,
                    what=sending.kind,
                    window=window.name,
                    gateway_eui=gateway_eui,
                    fcnt_down=sending.fcnt_down,
                    outcome="accepted" if outcome else "no tx_ack",
                )
            )

    def _gave_up(self, sending: Sending, problem: str) -> None:
        """No window is left: an application's item goes back to the head of its queue."""
        metrics.downlinks.inc(sending.kind, "failed")
        device, item, now_us = sending.device, sending.item, time.time_ns() // 1000
        if item is not None:
            if device.awaiting_ack is item:
                device.awaiting_ack = None
            waiting = item.to("queued", problem)
            device.queue = device.queue if device.queue is not None else deque()
            device.queue.appendleft(waiting)
            self._state.downlink(waiting, now_us)
            self._exchange.touch()
        self._live.refuse(
            {
                **show.event("refusal", now_us, device),
                "reason": "downlink_failed",
                "text": problem,
                "dev_addr": None,
                "gateway_eui": None,
            }
        )

    def event(self, kind: str, device: Device, at_us: int, gateway_eui: str | None = None, **data: Any) -> None:
        """Append an event record of a device."""
        self._exchange.put(
            "event",
            Event(
                secrets.token_bytes(16),
                kind,
                at_us,
                device.id,
                device.application_id,
                device.dev_eui,
                gateway_eui,
                data,
            ),
        )


def _item_data(item: DownlinkItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "fport": item.fport,
        "confirmed": item.confirmed,
        "state": item.state,
        "reason": item.reason,
        "fcnt_down": item.fcnt_down,
    }
