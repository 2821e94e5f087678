"""How a device becomes class B or C, and when it listens then."""

import pytest

from lns.lorawan.class_b import ping_slots_gps_ms
from lns.lorawan.gpstime import unix_from_gps
from lns.lorawan.modulation import Lora
from simulators.classes import BEACONLESS_S, Classes, in_ping_slot
from simulators.maccommands.answers import Answers
from simulators.maccommands.obey import obey
from simulators.maccommands.state import MacState
from tests.lorawan import vectors
from tests.simulators.maccommands.states import mac, named, req

BEACON_S = 1_300_000_000 // 128 * 128
ADDR = "01020304"


def classes(name: str = "EU868", version: str = "1.1") -> tuple[Classes, MacState, Answers]:
    state, answers = mac(name, version), Answers()
    return Classes(state, answers), state, answers


def in_class_b(name: str = "EU868", periodicity: int = 2) -> tuple[Classes, MacState, Answers]:
    device, state, answers = classes(name)
    device.want("B", 1, periodicity)
    device.heard_beacon(BEACON_S)
    obey(state, req("PingSlotInfoAns"), answers)
    device.settle()
    return device, state, answers


def test_class_c_begins_at_once_in_a_1_0_session():
    device, state, answers = classes()
    device.want("C", minor=0)
    assert (state.device_class, bool(answers)) == ("C", False)
    assert device.continuous() == (869_525_000, Lora(12, 125_000))


def test_class_c_begins_with_the_confirmation_in_a_1_1_session():
    device, state, answers = classes()
    device.want("C", minor=1)
    assert (state.device_class, device.continuous()) == ("A", None)
    assert [named(answers.take(15)) for _ in range(2)] == [[("DeviceModeInd", {"class": 2})]] * 2
    obey(state, req("DeviceModeConf", **{"class": 2}), answers)
    assert (state.device_class, bool(answers)) == ("C", False)
    device.want("A", minor=1)
    assert (state.device_class, named(answers.take(15))) == ("C", [("DeviceModeInd", {"class": 0})])


def test_class_b_needs_a_beacon_and_the_network_that_knows_the_slots():
    device, state, answers = classes()
    device.want("B", 1, periodicity=3)
    assert named(answers.take(15)) == [("PingSlotInfoReq", {"periodicity": 3})]
    device.heard_beacon(BEACON_S)
    assert state.device_class == "A"
    obey(state, req("PingSlotInfoAns"), answers)
    device.settle()
    assert (state.device_class, bool(answers)) == ("B", False)


@pytest.mark.parametrize(("letter", "after"), [("A", "A"), ("C", "A")])
def test_class_b_ends_when_another_is_wanted(letter, after):
    device, state, _ = in_class_b()
    device.want(letter, 1)
    assert (state.device_class, device.tracks_beacon, state.ping_periodicity) == (after, True, None)


def test_class_b_ends_two_hours_after_the_last_beacon():
    device, state, _ = in_class_b()
    device.expire(BEACON_S + BEACONLESS_S)
    assert state.device_class == "B"
    device.expire(BEACON_S + BEACONLESS_S + 1)
    assert (state.device_class, device.beacon_gps_s) == ("A", None)
    device.heard_beacon(BEACON_S + 2 * BEACONLESS_S)
    assert state.device_class == "B"


@pytest.mark.parametrize("vector", vectors.of("ping_slot"), ids=vectors.name)
def test_the_slots_are_those_of_the_vector(vector):
    addr, periodicity = vector["dev_addr"], vector["periodicity"]
    begin_us = unix_from_gps(vector["beacon_time_gps"]) * 1e6
    slots = [ms for ms in range(2120, 2120 + 30 * 400, 30) if in_ping_slot(begin_us + 1000 * ms, addr, periodicity, 0)]
    assert slots[:4] == vector["first_4_slots_ms"][: len(slots)]
    assert slots or vector["first_slot_after_beacon_ms"] >= 2120 + 30 * 400


def test_it_listens_at_the_start_of_a_slot_only():
    device, _, _ = in_class_b()
    slot_us = unix_from_gps(ping_slots_gps_ms(BEACON_S, ADDR, 2)[5] / 1000) * 1e6
    listens = (869_525_000, Lora(9, 125_000))
    assert [device.ping_slot(ADDR, slot_us + off, 5_000) for off in (-6_000, -4_000, 0, 4_000, 6_000)] == [
        None, listens, listens, listens, None,
    ]  # fmt: skip


def test_ping_slots_hop_in_the_regions_that_do_and_stop_with_a_channel_of_their_own():
    device, state, answers = in_class_b("US915")
    slots_us = [unix_from_gps(ping_slots_gps_ms(BEACON_S + 128 * n, ADDR, 2)[0] / 1000) * 1e6 for n in range(8)]
    assert len({device.ping_slot(ADDR, slot_us) for slot_us in slots_us}) == 8
    obey(state, req("PingSlotChannelReq", frequency_hz=923_900_000, dr=9), answers)
    assert {device.ping_slot(ADDR, slot_us) for slot_us in slots_us} == {(923_900_000, Lora(11, 500_000))}
    obey(state, req("PingSlotChannelReq", frequency_hz=0, dr=8), answers)
    assert len({device.ping_slot(ADDR, slot_us) for slot_us in slots_us}) == 8


def test_a_class_is_wanted_again_after_a_reset():
    device, state, answers = in_class_b()
    state.reset()
    device.want_again()
    assert (state.device_class, state.ping_periodicity) == ("A", 2)
    assert named(answers.take(15)) == [("PingSlotInfoReq", {"periodicity": 2})]


def test_a_class_a_device_has_no_slots():
    device, _, _ = classes()
    assert device.ping_slot(ADDR, unix_from_gps(ping_slots_gps_ms(BEACON_S, ADDR, 0)[0] / 1000) * 1e6) is None
