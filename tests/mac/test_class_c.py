import msgspec
import pytest

from lns.lorawan.regions import region
from lns.mac import class_c
from lns.mac.airplan import GUARD_S, AirPlan
from lns.mac.choice import GatewayFacts
from lns.mac.slots import Clock, Slot, When, tuning

CLOCK = Clock(1000.0, 1_700_000_000_000_000)
GPS_MS = 1_384_035_218_000
AT = tuning(region("EU868"), 869_525_000, 0)
FACTS = {"near": GatewayFacts(0.02, 0.0, True), "far": GatewayFacts(0.5)}


@pytest.mark.parametrize(
    ("allowed", "minor", "mode", "fcnt_up", "listens"),
    [
        ("C", 0, "A", -1, False),  # 1.0.x: not before its first uplink
        ("C", 0, "A", 0, True),
        ("A", 0, "A", 5, False),
        ("B", 0, "B", 5, False),
        ("C", 1, "A", 5, False),  # 1.1: not before DeviceModeInd
        ("C", 1, "C", 0, True),
        ("A", 1, "C", 5, False),  # a person does not want it
    ],
)
def test_who_listens_in_class_c(allowed, minor, mode, fcnt_up, listens):
    assert class_c.listening(allowed, minor, mode, fcnt_up) is listens


def test_a_device_is_left_alone_from_its_uplink_to_the_end_of_its_windows():
    assert class_c.free_at(10.0, 1) == pytest.approx(12.3)
    assert class_c.free_at(10.0, 5) == pytest.approx(16.3)
    assert class_c.free_at(10.0, 1, answer_ends_at=13.5) == 13.5


def test_an_immediate_frame_starts_when_it_has_reached_the_gateway():
    assert class_c.slots(AT, [("near", 5.0), ("far", 7.0)], FACTS, When(CLOCK)) == [
        Slot("class_c", "near", 5.0, AT, 1000.09),
        Slot("class_c", "far", 7.0, AT, 1000.33),
    ]


def test_an_immediate_frame_waits_for_the_end_of_the_devices_windows():
    (slot,) = class_c.slots(AT, [("near", 5.0)], FACTS, When(CLOCK, not_before=1002.3))
    assert slot.start == 1002.3


def test_a_time_is_kept_by_gps_where_the_gateway_has_it():
    when = When(CLOCK, at_us=1_700_000_060_000_000)
    assert class_c.slots(AT, [("near", 5.0), ("far", 7.0)], FACTS, when) == [
        Slot("class_c", "near", 5.0, AT, 1060.0, GPS_MS + 60_000),
        Slot("class_c", "far", 7.0, AT, 1060.0),
    ]


def test_a_time_that_has_passed_means_at_once():
    (slot,) = class_c.slots(AT, [("far", 7.0)], FACTS, When(CLOCK, at_us=1_600_000_000_000_000))
    assert slot.start == 1000.33


def test_an_immediate_frame_is_put_off_while_the_gateway_sends_and_a_timed_one_stays():
    plan = AirPlan()
    plan.reserve("near", 1000.0, 1001.0, 1000.0)
    slots = class_c.slots(AT, [("near", 5.0)], FACTS, When(CLOCK))
    timed = [msgspec.structs.replace(slots[0], gps_time_ms=GPS_MS)]
    assert [slot.start for slot in class_c.after_others(slots, plan, 0.1)] == [1001.0 + GUARD_S]
    assert class_c.after_others(timed, plan, 0.1) == timed


def test_a_frame_leaves_so_early_that_it_starts_in_time():
    immediate, timed = Slot("c", "far", 5.0, AT, 1010.0), Slot("c", "near", 5.0, AT, 1010.0, GPS_MS)
    assert class_c.hand_over_at(immediate, FACTS["far"]) == pytest.approx(1009.67)
    assert class_c.hand_over_at(timed, FACTS["near"]) == pytest.approx(1009.48)
