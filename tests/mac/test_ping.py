import pytest

from lns.lorawan.gpstime import unix_from_gps
from lns.lorawan.regions import region
from lns.mac import ping
from lns.mac.choice import GatewayFacts
from lns.mac.ping import PingSlots
from lns.mac.slots import Clock, Slot, When, tuning

EU868, US915 = region("EU868"), region("US915")
BEACON_S = 1_270_000_000 // 128 * 128
# tests/vectors/lorawan.json, pub-ping_slot-003: first slots 3410, 7250, 11090 ms after the beacon of 1270000000
DEVICE = PingSlots("ea699313", 2, 3)
VECTOR_BEACON_MS = 1_270_000_000_000
FACTS = {"gps": GatewayFacts(0.04, 0.0, True), "slow": GatewayFacts(8.0, 0.0, True), "blind": GatewayFacts(0.04)}


def clock_at(gps_ms):
    return Clock(1000.0, round(unix_from_gps(gps_ms / 1000) * 1e6))


@pytest.mark.parametrize(
    ("allowed", "class_b_bit", "periodicity", "mode"),
    [
        ("B", True, 2, "B"),
        ("B", False, 2, "A"),  # the beacon is lost: the device says so by clearing the bit
        ("B", True, None, "A"),  # nobody knows its slots before PingSlotInfoReq
        ("A", True, 2, "A"),
        ("C", True, 2, "A"),
    ],
)
def test_a_device_is_of_class_b_while_its_uplinks_say_so(allowed, class_b_bit, periodicity, mode):
    assert ping.mode(allowed, class_b_bit, periodicity) == mode


def test_the_next_ping_slot_is_the_vectors_on_gateways_with_gps_only():
    assert VECTOR_BEACON_MS == BEACON_S * 1000
    clock = clock_at(VECTOR_BEACON_MS)
    slots = ping.slots(EU868, DEVICE, [("gps", 5.0), ("blind", 9.0), ("slow", 1.0)], FACTS, When(clock))
    at = tuning(EU868, 869_525_000, 3)
    assert [(slot.gateway_eui, slot.gps_time_ms - VECTOR_BEACON_MS) for slot in slots] == [
        ("gps", 3410),
        ("slow", 7250),
    ]
    assert slots[0] == Slot("ping", "gps", 5.0, at, pytest.approx(1003.41, abs=1e-4), VECTOR_BEACON_MS + 3410)


@pytest.mark.parametrize(
    ("now_ms", "slot_ms"),
    [
        (3410 - 70, 3410),  # 50 ms for the forwarder and half a round trip of 40 ms: just reached
        (3410 - 69, 7250),
        (7250, 11_090),
    ],
)
def test_a_slot_that_cannot_be_reached_is_passed_over(now_ms, slot_ms):
    (slot,) = ping.slots(EU868, DEVICE, [("gps", 5.0)], FACTS, When(clock_at(VECTOR_BEACON_MS + now_ms)))
    assert slot.gps_time_ms == VECTOR_BEACON_MS + slot_ms


def test_slots_in_the_windows_of_an_uplink_or_before_the_wanted_time_are_passed_over():
    clock = clock_at(VECTOR_BEACON_MS)
    (slot,) = ping.slots(EU868, DEVICE, [("gps", 5.0)], FACTS, When(clock, not_before=1003.5))
    assert slot.gps_time_ms == VECTOR_BEACON_MS + 7250
    (slot,) = ping.slots(EU868, DEVICE, [("gps", 5.0)], FACTS, When(clock, at_us=clock.utc_us + 8_000_000))
    assert slot.gps_time_ms == VECTOR_BEACON_MS + 11_090


# tests/vectors/lorawan.json, pub-ping_slot_channel-001
def test_the_frequency_hops_with_the_beacon_until_the_device_is_told_another():
    clock = clock_at(2_012_511_872_000)
    (slot,) = ping.slots(US915, PingSlots("d5b8f726", 0, 8), [("gps", None)], FACTS, When(clock))
    assert slot.tuning.freq_hz == 925_100_000
    fixed = PingSlots("d5b8f726", 0, 8, freq_hz=923_300_000)
    (slot,) = ping.slots(US915, fixed, [("gps", None)], FACTS, When(clock))
    assert slot.tuning.freq_hz == 923_300_000
