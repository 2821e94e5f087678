"""Airtime of gateways, per sub-band in a sliding hour: what regulators limit and people want to see. Pure.

The gateway is the transmitter that counts, not the device it talks to. What is booked stays for 60 to 61 minutes, so
the sum is never below that of the true last hour. `now` is monotonic seconds.
"""

from array import array

import msgspec

from lns.lorawan.regions.region import Band, Region

HOUR_US = 3_600_000_000
_MINUTE_S = 60
_KEPT_MINUTES = 60
"""Whole minutes that count beside the current one."""
_SLOTS = 64
"""Minutes of a ring: those that count, and a few for what is planned ahead."""
_AHEAD_MINUTES = _SLOTS - _KEPT_MINUTES - 1

APPLICATION_SHARE = 0.8
"""Share of a sub-band's duty cycle that application and multicast downlinks may fill."""
ANSWER_SHARE = 1.0
"""Join-accepts, acknowledgements and MAC answers may use all of it: without them devices repeat, or leave."""


class BandUse(msgspec.Struct, frozen=True):
    """What a gateway has sent in a sub-band within the hour, and what is left of it in ms; None: nobody limits it."""

    min_hz: int
    max_hz: int
    duty_cycle: float
    used_ms: float
    left_ms: float | None
    left_for_applications_ms: float | None


class _Ring:
    """Airtime by minute. `used_us` is the sum of all slots."""

    __slots__ = ("band", "minute", "slots", "used_us")

    def __init__(self, band: Band, minute: int) -> None:
        self.band, self.minute, self.used_us = band, minute, 0
        self.slots = array("Q", bytes(8 * _SLOTS))

    def advance(self, minute: int) -> None:
        """Forget what is older than the hour before `minute`."""
        slots = self.slots
        for old in range(max(self.minute, minute - _SLOTS), minute):
            slot = (old - _KEPT_MINUTES) % _SLOTS
            self.used_us -= slots[slot]
            slots[slot] = 0
        self.minute = minute


class Ledger:
    """The airtime of every gateway. 64 counters for each sub-band that a gateway has used."""

    def __init__(self) -> None:
        self._rings: dict[tuple[str, int], _Ring] = {}

    def left_us(self, gateway_eui: str, band: Band, share: float, now: float) -> float:
        """Airtime that may still be used now of that share of the duty cycle; negative when it is overdrawn."""
        limit = limit_us(band, share)
        ring = self._rings.get((gateway_eui, band.min_hz))
        if ring is None:
            return limit
        minute = int(now) // _MINUTE_S
        if minute > ring.minute:
            ring.advance(minute)
        return limit - ring.used_us

    def book(self, gateway_eui: str, band: Band, airtime_us: int, at: float, now: float) -> None:
        """A frame was given to a gateway, to be sent at `at`; at most three minutes ahead are told apart."""
        ring = self._ring(gateway_eui, band, now)
        ring.slots[_slot(ring, at)] += airtime_us
        ring.used_us += airtime_us

    def refund(self, gateway_eui: str, band: Band, airtime_us: int, at: float, now: float) -> None:
        """The gateway refused a frame that was booked with the same values."""
        ring = self._ring(gateway_eui, band, now)
        slot = _slot(ring, at)
        back_us = min(airtime_us, ring.slots[slot])
        ring.slots[slot] -= back_us
        ring.used_us -= back_us

    def _ring(self, gateway_eui: str, band: Band, now: float) -> _Ring:
        minute = int(now) // _MINUTE_S
        ring = self._rings.get((gateway_eui, band.min_hz))
        if ring is None:
            ring = self._rings[gateway_eui, band.min_hz] = _Ring(band, minute)
        elif minute > ring.minute:
            ring.advance(minute)
        return ring

    def shown(self, gateway_eui: str, region: Region, now: float) -> list[BandUse]:
        """Use of every sub-band of the region, for people."""
        return [self._use(gateway_eui, band, now) for band in region.bands]

    def _use(self, gateway_eui: str, band: Band, now: float) -> BandUse:
        left_us = self.left_us(gateway_eui, band, ANSWER_SHARE, now)
        ring = self._rings.get((gateway_eui, band.min_hz))
        used_ms = 0.0 if ring is None else ring.used_us / 1000
        if band.duty_cycle >= 1:
            return BandUse(band.min_hz, band.max_hz, band.duty_cycle, used_ms, None, None)
        for_applications_us = self.left_us(gateway_eui, band, APPLICATION_SHARE, now)
        left_ms, for_applications_ms = max(0.0, left_us / 1000), max(0.0, for_applications_us / 1000)
        return BandUse(band.min_hz, band.max_hz, band.duty_cycle, used_ms, left_ms, for_applications_ms)

    def forget(self, gateway_eui: str) -> None:
        """A gateway was removed."""
        for key in [key for key in self._rings if key[0] == gateway_eui]:
            del self._rings[key]


def _slot(ring: _Ring, at: float) -> int:
    minute = int(at) // _MINUTE_S
    return min(max(minute, ring.minute - _KEPT_MINUTES), ring.minute + _AHEAD_MINUTES) % _SLOTS


def limit_us(band: Band, share: float) -> float:
    """Airtime an hour of that share of the band's duty cycle; all of the hour where there is no duty cycle."""
    return HOUR_US * band.duty_cycle * share if band.duty_cycle < 1 else HOUR_US


def band_of(region: Region, freq_hz: int) -> Band:
    """The sub-band of a frequency; where two meet, the first one listed. ValueError outside all of them."""
    for band in region.bands:
        if band.min_hz <= freq_hz <= band.max_hz:
            return band
    raise ValueError(f"{region.name} has no band at {freq_hz} Hz")
