"""Which gateway sends, and in which window. Pure; `now` is monotonic seconds.

A window is left out when it cannot be reached in time, when the frame does not fit, when the gateway's sub-band has no
airtime left, or when the gateway sends another frame then: each with a sentence for people. What remains goes by time
(RX1 before RX2, the sooner the slot the better), then by a score in dB:

    link margin (20 dB are enough) - 6 a recent refusal - 12 x used share of the sub-band's airtime - 10 a second of
    round trip

So a gateway with a nearly used up sub-band, or one that has refused frames, gives way to one that hears a bit worse.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

from lns.lorawan.airtime import airtime_us
from lns.lorawan.regions.region import Band, Region
from lns.mac.airplan import AirPlan
from lns.mac.downlink import Window
from lns.mac.ledger import Ledger, band_of, limit_us
from lns.mac.margin import margin_db
from lns.mac.slots import Slot, Tuning

SHORTEST_LEAD_S = 0.05
"""sx1302 forwarders refuse (TOO_LATE) what reaches them less than 42.5 ms ahead."""
SECOND_ATTEMPT_S = 0.2
"""Most that a decision is brought forward so that a second gateway can still be asked for the same window."""

_ENOUGH_DB = 20.0
_REFUSAL_DB = 6.0
_AIRTIME_DB = 12.0
_ROUND_TRIP_DB_PER_S = 10.0
_REFUSAL_HALF_LIFE_S = 60.0
_MHDR_AND_MIC_OCTETS = 5


class GatewayFacts(msgspec.Struct, frozen=True, gc=False):
    """What is known of a gateway: smoothed seconds from PULL_RESP to TX_ACK (0: unknown), refusals of late, GPS."""

    round_trip_s: float = 0.0
    nacks_recent: float = 0.0
    gps: bool = False


UNKNOWN = GatewayFacts()


class Need(msgspec.Struct, frozen=True, gc=False):
    """What is to be sent: PHYPayload octets, for how much of the duty cycle; `opened_at` is the end of the uplink."""

    region: Region
    octets: int
    share: float
    opened_at: float = 0.0


class Cause(StrEnum):
    """Why a window is left out."""

    LATE = "late"
    TOO_LONG = "too_long"
    NO_AIRTIME = "no_airtime"
    BUSY = "busy"


class Blocked(msgspec.Struct, frozen=True, gc=False):
    """A window that was left out, and why, for people."""

    cause: Cause
    gateway_eui: str
    window: str
    text: str


class Booking(msgspec.Struct, frozen=True, gc=False):
    """Airtime that was taken for a frame; `start` and `end` in monotonic seconds."""

    gateway_eui: str
    band: Band
    airtime_us: int
    start: float
    end: float


Chance = TypeVar("Chance", Window, Slot)

_Asked = tuple[Chance, Window | Tuning, str, str, float, float | None]
"""A chance, its frequency and data rate, its name, the gateway, when it starts, the SNR of the device there."""


class Ordered(msgspec.Struct, Generic[Chance], frozen=True):
    """The chances that can be used, best first, and those that cannot."""

    chances: list[Chance]
    blocked: list[Blocked]


class Chooser:
    """Orders windows by what the ledger, the air plan and the gateways' records say, and books the one that is used."""

    def __init__(self, ledger: Ledger, plan: AirPlan) -> None:
        self.ledger, self.plan = ledger, plan

    def order(
        self, windows: Sequence[Window], need: Need, facts: Mapping[str, GatewayFacts], now: float
    ) -> Ordered[Window]:
        """The receive windows of an uplink, in the order in which they are to be tried."""
        opened_at = need.opened_at
        asked: list[_Asked[Window]] = []
        for window in windows:
            reception = window.reception
            start = opened_at + window.delay_s
            asked.append((window, window, window.name, reception.gateway_eui, start, reception.snr_db))
        # what is known of the uplink's end is late by the way from the gateway, and the frame has to go that way too
        return self._order(asked, need, facts, now + SHORTEST_LEAD_S, 1.0)

    def order_slots(
        self, slots: Sequence[Slot], need: Need, facts: Mapping[str, GatewayFacts], now: float
    ) -> Ordered[Slot]:
        """Ping slots or class C chances, in the order in which they are to be tried."""
        asked: list[_Asked[Slot]] = [(s, s.tuning, s.name, s.gateway_eui, s.start, s.snr_db) for s in slots]
        return self._order(asked, need, facts, now + SHORTEST_LEAD_S, 0.5)

    def _order(
        self,
        asked: Sequence[_Asked[Chance]],
        need: Need,
        facts: Mapping[str, GatewayFacts],
        earliest: float,
        trips: float,
    ) -> Ordered[Chance]:
        """`earliest` is when a gateway without delay could start, `trips` how many round trips others are behind it."""
        octets, share = need.octets, need.share
        now = earliest - SHORTEST_LEAD_S
        ranked: list[tuple[float, float, int, Chance]] = []
        blocked: list[Blocked] = []
        # gateways share few frequencies and data rates: each is looked up once
        airtimes: dict[int, int] = {}
        bands: dict[int, tuple[Band, float]] = {}
        for index, (chance, at, name, eui, start, snr_db) in enumerate(asked):
            fact = facts.get(eui, UNKNOWN)
            behind = earliest + trips * fact.round_trip_s - start
            if behind > 0:
                blocked.append(_late(name, eui, start - now, behind))
                continue
            if octets - _MHDR_AND_MIC_OCTETS > at.room:
                blocked.append(_too_long(name, eui, octets, at))
                continue
            dr, freq_hz = at.dr, at.freq_hz
            if dr not in airtimes:
                airtimes[dr] = airtime_us(at.modulation, octets, False)
            if freq_hz not in bands:
                found = band_of(need.region, freq_hz)
                bands[freq_hz] = found, limit_us(found, share)
            airtime, (band, limit) = airtimes[dr], bands[freq_hz]
            left = self.ledger.left_us(eui, band, share, now)
            if airtime > left:
                blocked.append(_no_airtime(name, eui, airtime, left, band))
                continue
            other = self.plan.blocker(eui, start, start + airtime / 1e6)
            if other is not None:
                blocked.append(_busy(name, eui, other[1] - start))
                continue
            margin = margin_db(snr_db, at.modulation)
            cost = _REFUSAL_DB * fact.nacks_recent + _ROUND_TRIP_DB_PER_S * fact.round_trip_s
            cost += _AIRTIME_DB * (1 - left / limit)
            ranked.append((start, cost - (margin if margin < _ENOUGH_DB else _ENOUGH_DB), index, chance))
        ranked.sort()
        return Ordered([chance for _, _, _, chance in ranked], blocked)

    def book_window(self, window: Window, need: Need, now: float) -> Booking:
        """Take the airtime of a receive window before its frame is given to the gateway."""
        return self._book(window, window.reception.gateway_eui, need.opened_at + window.delay_s, need, now)

    def book_slot(self, slot: Slot, need: Need, now: float) -> Booking:
        """Take the airtime of a slot before its frame is given to the gateway."""
        return self._book(slot.tuning, slot.gateway_eui, slot.start, need, now)

    def _book(self, at: Window | Tuning, eui: str, start: float, need: Need, now: float) -> Booking:
        airtime = airtime_us(at.modulation, need.octets, False)
        booking = Booking(eui, band_of(need.region, at.freq_hz), airtime, start, start + airtime / 1e6)
        self.ledger.book(eui, booking.band, airtime, start, now)
        self.plan.reserve(eui, start, booking.end, now)
        return booking

    def give_back(self, booking: Booking, now: float) -> None:
        """The gateway refused the frame, or never got it."""
        eui, start = booking.gateway_eui, booking.start
        self.ledger.refund(eui, booking.band, booking.airtime_us, start, now)
        self.plan.release(eui, start, booking.end)


def fallback(windows: Sequence[Window], refused_by: str) -> list[Window]:
    """What is tried after a gateway refused (TX_ACK error): the same window elsewhere before it is asked again."""
    return sorted(windows, key=lambda window: (window.delay_s, window.reception.gateway_eui == refused_by))


def decide_at(opens_at: float, gateways: Sequence[GatewayFacts], margin_s: float) -> float:
    """The latest moment for the decision about a window: the best gateway can be told, and one refusal made good.

    `gateways` are those that heard the device, the best first.
    """
    first = gateways[0].round_trip_s
    second = min(gateways[1].round_trip_s, SECOND_ATTEMPT_S) if len(gateways) > 1 else 0.0
    return opens_at - margin_s - SHORTEST_LEAD_S - first - second


def _late(window: str, gateway_eui: str, lead_s: float, behind_s: float) -> Blocked:
    text = (
        f"{behind_s * 1000:.0f} ms too late: it opens in {lead_s * 1000:.0f} ms,"
        f" {(lead_s + behind_s) * 1000:.0f} ms are needed"
    )
    return Blocked(Cause.LATE, gateway_eui, window, text)


def _too_long(window: str, gateway_eui: str, octets: int, at: Window | Tuning) -> Blocked:
    text = f"macpayload is {octets - _MHDR_AND_MIC_OCTETS} octets, {at.room} fit at dr {at.dr}"
    return Blocked(Cause.TOO_LONG, gateway_eui, window, text)


def _no_airtime(window: str, gateway_eui: str, airtime: int, left_us: float, band: Band) -> Blocked:
    text = (
        f"the frame takes {airtime / 1000:.0f} ms, {max(0.0, left_us) / 1000:.0f} ms of this hour are left in"
        f" {band.min_hz / 1e6:g} to {band.max_hz / 1e6:g} MHz"
    )
    return Blocked(Cause.NO_AIRTIME, gateway_eui, window, text)


def _busy(window: str, gateway_eui: str, until_s: float) -> Blocked:
    text = f"the gateway sends another frame until {until_s * 1000:.0f} ms after it opens"
    return Blocked(Cause.BUSY, gateway_eui, window, text)


class Refusals:
    """How often each gateway refused of late: half of what there was counts no more after a minute."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[float, float]] = {}

    def refused(self, gateway_eui: str, now: float) -> None:
        """A TX_ACK with an error came."""
        self._counts[gateway_eui] = (self.recent(gateway_eui, now) + 1, now)

    def recent(self, gateway_eui: str, now: float) -> float:
        """The count, faded; 0 for most gateways most of the time."""
        known = self._counts.get(gateway_eui)
        if known is None:
            return 0.0
        count, at = known
        faded: float = count * 0.5 ** ((now - at) / _REFUSAL_HALF_LIFE_S)
        return faded

    def forget(self, gateway_eui: str) -> None:
        """A gateway was removed."""
        self._counts.pop(gateway_eui, None)
