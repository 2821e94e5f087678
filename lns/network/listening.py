"""Downlinks without an uplink: to devices of class B in their ping slots, of class C at almost any time.

One frame at a time for a device: the next is decided when the one before is settled, so that it can take its place if
no gateway sends it. A confirmed one has to be acknowledged within a time, else it goes again.
"""

import asyncio
from collections.abc import Sequence

from lns.lorawan.airtime import airtime_us
from lns.lorawan.phy import DataFrame
from lns.mac import class_c, ping, queue
from lns.mac.choice import Need
from lns.mac.ledger import APPLICATION_SHARE
from lns.mac.ping import PingSlots
from lns.mac.queue import FHDR_OCTETS, FPORT_OCTETS
from lns.mac.refusal import Unsent
from lns.mac.responses import Responses
from lns.mac.session import Device, Session
from lns.mac.slots import Slot, When, tuning
from lns.network.clocks import Clocks
from lns.network.devices import Devices
from lns.network.downlinks import Downlinks, Owed, exhausted
from lns.network.notices import Notices
from lns.network.radios import Radios
from lns.network.sender import Chance, Sender, Sending
from lns.network.state import NetworkState

RETRY_S = 10.0
"""A device that cannot be reached now (no airtime, no gateway) is tried again after so long."""
AHEAD_S = 2 * class_c.HAND_OVER_S
"""A downlink for a given time is decided so long before."""
_OTHER_OCTETS = 5 + FHDR_OCTETS + FPORT_OCTETS


class Listening:
    """Devices that listen without having sent."""

    def __init__(
        self,
        state: NetworkState,
        devices: Devices,
        downlinks: Downlinks,
        radios: Radios,
        sender: Sender,
        notices: Notices,
        clocks: Clocks,
    ) -> None:
        self._state, self._devices, self._downlinks = state, devices, downlinks
        self._radios, self._sender, self._notices, self._clocks = radios, sender, notices, clocks
        self._responses = Responses()
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._flying: dict[int, Sending] = {}
        self._on_air_until: dict[int, float] = {}
        self._busy_until: dict[int, float] = {}
        self._response_timer: asyncio.TimerHandle | None = None
        downlinks.on_free, downlinks.on_busy = self.free, self.busy

    def heard(self, session: Session, frame: DataFrame, opened_at: float) -> None:
        """A new uplink of a device that may be of class B or C: note its class and the gateways around it.

        A frame that still waits here gives way to the answer, which would overtake it with a higher counter.
        """
        device = session.device
        self.busy(device, class_c.free_at(opened_at, session.rx1_delay_s))
        flying = self._flying.get(device.id)
        if flying is not None:
            self._sender.recall(flying, "the device has sent, so its receive window comes first")
        self._responses.heard(device.id)
        radio = session.known_radio()
        around = self._radios.around(session)
        changed = {eui for eui, _ in around} != {eui for eui, _ in radio.gateways}
        if changed:
            radio.gateways = around
        if device.settings.device_class == "B":
            mode = ping.mode("B", frame.class_b, radio.ping_periodicity)
            if mode != radio.device_class:
                self._told(device, radio.device_class, mode)
                radio.device_class, changed = mode, True
        if changed:
            self._state.retuned(session)

    def _told(self, device: Device, before: str, after: str) -> None:
        self._notices.event("class_changed", device, self._clocks.utc_us(), **{"from": before, "to": after})

    def busy(self, device: Device, until: float) -> None:
        """The device has sent, and listens to nothing but the answer until then."""
        if device.settings.device_class != "A":
            self._busy_until[device.id] = until

    def on_air(self, device: Device, at: float) -> bool:
        """Whether a frame without an uplink is on its way, of which an uplink of that time can say nothing yet."""
        return device.id in self._flying or at < self._on_air_until.get(device.id, 0.0)

    def free(self, device: Device, at: float) -> None:
        """From `at` (monotonic seconds) on the device may be sent to again, if something waits for it."""
        if device.queue and device.settings.device_class != "A" and device.id not in self._flying:
            self._arm(device, max(at, self._busy_until.get(device.id, 0.0)))

    def _arm(self, device: Device, at: float) -> None:
        timer = self._timers.pop(device.id, None)
        if timer is not None:
            timer.cancel()
        delay_s = max(0.0, at - self._clocks.monotonic())
        self._timers[device.id] = asyncio.get_running_loop().call_later(delay_s, self._decide, device)

    def _decide(self, device: Device) -> None:
        self._timers.pop(device.id, None)
        session = device.session
        if session is None or not device.queue or self._devices.by_id.get(device.id) is not device:
            return
        busy_until = self._busy_until.get(device.id, 0.0)
        if busy_until > self._clocks.monotonic():  # it has sent since this moment was chosen
            self._arm(device, busy_until)
            return
        if exhausted(session):
            text = "a downlink counter is used up, the device must join again"
            self._notices.downlink_failed(device, Unsent.FCNT_EXHAUSTED, text, None)
            return
        when = self._clocks.read()
        soon_us = when.utc_us + int(AHEAD_S * 1e6)
        item = queue.first_due(device.queue, soon_us)
        if item is None:
            due_us = queue.due_at_us(device.queue, soon_us)
            if due_us is not None:
                self._arm(device, when.at_utc(due_us) - AHEAD_S)
            return
        if device.awaiting_ack is not None and item.confirmed:
            return  # its acknowledgement, or the end of the wait for it, comes first
        slots = self._slots(device, session, When(when, 0.0, item.at_us))
        if slots is None:
            return  # it is in class A now: its next uplink opens a window
        first = min([slot.start for slot in slots], default=when.now)
        if first > when.now + AHEAD_S:  # a ping slot to come: its counter is not used before it has to be
            self._arm(device, first - AHEAD_S)
            return
        need = Need(device.region, _OTHER_OCTETS + len(item.payload), self._downlinks.share(device, APPLICATION_SHARE))
        facts = self._radios.facts({slot.gateway_eui for slot in slots}, when.now)
        ordered = self._radios.chooser.order_slots(slots, need, facts, when.now)
        if not ordered.chances:
            for one in ordered.blocked:
                text = f"{one.window} on {one.gateway_eui}: {one.text}"
                self._notices.downlink_failed(device, Unsent(f"downlink_{one.cause}"), text, one.gateway_eui)
            self._arm(device, when.now + RETRY_S)
            return
        on_air_us = when.utc_us_at(ordered.chances[0].start)
        content, asked = self._downlinks.compose(session, ordered.chances, Owed(), (), on_air_us)
        if content.item is None:
            self.free(device, when.now + RETRY_S)
            return
        self._send(device, self._downlinks.frame(session, content, asked, need), ordered.chances)

    def _send(self, device: Device, sending: Sending, slots: Sequence[Slot]) -> None:
        settled = sending.done

        def done(sending: Sending, chance: Chance | None, problem: str) -> None:
            self._flying.pop(device.id, None)
            now = self._clocks.monotonic()
            if chance is None and self._busy_until.get(device.id, 0.0) <= now:
                self.busy(device, now + RETRY_S)  # nobody can send it now, and each attempt costs a counter
            if chance is not None and sending.booking is not None:
                ends_at = self._on_air_until[device.id] = sending.booking.end
                self.busy(device, ends_at)
                if sending.item is not None and sending.item.confirmed:
                    self._wait(device, sending.item.id, chance.name, ends_at)
            settled(sending, chance, problem)

        sending.done = done
        sending.chances = list[Chance](slots)
        self._flying[device.id] = sending
        self._sender.put(sending)

    def _slots(self, device: Device, session: Session, when: When) -> list[Slot] | None:
        """The next chance on each gateway around the device; None while it listens after its uplinks only."""
        settings, radio, region = device.settings, session.known_radio(), device.region
        around = self._radios.around(session)
        facts = self._radios.facts([eui for eui, _ in around], when.clock.now)
        if class_c.listening(settings.device_class, session.minor, radio.device_class, session.fcnt_up):
            at = tuning(region, session.rx2_freq_hz, session.rx2_dr, radio.downlink_dwell)
            longest_s = airtime_us(at.modulation, _OTHER_OCTETS + at.room, False) / 1e6
            return class_c.after_others(class_c.slots(at, around, facts, when), self._radios.plan, longest_s)
        if radio.device_class == "B" and radio.ping_periodicity is not None:
            freq_hz, dwell = radio.ping_slot_freq_hz, radio.downlink_dwell
            listener = PingSlots(session.dev_addr, radio.ping_periodicity, radio.ping_slot_dr, freq_hz, dwell)
            return ping.slots(region, listener, around, facts, when)
        return None

    def _wait(self, device: Device, item_id: str, slot: str, ends_at: float) -> None:
        """A confirmed item is on the air until `ends_at`: its acknowledgement is due within the class's time."""
        settings = device.settings
        timeout_s = settings.class_b_timeout_s if slot == "ping" else settings.class_c_timeout_s
        self._responses.wait(device.id, item_id, ends_at + timeout_s)
        self._arm_responses()

    def _arm_responses(self) -> None:
        if self._response_timer is not None:
            self._response_timer.cancel()
            self._response_timer = None
        deadline = self._responses.deadline()
        if deadline is not None:
            delay_s = max(0.0, deadline - self._clocks.monotonic())
            self._response_timer = asyncio.get_running_loop().call_later(delay_s, self._expire)

    def _expire(self) -> None:
        for device_id, item_id in self._responses.expire(self._clocks.monotonic()):
            device = self._devices.by_id.get(device_id)
            if device is not None and device.awaiting_ack is not None and device.awaiting_ack.id == item_id:
                self._downlinks.unacknowledged(device, "not acknowledged in time")
                self.free(device, self._clocks.monotonic())
        self._arm_responses()
