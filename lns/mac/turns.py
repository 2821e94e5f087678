"""How a multicast frame reaches its members: which gateways send it, and when, so that none spoils another's. Pure.

Nobody acknowledges such a frame, so each gateway of the cover sends it once. Gateways with a member between them take
turns; the member that hears two of them drops the second frame by its counter. Times are monotonic seconds.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from lns.mac import class_c, ping
from lns.mac.airplan import AirPlan
from lns.mac.choice import SHORTEST_LEAD_S, UNKNOWN, GatewayFacts
from lns.mac.cover import Cover, cover, rounds
from lns.mac.ledger import APPLICATION_SHARE, Ledger, band_of
from lns.mac.margin import margin_db
from lns.mac.multicast import Group
from lns.mac.slots import Slot, When

TURN_GAP_S = 0.3
"""Between turns of class C: an immediate frame starts when it has come through the network."""
MOST_PING_SLOTS = 128
"""Ping slots that are looked at for one in which no gateway of a turn sends something else."""

HeardAt = Mapping[int, Sequence[tuple[str, float]]]
"""By device id: the gateways that heard it lately, and the SNR in dB."""


class Reach(msgspec.Struct, frozen=True):
    """Who is reached by whom. Members are device ids.

    `unheard` ones no gateway that could serve the group has heard, `without_airtime` only such as may not send now;
    `weak` ones are reached with little margin.
    """

    turns: tuple[tuple[str, ...], ...]
    unheard: tuple[int, ...]
    without_airtime: tuple[int, ...]
    weak: tuple[int, ...]


class Frame(msgspec.Struct, frozen=True, gc=False):
    """A group's frame, as far as the air is concerned."""

    group: Group
    airtime_us: int
    when: When


def reach(frame: Frame, heard: HeardAt, facts: Mapping[str, GatewayFacts], ledger: Ledger) -> Reach:
    """Choose the gateways for all members in `heard`, from those with airtime left and, for class B, with GPS."""
    group, now = frame.group, frame.when.clock.now
    euis = {eui for gateways in heard.values() for eui, _ in gateways}
    if group.device_class == "B":
        euis = {eui for eui in euis if facts.get(eui, UNKNOWN).gps}
    band = band_of(group.region, group.tuning.freq_hz)
    paid = {eui for eui in euis if ledger.left_us(eui, band, APPLICATION_SHARE, now) >= frame.airtime_us}
    margins: dict[int, list[tuple[str, float]]] = {}
    without_airtime = []
    for member, gateways in heard.items():
        able = [(eui, margin_db(snr_db, group.tuning.modulation)) for eui, snr_db in gateways if eui in paid]
        if not able and any(eui in euis for eui, _ in gateways):
            without_airtime.append(member)
        else:
            margins[member] = able
    found: Cover[int] = cover(margins)
    turns = tuple(tuple(turn) for turn in rounds(found.gateways, heard.values()))
    return Reach(turns, found.unheard, tuple(without_airtime), found.weak)


def schedule(
    frame: Frame, turns: Iterable[Sequence[str]], facts: Mapping[str, GatewayFacts], plan: AirPlan
) -> list[Slot]:
    """A slot for every gateway, turn after turn; a gateway that finds no free ping slot in a while is left out."""
    take = _ping_turn if frame.group.device_class == "B" else _class_c_turn
    slots: list[Slot] = []
    earliest = frame.when.not_before
    for turn in turns:
        taken = take(frame, turn, facts, plan, earliest)
        if taken:
            earliest = max(slot.start for slot in taken) + frame.airtime_us / 1e6 + TURN_GAP_S
        slots += taken
    return slots


def _class_c_turn(
    frame: Frame, turn: Sequence[str], facts: Mapping[str, GatewayFacts], plan: AirPlan, earliest: float
) -> list[Slot]:
    when = msgspec.structs.replace(frame.when, not_before=earliest)
    slots = class_c.slots(frame.group.tuning, [(eui, None) for eui in turn], facts, when)
    return class_c.after_others(slots, plan, frame.airtime_us / 1e6)


def _ping_turn(
    frame: Frame, turn: Sequence[str], facts: Mapping[str, GatewayFacts], plan: AirPlan, earliest: float
) -> list[Slot]:
    """All gateways of a turn in one ping slot of the group."""
    listener, airtime_s = frame.group.ping_slots, frame.airtime_us / 1e6
    slowest_s = max(facts.get(eui, UNKNOWN).round_trip_s for eui in turn)
    earliest = max(earliest, frame.when.clock.now + SHORTEST_LEAD_S + slowest_s / 2)
    for _ in range(MOST_PING_SLOTS):
        slots = [ping.slot_on(frame.group.region, listener, (eui, None), frame.when, earliest) for eui in turn]
        start = slots[0].start
        if all(plan.blocker(eui, start, start + airtime_s) is None for eui in turn):
            return slots
        earliest = start + 0.001
    return []
