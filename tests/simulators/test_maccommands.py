"""What a device answers to MAC commands, and for how long."""

import pytest

from lns.lorawan.commands import encode_command, parse_commands
from lns.lorawan.phy import JoinAccept
from lns.lorawan.regions import region
from simulators.channels import ChannelPlan
from simulators.maccommands import Answers, MacState


def mac(name: str = "EU868") -> MacState:
    return MacState(ChannelPlan(region(name)), 5 if name == "EU868" else 3)


def answered(state: MacState, octets: bytes) -> list[tuple[str, dict[str, object]]]:
    answers = Answers()
    state.handle(octets, answers)
    return [(command.name, command.fields) for command in parse_commands(answers.take(15), uplink=True)[0]]


def req(name: str, **fields: int) -> bytes:
    return encode_command(name, uplink=False, **fields)


LINK_ADR = req("LinkADRReq", data_rate=3, tx_power=2, ch_mask=5, ch_mask_cntl=0, nb_trans=2)
ALL_OK = {"channel_mask_ack": True, "data_rate_ack": True, "power_ack": True}


def test_link_adr_is_applied_and_acknowledged():
    state = mac()
    assert answered(state, LINK_ADR) == [("LinkADRAns", ALL_OK)]
    assert (state.data_rate, state.tx_power, state.nb_trans, state.plan.mask) == (3, 2, 2, 0b101)


def test_a_block_of_link_adr_has_one_answer_each_and_all_the_same():
    bad = req("LinkADRReq", data_rate=3, tx_power=2, ch_mask=0x100, ch_mask_cntl=0, nb_trans=1)
    state = mac()
    no = ("LinkADRAns", {"channel_mask_ack": False, "data_rate_ack": True, "power_ack": True})
    assert answered(state, bad + LINK_ADR) == [no, no]
    assert (state.data_rate, state.plan.mask) == (5, 0b111)


def test_dev_status_tells_battery_and_margin():
    assert answered(mac(), req("DevStatusReq")) == [("DevStatusAns", {"battery": 200, "margin": 8})]


def test_duty_cycle():
    state = mac()
    assert answered(state, req("DutyCycleReq", max_duty_cycle=4)) == [("DutyCycleAns", {})]
    assert state.max_duty_cycle == 4


@pytest.mark.parametrize(("delay", "seconds"), [(0, 1), (1, 1), (15, 15)])
def test_rx_timing(delay, seconds):
    state = mac()
    assert answered(state, req("RXTimingSetupReq", delay=delay)) == [("RXTimingSetupAns", {})]
    assert state.rx1_delay_s == seconds


@pytest.mark.parametrize(
    ("name", "offset", "dr", "freq_hz", "bits", "after"),
    [
        ("EU868", 2, 3, 868_500_000, (True, True, True), (2, 3, 868_500_000)),
        ("EU868", 6, 3, 868_500_000, (True, True, False), (0, 0, 869_525_000)),
        ("EU868", 2, 12, 868_500_000, (True, False, True), (0, 0, 869_525_000)),
        ("EU868", 2, 3, 900_000_000, (False, True, True), (0, 0, 869_525_000)),
        ("US915", 1, 9, 923_900_000, (True, True, True), (1, 9, 923_900_000)),
        ("US915", 1, 9, 902_300_000, (False, True, True), (0, 8, 923_300_000)),
    ],
)
def test_rx_param_setup_is_applied_when_all_of_it_is_possible(name, offset, dr, freq_hz, bits, after):
    state = mac(name)
    octets = req("RXParamSetupReq", rx1_dr_offset=offset, rx2_data_rate=dr, frequency_hz=freq_hz)
    names = ("channel_ack", "rx2_data_rate_ack", "rx1_dr_offset_ack")
    assert answered(state, octets) == [("RXParamSetupAns", dict(zip(names, bits, strict=True)))]
    assert (state.rx1_dr_offset, state.rx2_dr, state.rx2_freq_hz) == after


def test_new_channel_and_dl_channel_are_answered_by_a_dynamic_plan_only():
    octets = req("NewChannelReq", ch_index=3, frequency_hz=867_100_000, max_dr=5, min_dr=0)
    octets += req("DlChannelReq", ch_index=3, frequency_hz=869_525_000)
    state = mac()
    assert answered(state, octets) == [
        ("NewChannelAns", {"channel_frequency_ok": True, "data_rate_range_ok": True}),
        ("DlChannelAns", {"channel_frequency_ok": True, "uplink_frequency_exists": True}),
    ]
    assert state.plan.rx1_freq_hz == {3: 869_525_000}
    assert answered(mac("US915"), octets) == []


def test_dl_channel_of_an_unknown_channel_is_refused():
    octets = req("DlChannelReq", ch_index=9, frequency_hz=869_525_000)
    assert answered(mac(), octets) == [
        ("DlChannelAns", {"channel_frequency_ok": True, "uplink_frequency_exists": False})
    ]


def test_tx_param_setup_is_ignored_where_it_does_not_exist():
    assert answered(mac(), req("TXParamSetupReq", downlink_dwell_400ms=1, uplink_dwell_400ms=1, max_eirp_dbm=16)) == []


def test_answers_of_the_network_are_kept():
    state = mac()
    octets = req("LinkCheckAns", margin=20, gw_cnt=3) + req("DeviceTimeAns", gps_seconds=1_000_000_000, fraction_256=64)
    assert state.handle(octets, Answers()) == ("LinkCheckAns", "DeviceTimeAns")
    assert (state.link_check, state.gps_time_s) == ((20, 3), 1_000_000_000.25)


def test_a_join_accept_sets_the_windows():
    state = mac()
    cflist = region("EU868").cflist(extra_channels_hz=(867_100_000,))
    state.start(JoinAccept(1, "000000", "00000001", False, 2, 3, 0, cflist))
    assert (state.rx1_delay_s, state.rx1_dr_offset, state.rx2_dr, len(state.plan.usable(5))) == (1, 2, 3, 4)


def test_sticky_answers_stay_until_a_downlink_is_heard():
    answers = Answers()
    mac().handle(req("DevStatusReq") + req("RXTimingSetupReq", delay=2), answers)
    assert answers.take(15) == bytes.fromhex("06c808" + "08")
    assert answers.take(15) == bytes.fromhex("08")
    answers.heard()
    assert not answers


def test_answers_that_do_not_fit_are_left_out_whole():
    answers = Answers()
    for _ in range(4):
        mac().handle(req("DevStatusReq"), answers)
    assert answers.take(10) == bytes.fromhex("06c808") * 3
