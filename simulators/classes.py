"""Classes B and C of a device: how it becomes one, and when it listens beside its receive windows. Pure."""

from lns.lorawan.class_b import beacon_time_gps_s, next_ping_slot_gps_ms
from lns.lorawan.gpstime import gps_from_unix
from lns.lorawan.modulation import Modulation
from simulators.maccommands.answers import Answers
from simulators.maccommands.state import MacState

BEACONLESS_S = 7200  # so long a device stays in class B without hearing a beacon

_MODE = {"A": 0, "C": 2}  # DeviceModeInd; class B is told by FCtrl instead


class Classes:
    """`beacon_gps_s` is when the last beacon was heard, in GPS time; None while the device does not track it."""

    def __init__(self, mac: MacState, answers: Answers) -> None:
        self.beacon_gps_s: int | None = None
        self._mac, self._answers = mac, answers
        self._wanted = ("A", 0, 0)

    def want(self, device_class: str, minor: int, periodicity: int = 0) -> None:
        """Become A, B or C; `minor` is that of the session, B has a ping slot every 2**`periodicity` seconds.

        Before 1.1 a network knows of class C by registration, so the device changes at once. In 1.1 it changes when
        DeviceModeConf has come, and class B begins with PingSlotInfoAns and a beacon.
        """
        self._wanted = device_class, minor, periodicity
        self._mac.ping_periodicity = periodicity if device_class == "B" else None
        if device_class == "B":
            self._answers.ask("PingSlotInfoReq", "PingSlotInfoAns", periodicity=periodicity)
            return
        self._answers.settle("PingSlotInfoAns")
        if minor:
            self._answers.ask("DeviceModeInd", "DeviceModeConf", **{"class": _MODE[device_class]})
            if self._mac.device_class == "B":
                self._mac.device_class = "A"
        else:
            self._mac.device_class = device_class

    def want_again(self) -> None:
        """ResetConf made it class A."""
        if self._wanted[0] != "A":
            self.want(*self._wanted)

    @property
    def tracks_beacon(self) -> bool:
        """Whether the device listens for beacons."""
        return self._mac.ping_periodicity is not None or self.beacon_gps_s is not None

    def heard_beacon(self, gps_s: int) -> None:
        """A beacon came."""
        self.beacon_gps_s = gps_s
        self.settle()

    def expire(self, gps_s: float) -> None:
        """Give class B up when the last beacon is too long ago."""
        if self.beacon_gps_s is not None and gps_s - self.beacon_gps_s > BEACONLESS_S:
            self.beacon_gps_s = None
            if self._mac.device_class == "B":
                self._mac.device_class = "A"

    def settle(self) -> None:
        """Class B begins as soon as nothing is missing."""
        if self._mac.ping_periodicity is None or self.beacon_gps_s is None:
            return
        if not self._answers.asks_for("PingSlotInfoAns"):
            self._mac.device_class = "B"

    def ping_slot(self, dev_addr: str, at_us: float, tolerance_us: int = 0) -> tuple[int, Modulation] | None:
        """Frequency and modulation that a class B device listens with in a ping slot that starts at an instant UTC."""
        mac, periodicity = self._mac, self._mac.ping_periodicity
        if mac.device_class != "B" or periodicity is None:
            return None
        if not in_ping_slot(at_us, dev_addr, periodicity, tolerance_us):
            return None
        beacon_gps_s = beacon_time_gps_s(gps_from_unix(at_us / 1e6) * 1000)
        usual_hz = mac.region.ping_slot_freq_hz(dev_addr, beacon_gps_s, mac.join_freq_hz)
        return mac.ping_slot_freq_hz or usual_hz, mac.region.downlink_modulation(mac.ping_slot_dr)

    def continuous(self) -> tuple[int, Modulation] | None:
        """Frequency and modulation that a class C device listens with whenever it does not send."""
        mac = self._mac
        if mac.device_class != "C":
            return None
        return mac.rx2_freq_hz, mac.region.downlink_modulation(mac.rx2_dr)


def in_ping_slot(at_us: float, dev_addr: str, periodicity: int, tolerance_us: int) -> bool:
    """Whether a ping slot of this address starts at an instant UTC."""
    gps_ms = gps_from_unix(at_us / 1e6) * 1000
    # GPS time as a floating-point number is exact to a microsecond at most
    from_ms = gps_ms - tolerance_us / 1000 - 0.002
    return next_ping_slot_gps_ms(from_ms, dev_addr, periodicity) - gps_ms <= tolerance_us / 1000 + 0.002
