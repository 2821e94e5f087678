"""Class C: a device that listens all the time but while it sends or waits for its answer. Pure.

Its downlinks use the frequency and data rate of RX2. Times are monotonic seconds.
"""

from collections.abc import Mapping, Sequence

import msgspec

from lns.mac.airplan import AirPlan
from lns.mac.choice import UNKNOWN, GatewayFacts
from lns.mac.slots import Slot, Tuning, When

IMMEDIATE_S = 0.08
"""sx1302 forwarders start an `imme` frame about so long after they got it."""
RX2_OPEN_S = 0.3
"""How long RX2 stays open without a frame: the eight symbols of a preamble take 262 ms at SF12."""
HAND_OVER_S = 0.5
"""A frame for a GPS time is given to its gateway so long before: time enough for another gateway if it refuses."""


def listening(allowed: str, minor: int, mode: str, fcnt_up: int) -> bool:
    """Whether a device can be reached in class C now; `allowed` is its highest class, `fcnt_up` -1 before an uplink.

    In a session of LoRaWAN 1.1 a device says so (DeviceModeInd), which made `mode` "C". Before 1.1 its class is known
    from its template only; it listens from the first uplink of the session on, which confirms the session.
    """
    if allowed != "C":
        return False
    return mode == "C" if minor else fcnt_up >= 0


def free_at(uplink_ended_at: float, rx1_delay_s: int, answer_ends_at: float = 0.0) -> float:
    """When a device that has sent can be sent to again: after its windows, or the answer that came in them.

    What is to go earlier goes as the answer. Until RX1 the device may listen on RX2, but a frame would reach into RX1.
    """
    return max(uplink_ended_at + rx1_delay_s + 1 + RX2_OPEN_S, answer_ends_at)


def slots(
    tuning: Tuning, gateways: Sequence[tuple[str, float | None]], facts: Mapping[str, GatewayFacts], when: When
) -> list[Slot]:
    """The next chance on each gateway, given as EUI and SNR in dB.

    A time that is given is kept to the millisecond by gateways with GPS, by others as well as the network between
    allows; one that has passed means at once.
    """
    found = []
    for eui, snr_db in gateways:
        fact = facts.get(eui, UNKNOWN)
        start = max(when.clock.now + IMMEDIATE_S + fact.round_trip_s / 2, when.not_before)
        gps_ms = None
        if when.at_us is not None:
            start = max(start, when.clock.at_utc(when.at_us))
            gps_ms = when.clock.gps_ms(start) if fact.gps else None
        found.append(Slot("class_c", eui, snr_db, tuning, start, gps_ms))
    return found


def after_others(slots: Sequence[Slot], plan: AirPlan, airtime_s: float) -> list[Slot]:
    """The same chances, put off while their gateway sends other frames; those at a GPS time stay as they are."""
    return [
        slot
        if slot.gps_time_ms is not None
        else msgspec.structs.replace(slot, start=plan.next_free(slot.gateway_eui, slot.start, airtime_s))
        for slot in slots
    ]


def hand_over_at(slot: Slot, fact: GatewayFacts) -> float:
    """When a slot's frame has to leave for the gateway: an immediate one starts as soon as it is there."""
    if slot.gps_time_ms is None:
        return slot.start - IMMEDIATE_S - fact.round_trip_s / 2
    return slot.start - HAND_OVER_S - fact.round_trip_s
