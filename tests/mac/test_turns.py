import pytest

from lns.lorawan.gpstime import gps_from_unix
from lns.lorawan.regions import region
from lns.mac.airplan import AirPlan
from lns.mac.choice import GatewayFacts
from lns.mac.ledger import HOUR_US, Ledger, band_of
from lns.mac.multicast import Group
from lns.mac.slots import Clock, When
from lns.mac.turns import TURN_GAP_S, Frame, Reach, reach, schedule

EU868 = region("EU868")
CLOCK = Clock(1000.0, 1_700_000_000_000_000)
AIRTIME_US = 200_000
GPS = GatewayFacts(0.0, 0.0, True)
FACTS = {"A": GPS, "B": GPS, "C": GPS, "blind": GatewayFacts()}
# A and B share member 2; nobody hears both C and another
HEARD = {1: [("A", 5.0)], 2: [("A", 5.0), ("B", 0.0)], 3: [("B", 5.0)], 4: [("C", 5.0)], 5: [], 6: [("C", -18.0)]}


def frame(device_class="C", **when):
    group = Group(4, EU868, "52517e23", (bytes(16), bytes(16)), (869_525_000, 0))
    group.device_class, group.periodicity = device_class, 3
    return Frame(group, AIRTIME_US, When(CLOCK, **when))


def test_every_heard_member_is_reached_and_the_others_are_named():
    assert reach(frame(), HEARD, FACTS, Ledger()) == Reach((("A", "C"), ("B",)), (5,), (), (6,))


def test_a_gateway_without_airtime_is_spared_and_who_depends_on_it_is_named():
    ledger = Ledger()
    ledger.book("B", band_of(EU868, 869_525_000), int(HOUR_US * 0.08), 1000.0, 1000.0)
    found = reach(frame(), HEARD, FACTS, ledger)
    assert (found.turns, found.without_airtime) == ((("A", "C"),), (3,))


def test_class_b_needs_gateways_with_gps():
    heard = {1: [("A", 5.0), ("blind", 9.0)], 2: [("blind", 9.0)]}
    assert reach(frame("B"), heard, FACTS, Ledger()) == Reach((("A",),), (2,), (), ())
    assert reach(frame("C"), heard, FACTS, Ledger()).turns == (("blind",),)


def test_class_c_gateways_that_share_a_member_follow_each_other():
    slots = schedule(frame(), [("A", "C"), ("B",)], FACTS, AirPlan())
    second = 1000.08 + AIRTIME_US / 1e6 + TURN_GAP_S
    assert [(slot.gateway_eui, slot.start) for slot in slots] == [
        ("A", pytest.approx(1000.08)),
        ("C", pytest.approx(1000.08)),
        ("B", pytest.approx(second)),
    ]


def test_a_turn_begins_after_the_latest_of_the_one_before():
    plan = AirPlan()
    plan.reserve("C", 1000.0, 1002.0, 1000.0)
    slots = {slot.gateway_eui: slot.start for slot in schedule(frame(), [("A", "C"), ("B",)], FACTS, plan)}
    assert slots["A"] == pytest.approx(1000.08)
    assert slots["C"] > 1002.0
    assert slots["B"] >= slots["C"] + AIRTIME_US / 1e6


def test_a_timed_group_frame_starts_at_its_time():
    (slot,) = schedule(frame(at_us=CLOCK.utc_us + 5_000_000), [("A",)], FACTS, AirPlan())
    assert slot.start == pytest.approx(1005.0)
    assert slot.gps_time_ms == gps_from_unix(1_700_000_005) * 1000


def test_class_b_turns_take_one_ping_slot_after_the_other():
    first, also_first, second = schedule(frame("B"), [("A", "C"), ("B",)], FACTS, AirPlan())
    assert first.gps_time_ms == also_first.gps_time_ms
    assert (second.gps_time_ms - first.gps_time_ms) % 30 == 0
    assert second.start > first.start + AIRTIME_US / 1e6


def test_a_ping_slot_in_which_one_gateway_sends_is_passed_over_by_all():
    free, _ = schedule(frame("B"), [("A", "C")], FACTS, AirPlan())
    plan = AirPlan()
    plan.reserve("C", free.start, free.start + 0.1, 1000.0)
    slots = schedule(frame("B"), [("A", "C")], FACTS, plan)
    assert {slot.gps_time_ms for slot in slots} == {slots[0].gps_time_ms}
    assert slots[0].gps_time_ms > free.gps_time_ms


def test_a_gateway_that_never_has_a_free_ping_slot_is_left_out():
    plan = AirPlan()
    plan.reserve("A", 1000.0, 100_000.0, 1000.0)
    slots = schedule(frame("B"), [("A",), ("B",)], FACTS, plan)
    assert [slot.gateway_eui for slot in slots] == ["B"]
