"""Class B: a device that listens in ping slots, which it and the network both count from the beacon. Pure.

Only a gateway with GPS time sends beacons and can meet a slot (Semtech UDP: `tmms`). It builds the beacons itself.
"""

from collections.abc import Mapping, Sequence

import msgspec

from lns.lorawan.class_b import beacon_time_gps_s, next_ping_slot_gps_ms
from lns.lorawan.regions.region import Region
from lns.mac.choice import SHORTEST_LEAD_S, UNKNOWN, GatewayFacts
from lns.mac.slots import Slot, When, tuning


class PingSlots(msgspec.Struct, frozen=True, gc=False):
    """Where and when a device or a group of class B listens; `freq_hz` None is the region's, which may hop.

    `join_freq_hz` is where the session began: in CN470 the region's frequency depends on it.
    """

    address: str
    periodicity: int
    dr: int
    freq_hz: int | None = None
    dwell: bool = False
    join_freq_hz: int | None = None


def mode(allowed: str, class_b_bit: bool, periodicity: int | None) -> str:
    """Class A or B after an uplink: B while the device sets the ClassB bit, and has told its `periodicity` before.

    A device that loses the beacon for two hours clears the bit (LoRaWAN 1.0.3, class B): its downlinks wait for its
    uplinks again.
    """
    return "B" if allowed == "B" and class_b_bit and periodicity is not None else "A"


def slots(
    region: Region,
    listener: PingSlots,
    gateways: Sequence[tuple[str, float | None]],
    facts: Mapping[str, GatewayFacts],
    when: When,
) -> list[Slot]:
    """The next ping slot that each gateway with GPS can meet; `gateways` are EUIs and SNR in dB."""
    found = []
    for eui, snr_db in gateways:
        fact = facts.get(eui, UNKNOWN)
        if fact.gps:
            reached = when.clock.now + SHORTEST_LEAD_S + fact.round_trip_s / 2
            found.append(slot_on(region, listener, (eui, snr_db), when, reached))
    return found


def slot_on(
    region: Region, listener: PingSlots, gateway: tuple[str, float | None], when: When, earliest: float
) -> Slot:
    """The first ping slot from `earliest` and `when` on, whether the gateway can meet it or not."""
    earliest = max(earliest, when.not_before)
    if when.at_us is not None:
        earliest = max(earliest, when.clock.at_utc(when.at_us))
    gps_ms = next_ping_slot_gps_ms(when.clock.gps_ms(earliest), listener.address, listener.periodicity)
    freq_hz = listener.freq_hz
    if freq_hz is None:
        freq_hz = region.ping_slot_freq_hz(listener.address, beacon_time_gps_s(gps_ms), listener.join_freq_hz)
    eui, snr_db = gateway
    at = tuning(region, freq_hz, listener.dr, listener.dwell)
    return Slot("ping", eui, snr_db, at, when.clock.at_gps(gps_ms), gps_ms)
