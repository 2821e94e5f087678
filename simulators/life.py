"""A device's life in memory: gateways around it, an air that loses what it is told to, time passed by hand. Pure.

The network is the caller's: `uplink` and its kind give what the gateways heard, `transmit` takes what the network
sends, and time goes on by `listen` (to the end of the receive windows) and `wait`. Times are UTC in microseconds.
"""

from bisect import insort
from collections.abc import Callable, Iterable, Sequence

from lns.lorawan.airtime import airtime_us
from lns.lorawan.class_b import beacon_time_gps_s
from lns.lorawan.gpstime import gps_from_unix
from lns.lorawan.modulation import Modulation
from lns.mac.frames import Reception, Transmission, TxOutcome
from simulators.clock_sync import DeviceClock
from simulators.device import Device, Received
from simulators.ears import Ears, Heard
from simulators.rejoins import Rejoins
from simulators.tower import OnAir, Sending, Tower

Lost = Callable[[], bool]
"""Says of each copy of an uplink, and of each downlink, in their order, whether the air loses it."""

Network = Callable[[list[Reception]], Iterable[Transmission]]
"""A network that answers at once."""

BIRTH_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
_AFTER_WINDOWS_US = 2_000_000  # ACK_TIMEOUT is 1 to 3 s
_CONFIRMED_SENDINGS = 8  # of a confirmed uplink, where NbTrans does not count for it


def never() -> bool:
    """An air that loses nothing."""
    return False


class Life:
    """`heard` grows with every downlink that came on the air, whatever the device made of it."""

    def __init__(self, device: Device, towers: Sequence[Tower], lost: Lost = never, now_us: int = BIRTH_US) -> None:
        self.device = device
        self.now_us = now_us
        self.heard: list[Heard] = []
        self.beacons = True  # whether a beacon can be heard where the device is
        self.clock = DeviceClock(drift_ppm=device.firmware.misbehaviour.clock_drift_ppm)
        self.rejoins = Rejoins(device.mac, now_us)
        self.last: Sending | None = None
        self._towers = {tower.eui: tower for tower in towers}
        self.lost = lost
        self._ears = Ears(device)
        self._on_air: list[OnAir] = []
        self._hop = 0
        self._sendings_left = 0
        self._confirmed = False

    @property
    def gps_s(self) -> float:
        """Now, in GPS time."""
        return gps_from_unix(self.now_us / 1e6)

    def join(self, dev_nonce: int) -> list[Reception]:
        """Send a join-request."""
        channel, dr = self.device.join_hop(self._next_hop())
        self._sendings_left = 0
        return self._send(Sending(self.device.join_request(dev_nonce), channel, dr, self._modulation(dr), 0, True))

    def rejoin(self, rejoin_type: int, dr: int | None = None) -> list[Reception]:
        """Send a rejoin-request, at the data rate of uplinks unless told otherwise."""
        phy = self.device.rejoin_request(rejoin_type)
        dr = self.device.mac.data_rate if dr is None else dr
        channels = self.device.mac.plan.usable(dr) or self.device.mac.plan.join_channels()
        self._sendings_left = 0
        self.rejoins.sent(self.now_us)
        channel = channels[self._next_hop() % len(channels)]
        return self._send(Sending(phy, channel, dr, self._modulation(dr), 0, True))

    def uplink(
        self, fport: int | None, payload: bytes = b"", confirmed: bool = False, asks: bytes = b""
    ) -> list[Reception]:
        """Send a new uplink, the first of its sendings; a device that was switched off sends nothing."""
        mac = self.device.mac
        if mac.is_off:
            return []
        self._tick()
        self.device.uplink(fport, payload, confirmed, asks)
        self.rejoins.uplink()
        self._confirmed = confirmed
        retries = confirmed and not mac.version.repeats_confirmed
        self._sendings_left = _CONFIRMED_SENDINGS if retries else mac.nb_trans
        return self._again()

    def repeat(self) -> list[Reception] | None:
        """Send the uplink once more if NbTrans or a missing ACK asks for it; None if it has been sent often enough."""
        if self.last is None or self._sendings_left <= 0:
            return None
        self.listen()
        if self._sendings_left <= 0:  # an answer came meanwhile
            return None
        self.wait(_AFTER_WINDOWS_US / 1e6)
        return self._again()

    def transmit(self, transmission: Transmission) -> TxOutcome:
        """The network hands a downlink to a gateway; it comes on the air when time gets there."""
        queued = self._towers[transmission.gateway_eui].offer(transmission, self.now_us)
        if isinstance(queued, TxOutcome):
            return queued
        self.expect(queued)
        return TxOutcome(True)

    def expect(self, on_air: OnAir) -> None:
        """A downlink will be on the air where the device is."""
        insort(self._on_air, on_air, key=lambda other: other.start_us)  # two gateways may send at the same time

    @property
    def closed_us(self) -> int:
        """When the receive windows of the last sending are over, or now."""
        end_us = self.now_us if self.last is None else self._ears.closed_us(self.last)
        return max(end_us, self.now_us)

    def listen(self) -> list[Heard]:
        """Let time pass until the receive windows of the last sending are over; gives what came until then."""
        return self._advance(self.closed_us)

    def wait(self, seconds: float) -> list[Heard]:
        """Let time pass; gives what came meanwhile."""
        return self._advance(self.now_us + round(seconds * 1e6))

    def due_rejoin(self) -> list[Reception] | None:
        """Send the rejoin-request that is due, if there is one."""
        due = self.rejoins.due(self.now_us)
        return None if due is None else self.rejoin(*due)

    def exchange(self, network: Network, receptions: list[Reception]) -> list[Heard]:
        """Bring a sending and its repetitions to a network, and what it sends back to the device."""
        before = len(self.heard)
        copies: list[Reception] | None = receptions
        while copies is not None:
            for transmission in network(copies) if copies else ():
                self.transmit(transmission)
            self.listen()
            copies = self.repeat()
        return self.heard[before:]

    def _again(self) -> list[Reception]:
        self._sendings_left -= 1
        dr = self.device.mac.data_rate
        channel = self.device.hop(self._next_hop())
        return self._send(Sending(self.device.on_channel(channel), channel, dr, self._modulation(dr), 0, False))

    def _send(self, sending: Sending) -> list[Reception]:
        """Time passes until the end of the frame."""
        length_us = airtime_us(sending.modulation, len(sending.phy), uplink=True)
        self._ears.deaf = True
        self._advance(self.now_us + length_us)
        self._ears.deaf = False
        sent = Sending(sending.phy, sending.channel, sending.dr, sending.modulation, self.now_us, sending.joins)
        self.last = self._ears.last = sent
        return [tower.hear(sent) for tower in self._towers.values() if not self.lost()]

    def _advance(self, until_us: int) -> list[Heard]:
        before = len(self.heard)
        while self._on_air and self._on_air[0].start_us <= until_us:
            on_air = self._on_air.pop(0)
            self.now_us = max(self.now_us, on_air.start_us)
            self._tick()
            self._deliver(on_air)
        self.now_us = max(self.now_us, until_us)
        self._tick()
        return self.heard[before:]

    def _tick(self) -> None:
        """Hear the beacon of this period if there is one, else leave class B in time."""
        gps_s = self.gps_s
        if self.device.classes.tracks_beacon:
            if self.beacons:
                self.device.heard_beacon(beacon_time_gps_s(gps_s * 1000))
            else:
                self.device.expire(gps_s)

    def _deliver(self, on_air: OnAir) -> None:
        heard = self._ears.hear(on_air, self.lost())
        self.heard.append(heard)
        if heard.joined:
            self.rejoins.started(self.now_us)
        if not isinstance(heard.outcome, Received) or heard.outcome.group is not None:
            return
        received = heard.outcome
        if "DeviceTimeAns" in received.commands and self.last and self.device.mac.gps_time_s is not None:
            self.clock.set(self.device.mac.gps_time_s, gps_from_unix(self.last.end_us / 1e6))
        # class A: any downlink ends the repetition, B and C: one in RX1; a confirmed uplink waits for its ACK
        ends = heard.window == "rx1" or (heard.window == "rx2" and self.device.mac.device_class == "A")
        if received.ack if self._confirmed else ends:
            self._sendings_left = 0

    def _next_hop(self) -> int:
        self._hop += 1
        return self._hop

    def _modulation(self, dr: int) -> Modulation:
        return self.device.mac.region.uplink_modulation(dr)
