"""When and where a device listens, and what it makes of a downlink on the air. Pure; times are UTC in microseconds."""

from collections.abc import Iterator
from enum import Enum

import msgspec

from lns.lorawan.gpstime import gps_from_unix
from lns.lorawan.modulation import Lora, Modulation
from lns.lorawan.phy import JoinAccept, MType
from simulators.classes import in_ping_slot
from simulators.device import OUTSIDE, Device, Received
from simulators.session import Fault
from simulators.tower import OnAir, Sending

TOLERANCE_US = 5_000
"""How far a downlink may be from the start of a window: some symbols of preamble, which fast data rates need."""

_JOIN_MARGIN_US = 3_000_000  # for the longest downlink that begins in RX2


class Miss(Enum):
    """Why a device heard nothing."""

    NO_WINDOW = "no_window"
    WRONG_PARAMETERS = "wrong_parameters"  # a window was open, on another frequency or data rate
    LOST = "lost"


class Heard(msgspec.Struct, frozen=True):
    """A downlink on the air and what became of it.

    `window` is rx1, rx2, ping, class_c or group, None when there was none; `fault` is what the account of counters says
    of a data frame that was missed.
    """

    at_us: int
    window: str | None
    outcome: Received | JoinAccept | Fault | Miss
    fault: Fault | None = None

    @property
    def joined(self) -> bool:
        return isinstance(self.outcome, JoinAccept)


class _Window(msgspec.Struct, frozen=True):
    name: str
    listens: tuple[int, Modulation]


class Ears:
    """`last` is the sending whose windows are open; while the device is `deaf` it sends."""

    def __init__(self, device: Device) -> None:
        self.last: Sending | None = None
        self.deaf = False
        self._device = device
        self._drift = device.firmware.misbehaviour.clock_drift_ppm / 1e6

    def closed_us(self, sending: Sending) -> int:
        """When both windows of a sending are over."""
        second_us = (self._device.window_s(sending.joins) + 1) * 1_000_000
        return sending.end_us + round(second_us * (1 + self._drift)) + _JOIN_MARGIN_US

    def hear(self, on_air: OnAir, lost: bool) -> Heard:
        """What the device makes of a downlink that starts now."""
        transmission = on_air.transmission
        sent_as = transmission.freq_hz, transmission.modulation
        inverted = transmission.invert_polarity or not isinstance(transmission.modulation, Lora)
        open_now = [] if self.deaf else list(self._open(on_air.start_us, transmission.phy_payload[4:0:-1].hex()))
        fitting = [window for window in open_now if window.listens == sent_as and inverted]
        if not fitting:
            return self._missed(on_air, Miss.WRONG_PARAMETERS if open_now else Miss.NO_WINDOW)
        if lost:
            return self._missed(on_air, Miss.LOST)
        return self._received(on_air, fitting[0].name)

    def _missed(self, on_air: OnAir, why: Miss) -> Heard:
        phy = on_air.transmission.phy_payload
        fault = None if phy[0] >> 5 == MType.JOIN_ACCEPT else self._device.miss(phy)
        return Heard(on_air.start_us, None, why, fault)

    def _received(self, on_air: OnAir, window: str) -> Heard:
        phy = on_air.transmission.phy_payload
        joining = self.last is not None and self.last.joins and window in ("rx1", "rx2")
        outcome: Received | JoinAccept | Fault
        if joining and phy[0] >> 5 == MType.JOIN_ACCEPT:
            outcome = self._device.accept(phy)
        else:
            outcome = self._device.receive(phy, {"rx1": 1, "rx2": 2}.get(window, OUTSIDE))
        if not isinstance(outcome, Fault) and window == "rx1":
            self.last = None  # RX2 stays closed
        return Heard(on_air.start_us, window, outcome)

    def _open(self, start_us: int, dev_addr: str) -> Iterator[_Window]:
        """The windows that a downlink to `dev_addr` may meet at this instant, the most special first."""
        device = self._device
        group = device.groups.get(dev_addr)
        if group is not None:
            in_slot = group.periodicity is None or self._in_slot(start_us, dev_addr, group.periodicity)
            if group.listens is not None and in_slot:
                yield _Window("group", group.listens)
            return
        yield from self._after_sending(start_us)
        ping_slot = device.ping_slot(start_us - self._late_us(start_us), TOLERANCE_US)
        if ping_slot is not None:
            yield _Window("ping", ping_slot)
        continuous = device.classes.continuous()
        if continuous is not None:
            yield _Window("class_c", continuous)

    def _after_sending(self, start_us: int) -> Iterator[_Window]:
        sending = self.last
        if sending is None:
            return
        for window, name in ((1, "rx1"), (2, "rx2")):
            delay_us = (self._device.window_s(sending.joins) + window - 1) * 1_000_000
            if abs(start_us - sending.end_us - delay_us * (1 + self._drift)) <= TOLERANCE_US:
                yield _Window(name, self._device.listens(window, sending.joins, sending.channel, sending.dr))

    def _in_slot(self, start_us: int, dev_addr: str, periodicity: int) -> bool:
        return in_ping_slot(start_us - self._late_us(start_us), dev_addr, periodicity, TOLERANCE_US)

    def _late_us(self, start_us: int) -> float:
        """How late the device's clock is, which it set by the last beacon."""
        heard_s = self._device.classes.beacon_gps_s
        return 0.0 if heard_s is None else (gps_from_unix(start_us / 1e6) - heard_s) * 1e6 * self._drift
