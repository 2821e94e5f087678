"""Every request of the network: accepted, refused, ignored where it does not exist, and on demand."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan.phy import JoinAccept
from lns.lorawan.regions import REGIONS, region
from simulators.maccommands.answers import Answers
from simulators.maccommands.obey import obey
from simulators.maccommands.state import ForcedRejoin, MacState
from simulators.misbehaviour import Misbehaviour
from simulators.versions import VERSIONS
from tests.simulators.maccommands.states import answered, mac, named, req


class Case(msgspec.Struct, frozen=True):
    """A request, the bits that are 0 in its answer (None: no answer), and what the device has afterwards."""

    octets: bytes
    refused: set[str] | None
    after: dict
    region: str = "EU868"
    version: str = "1.1"


def rx_param(offset: int, dr: int, freq_hz: int) -> bytes:
    return req("RXParamSetupReq", rx1_dr_offset=offset, rx2_data_rate=dr, frequency_hz=freq_hz)


def new_channel(index: int, freq_hz: int, min_dr: int = 0, max_dr: int = 5) -> bytes:
    return req("NewChannelReq", ch_index=index, frequency_hz=freq_hz, max_dr=max_dr, min_dr=min_dr)


def dl_channel(index: int, freq_hz: int) -> bytes:
    return req("DlChannelReq", ch_index=index, frequency_hz=freq_hz)


def tx_param(down: int, up: int, eirp_dbm: int) -> bytes:
    return req("TXParamSetupReq", downlink_dwell_400ms=down, uplink_dwell_400ms=up, max_eirp_dbm=eirp_dbm)


def ping_channel(freq_hz: int, dr: int) -> bytes:
    return req("PingSlotChannelReq", frequency_hz=freq_hz, dr=dr)


RX = ("rx1_dr_offset", "rx2_dr", "rx2_freq_hz")
EU_RX = dict(zip(RX, (0, 0, 869_525_000), strict=True))
CASES = {
    "duty cycle": Case(req("DutyCycleReq", max_duty_cycle=4), set(), {"max_duty_cycle": 4}),
    "duty cycle 255 switches off": Case(
        req("DutyCycleReq", max_duty_cycle=255), set(), {"max_duty_cycle": 15, "is_off": True}, version="1.0.0"
    ),
    "duty cycle 255 is 15 later": Case(
        req("DutyCycleReq", max_duty_cycle=255), set(), {"max_duty_cycle": 15, "is_off": False}
    ),
    "dev status": Case(req("DevStatusReq"), set(), {}),
    "rx timing": Case(req("RXTimingSetupReq", delay=15), set(), {"rx1_delay_s": 15}),
    "rx timing 0 is 1 s": Case(req("RXTimingSetupReq", delay=0), set(), {"rx1_delay_s": 1}),
    "rx param": Case(rx_param(2, 3, 868_500_000), set(), dict(zip(RX, (2, 3, 868_500_000), strict=True))),
    "rx param offset": Case(rx_param(6, 3, 868_500_000), {"rx1_dr_offset_ack"}, EU_RX),
    "rx param data rate": Case(rx_param(2, 12, 868_500_000), {"rx2_data_rate_ack"}, EU_RX),
    "rx param frequency": Case(rx_param(2, 3, 900_000_000), {"channel_ack"}, EU_RX),
    "rx param fixed plan": Case(
        rx_param(1, 9, 923_900_000), set(), dict(zip(RX, (1, 9, 923_900_000), strict=True)), "US915"
    ),
    "rx param uplink frequency of a fixed plan": Case(
        rx_param(1, 9, 902_300_000), {"channel_ack"}, {"rx2_freq_hz": 923_300_000}, "US915"
    ),
    "rx param 200 Hz steps": Case(rx_param(0, 1, 1_201_500_000), set(), {"rx2_freq_hz": 2_403_000_000}, "ISM2400"),
    "new channel": Case(new_channel(3, 867_100_000), set(), {}),
    "new channel default": Case(new_channel(2, 867_100_000), {"channel_frequency_ok", "data_rate_range_ok"}, {}),
    "new channel beyond the last": Case(
        new_channel(16, 867_100_000), {"channel_frequency_ok", "data_rate_range_ok"}, {}
    ),
    "new channel frequency": Case(new_channel(3, 900_000_000), {"channel_frequency_ok"}, {}),
    "new channel data rates": Case(new_channel(3, 867_100_000, 5, 0), {"data_rate_range_ok"}, {}),
    "new channel in a fixed plan": Case(new_channel(3, 902_300_000), None, {}, "US915"),
    "dl channel": Case(dl_channel(1, 869_525_000), set(), {}),
    "dl channel unknown": Case(dl_channel(9, 869_525_000), {"uplink_frequency_exists"}, {}),
    "dl channel frequency": Case(dl_channel(1, 900_000_000), {"channel_frequency_ok"}, {}),
    "dl channel in a fixed plan": Case(dl_channel(1, 923_300_000), None, {}, "US915"),
    "tx param": Case(
        tx_param(0, 0, 14), set(), {"uplink_dwell": False, "downlink_dwell": False, "max_eirp_dbm": 14.0}, "AS923"
    ),
    "tx param where it does not exist": Case(tx_param(1, 1, 14), None, {"uplink_dwell": False}),
    "adr param": Case(
        req("ADRParamSetupReq", limit_exp=3, delay_exp=2), set(), {"adr_ack_limit": 8, "adr_ack_delay": 4}
    ),
    "rejoin param": Case(
        req("RejoinParamSetupReq", max_time_n=5, max_count_n=2), set(), {"rejoin_time_n": 5, "rejoin_count_n": 2}
    ),
    "force rejoin": Case(
        req("ForceRejoinReq", period=1, max_retries=2, rejoin_type=2, dr=3),
        None,
        {"forced_rejoin": ForcedRejoin(2, 3, 1, 2)},
    ),
    "force rejoin 1 is 0": Case(
        req("ForceRejoinReq", period=0, max_retries=0, rejoin_type=1, dr=0),
        None,
        {"forced_rejoin": ForcedRejoin(0, 0, 0, 0)},
    ),
    "ping slot channel": Case(
        ping_channel(868_300_000, 5), set(), {"ping_slot_freq_hz": 868_300_000, "ping_slot_dr": 5}
    ),
    "ping slot channel of the region": Case(ping_channel(0, 3), set(), {"ping_slot_freq_hz": 0}),
    "ping slot channel data rate": Case(ping_channel(868_300_000, 14), {"data_rate_ok"}, {"ping_slot_freq_hz": 0}),
    "ping slot channel frequency": Case(
        ping_channel(900_000_000, 3), {"channel_frequency_ok"}, {"ping_slot_freq_hz": 0}
    ),
    "beacon": Case(req("BeaconFreqReq", frequency_hz=868_300_000), set(), {"beacon_freq_hz": 868_300_000}),
    "beacon frequency": Case(
        req("BeaconFreqReq", frequency_hz=900_000_000), {"beacon_frequency_ok"}, {"beacon_freq_hz": 0}
    ),
    "unknown before 1.1": Case(
        req("ADRParamSetupReq", limit_exp=3, delay_exp=2), None, {"adr_ack_limit": 64}, version="1.0.4"
    ),
    "unknown before 1.0.2": Case(dl_channel(1, 869_525_000), None, {}, version="1.0.1"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_request(case):
    state = mac(case.region, case.version)
    answers = answered(state, case.octets)
    refused = {bit for _, fields in answers for bit, value in fields.items() if value is False}
    assert (refused if answers else None) == case.refused
    assert {name: getattr(state, name) for name in case.after} == case.after


REFUSABLE = {0x05: "RXParamSetupReq", 0x07: "NewChannelReq", 0x0A: "DlChannelReq", 0x11: "PingSlotChannelReq"}
REFUSABLE |= {0x13: "BeaconFreqReq"}
ANSWERED = [case for case in CASES.values() if case.refused is not None and case.octets[0] in REFUSABLE]


@pytest.mark.parametrize("case", ANSWERED, ids=lambda case: case.octets.hex())
def test_a_refusal_on_demand_has_every_bit_0_and_changes_nothing(case):
    refuses = frozenset(REFUSABLE.values())
    state, untouched = mac(case.region, case.version, Misbehaviour(refuses=refuses)), mac(case.region, case.version)
    answers = answered(state, case.octets)
    assert [any(fields.values()) for _, fields in answers] == [False]
    kept = (*RX, "ping_slot_freq_hz", "ping_slot_dr", "beacon_freq_hz")
    assert [getattr(state, name) for name in kept] == [getattr(untouched, name) for name in kept]
    assert (state.plan.channels, state.plan.rx1_freq_hz) == (untouched.plan.channels, {})


def test_a_refused_rejoin_time_leaves_the_count():
    state = mac(version="1.1", misbehaviour=Misbehaviour(refuses=frozenset({"RejoinParamSetupReq"})))
    octets = req("RejoinParamSetupReq", max_time_n=5, max_count_n=2)
    assert answered(state, octets) == [("RejoinParamSetupAns", {"time_ok": False})]
    assert (state.rejoin_time_n, state.rejoin_count_n) == (None, 2)


def test_what_is_ignored_on_demand_has_no_answer():
    state = mac(misbehaviour=Misbehaviour(ignores=frozenset({"RXTimingSetupReq"})))
    assert answered(state, req("RXTimingSetupReq", delay=5) + req("DevStatusReq")) == [
        ("DevStatusAns", {"battery": 200, "margin": 8})
    ]
    assert state.rx1_delay_s == 1


def test_a_lost_answer_is_applied_all_the_same():
    state = mac(misbehaviour=Misbehaviour(loses_answer_every=1))
    assert answered(state, req("RXTimingSetupReq", delay=5)) == []
    assert state.rx1_delay_s == 5


def test_a_channel_is_added_replaced_and_removed():
    state = mac()
    for freq_hz, count in ((867_100_000, 4), (867_300_000, 4), (0, 3)):
        answered(state, dl_channel(3, 869_525_000) + new_channel(3, freq_hz))
        assert len(state.plan.usable(5)) == count
        assert state.plan.rx1_freq_hz == {}, "NewChannelReq undoes DlChannelReq"


def test_what_follows_an_unknown_command_is_not_read():
    octets = req("DevStatusReq") + dl_channel(1, 869_525_000) + req("DevStatusReq")
    assert [name for name, _ in answered(mac(version="1.0.0"), octets)] == ["DevStatusAns"]
    assert [name for name, _ in answered(mac(version="1.0.2"), octets)] == [
        "DevStatusAns",
        "DlChannelAns",
        "DevStatusAns",
    ]


STICKY = {
    "1.0.0": "",
    "1.0.1": "RXParamSetupAns RXTimingSetupAns",
    "1.0.2": "RXParamSetupAns RXTimingSetupAns DlChannelAns",
    "1.0.3": "RXParamSetupAns RXTimingSetupAns DlChannelAns",
    "1.0.4": "RXParamSetupAns RXTimingSetupAns DlChannelAns TXParamSetupAns PingSlotChannelAns",
    "1.1": "RXParamSetupAns RXTimingSetupAns DlChannelAns",
}


@pytest.mark.parametrize(("version", "names"), STICKY.items())
def test_sticky_answers_by_version(version, names):
    state = mac("AS923", version)
    answers = Answers(state.version.sticky)
    octets = rx_param(0, 2, 923_200_000) + req("RXTimingSetupReq", delay=2)
    if version > "1.0.1":
        octets += dl_channel(1, 923_200_000) + tx_param(0, 0, 16)
    octets += new_channel(3, 923_600_000) + ping_channel(923_400_000, 3) + req("DevStatusReq")
    obey(state, octets, answers)
    answers.take(100)
    assert [name for name, _ in named(answers.take(100))] == names.split()


def test_answers_of_the_network_are_kept():
    state = mac()
    octets = req("LinkCheckAns", margin=20, gw_cnt=3) + req("DeviceTimeAns", gps_seconds=1_000_000_000, fraction_256=64)
    assert obey(state, octets, Answers()) == ("LinkCheckAns", "DeviceTimeAns")
    assert (state.link_check, state.gps_time_s) == ((20, 3), 1_000_000_000.25)


def test_reset_conf_restores_the_defaults_if_it_was_asked_for():
    state, answers = mac(version="1.1"), Answers()
    obey(state, req("RXTimingSetupReq", delay=5) + req("ResetConf", minor=1), answers)
    assert state.rx1_delay_s == 5
    answers.ask("ResetInd", "ResetConf", minor=1)
    obey(state, req("ResetConf", minor=1), answers)
    assert (state.rx1_delay_s, answers.asks_for("ResetConf")) == (1, False)


@pytest.mark.parametrize(("value", "letter"), [(0, "A"), (1, "A"), (2, "C")])
def test_device_mode_conf_sets_the_class(value, letter):
    state = mac(version="1.1")
    obey(state, req("DeviceModeConf", **{"class": value}), Answers())
    assert state.device_class == letter


def test_a_join_accept_sets_windows_and_channels_and_forgets_the_rest():
    state = mac()
    answered(state, new_channel(4, 867_700_000) + dl_channel(1, 869_525_000) + rx_param(1, 1, 868_100_000))
    cflist = region("EU868").cflist(extra_channels_hz=(867_100_000,))
    state.start(JoinAccept(1, "000000", "00000001", False, 2, 3, 0, cflist))
    assert (state.rx1_delay_s, state.rx1_dr_offset, state.rx2_dr, state.rx2_freq_hz) == (1, 2, 3, 869_525_000)
    assert [channel.freq_hz for channel in state.plan.usable(5)][3:] == [867_100_000]
    assert state.plan.rx1_freq_hz == {}


@pytest.mark.parametrize(("version", "on"), [("1.0.2", 72), ("1.0.3", 9)])
def test_masks_in_a_cflist_are_read_from_1_0_3_on(version, on):
    state = mac("US915", version)
    state.start(JoinAccept(1, "000000", "00000001", False, 0, 8, 1, region("US915").cflist(sub_band=2)))
    assert state.plan.mask.bit_count() == on


@given(st.binary(max_size=60), st.sampled_from(sorted(REGIONS)), st.sampled_from(sorted(VERSIONS)))
def test_any_octets_leave_a_state_that_can_send_and_listen(octets, name, version):
    state = mac(name, version)
    obey(state, octets, Answers())
    _can_send_and_listen(state)


def _can_send_and_listen(state: MacState) -> None:
    channels = state.plan.usable(state.data_rate)
    assert channels
    place = state.region
    place.downlink_modulation(state.rx2_dr)
    place.downlink_modulation(state.ping_slot_dr)
    freq_hz, dr = place.rx1(channels[0].freq_hz, state.data_rate, state.rx1_dr_offset, state.downlink_dwell)
    assert (freq_hz > 0, place.max_macpayload(dr, downlink=True) is not None) == (True, True)
    assert 1 <= state.rx1_delay_s <= 15
