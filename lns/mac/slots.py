"""A moment at which a device listens without having sent: a ping slot, class C, or a multicast session's. Pure."""

import msgspec

from lns.lorawan.gpstime import gps_from_unix, unix_from_gps
from lns.lorawan.modulation import Modulation
from lns.lorawan.regions.region import Region
from lns.mac.frames import Transmission


class Clock(msgspec.Struct, frozen=True, gc=False):
    """One reading of both clocks, which brings UTC, GPS and monotonic time together."""

    now: float
    utc_us: int

    def utc_us_at(self, at: float) -> int:
        """UTC in microseconds of a moment in monotonic seconds."""
        return self.utc_us + round((at - self.now) * 1e6)

    def at_utc(self, utc_us: int) -> float:
        """Monotonic seconds of a UTC time in microseconds."""
        return self.now + (utc_us - self.utc_us) / 1e6

    def at_gps(self, gps_ms: int) -> float:
        """Monotonic seconds of a GPS time in milliseconds."""
        return self.now + unix_from_gps(gps_ms / 1000) - self.utc_us / 1e6

    def gps_ms(self, at: float) -> int:
        """GPS time in milliseconds, rounded up, of a moment in monotonic seconds."""
        return -int(-1000 * gps_from_unix(self.utc_us / 1e6 + at - self.now) // 1)


class When(msgspec.Struct, frozen=True, gc=False):
    """From when on a frame may go: `not_before` in monotonic seconds, `at_us` a time in UTC that a user asked for."""

    clock: Clock
    not_before: float = 0.0
    at_us: int | None = None


class Tuning(msgspec.Struct, frozen=True, gc=False):
    """Where a device or a group listens, and what it can be told there: `room` is MACPayload octets."""

    freq_hz: int
    dr: int
    modulation: Modulation
    room: int
    power_dbm: float


def tuning(region: Region, freq_hz: int, dr: int, dwell: bool = False) -> Tuning:
    """A downlink frequency and data rate of a region; ValueError outside its bands, KeyError for no such data rate."""
    return Tuning(
        freq_hz,
        dr,
        region.downlink_modulation(dr),
        region.max_macpayload(dr, True, dwell) or 0,
        region.downlink_eirp_dbm(freq_hz),
    )


class Slot(msgspec.Struct, frozen=True, gc=False):
    """A chance on one gateway. `start` is monotonic seconds; `snr_db` how the gateway last heard the device.

    With `gps_time_ms` the gateway keeps the time itself, without it sends as soon as it is told.
    """

    name: str
    gateway_eui: str
    snr_db: float | None
    tuning: Tuning
    start: float
    gps_time_ms: int | None = None

    def transmission(self, phy_payload: bytes) -> Transmission:
        """The frame in this slot."""
        return Transmission(
            phy_payload=phy_payload,
            gateway_eui=self.gateway_eui,
            freq_hz=self.tuning.freq_hz,
            modulation=self.tuning.modulation,
            power_dbm=self.tuning.power_dbm,
            tmst_us=None,
            gps_time_ms=self.gps_time_ms,
        )
