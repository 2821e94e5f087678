"""LinkADRReq against the vectors, and how the versions take a block of them."""

import pytest

from lns.lorawan.commands import parse_commands
from simulators.misbehaviour import Misbehaviour
from tests.lorawan import vectors
from tests.simulators.maccommands.states import answered, mac, req

BITS = ("channel_mask_ack", "data_rate_ack", "power_ack")
ALL_OK = ("LinkADRAns", dict.fromkeys(BITS, True))


def masks(mask: int) -> list[int]:
    return [mask >> 16 * n & 0xFFFF for n in range(6)]


@pytest.mark.parametrize("vector", vectors.of("link_adr_device"), ids=vectors.name)
def test_block_of_the_vector(vector):
    state = mac(vector["region"], data_rate=0)
    octets = bytes.fromhex(vector["commands"])
    answers = answered(state, octets)
    assert answers == [("LinkADRAns", vector["status"])] * len(parse_commands(octets, uplink=False)[0])
    assert masks(state.plan.mask) == vector["resulting_masks"]


def link_adr(mask: int, cntl: int = 0, data_rate: int = 3, tx_power: int = 2, nb_trans: int = 2) -> bytes:
    return req("LinkADRReq", data_rate=data_rate, tx_power=tx_power, ch_mask=mask, ch_mask_cntl=cntl, nb_trans=nb_trans)


def test_all_of_it_is_applied_and_acknowledged():
    state = mac()
    assert answered(state, link_adr(5)) == [ALL_OK]
    assert (state.data_rate, state.tx_power, state.nb_trans, state.plan.mask) == (3, 2, 2, 0b101)


GOOD_AND_BAD = link_adr(1) + link_adr(0x100)
BAD = ("LinkADRAns", {"channel_mask_ack": False, "data_rate_ack": True, "power_ack": True})


@pytest.mark.parametrize(
    ("version", "answers", "mask"),
    [
        ("1.0.0", [ALL_OK, BAD], 0b001),  # one by one
        ("1.0.1", [ALL_OK, BAD], 0b001),
        ("1.0.2", [BAD, BAD], 0b111),  # as one, all answers the same
        ("1.0.3", [BAD, BAD], 0b111),
        ("1.0.4", [BAD, BAD], 0b111),
        ("1.1", [BAD], 0b111),  # as one, with one answer
    ],
)
def test_a_block_is_taken_and_answered_as_the_version_has_it(version, answers, mask):
    state = mac(version=version)
    assert answered(state, GOOD_AND_BAD) == answers
    assert state.plan.mask == mask


def test_a_command_between_two_requests_makes_two_blocks():
    state = mac()
    octets = link_adr(1) + req("DutyCycleReq", max_duty_cycle=1) + link_adr(0x100)
    assert answered(state, octets) == [ALL_OK, ("DutyCycleAns", {}), BAD]
    assert state.plan.mask == 1


@pytest.mark.parametrize("version", ["1.0.4", "1.1"])
def test_15_leaves_data_rate_and_power(version):
    state = mac(version=version)
    assert answered(state, link_adr(7, data_rate=15, tx_power=15)) == [ALL_OK]
    assert (state.data_rate, state.tx_power) == (5, 0)


def test_15_is_refused_before_1_0_4():
    refused = {"channel_mask_ack": True, "data_rate_ack": False, "power_ack": False}
    assert answered(mac(version="1.0.3"), link_adr(7, data_rate=15, tx_power=15)) == [("LinkADRAns", refused)]


@pytest.mark.parametrize(("version", "nb_trans"), [("1.0.3", 1), ("1.0.4", 1), ("1.1", 3)])
def test_nb_trans_0_is_the_default_and_in_1_1_the_present_value(version, nb_trans):
    state = mac(version=version)
    state.nb_trans = 3
    answered(state, link_adr(7, nb_trans=0))
    assert state.nb_trans == nb_trans


def test_without_adr_the_mask_alone_is_taken():
    state = mac()
    state.adr = False
    assert answered(state, link_adr(1)) == [ALL_OK]
    assert (state.data_rate, state.tx_power, state.nb_trans, state.plan.mask) == (5, 0, 1, 1)


def test_a_data_rate_that_the_dwell_time_forbids_is_refused():
    state = mac("AS923")
    refused = {"channel_mask_ack": True, "data_rate_ack": False, "power_ack": True}
    assert answered(state, link_adr(3, data_rate=0)) == [("LinkADRAns", refused)]
    answered(state, req("TXParamSetupReq", downlink_dwell_400ms=0, uplink_dwell_400ms=0, max_eirp_dbm=16))
    assert answered(state, link_adr(3, data_rate=0)) == [ALL_OK]


def test_a_refusal_on_demand_changes_nothing():
    state = mac(misbehaviour=Misbehaviour(refuses=frozenset({"LinkADRReq"})))
    assert answered(state, link_adr(1)) == [("LinkADRAns", dict.fromkeys(BITS, False))]
    assert (state.data_rate, state.plan.mask) == (5, 0b111)
