import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan.commands import encode_command
from lns.lorawan.crypto11 import DataMic11
from lns.lorawan.phy import ACK, MType, build_data, parse_uplink
from lns.mac.match import Kind, Match, match
from lns.mac.radio import Asked
from lns.mac.refusal import Reason, Refused
from tests.mac.build import DEV_ADDR, device, reception, session, session_1_1, uplink

OTHER_KEY = bytes(range(16, 32))


def judge(phy, *candidates):
    return match(parse_uplink(phy), phy, candidates, [reception(phy)])


@pytest.mark.parametrize(
    ("last", "fcnt"),
    [(-1, 0), (-1, 1), (5, 6), (5, 900), (0xFFFE, 0xFFFF), (0xFFFF, 0x10000), (0x1FFF0, 0x20005)],
)
def test_a_forward_counter_is_new_over_16_bit_rollover(last, fcnt):
    owner = session(fcnt_up=last)
    assert judge(uplink(fcnt), owner) == Match(owner, fcnt, Kind.NEW)


def test_the_last_counter_again_is_a_repetition():
    owner = session(fcnt_up=0x10005)
    assert judge(uplink(0x10005), owner) == Match(owner, 0x10005, Kind.REPEATED)


def test_a_flipped_bit_is_refused_with_the_candidates_named():
    owner = session(fcnt_up=1)
    phy = bytearray(uplink(2))
    phy[9] ^= 1
    refused = judge(bytes(phy), owner)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.dev_eui, refused.dev_addr) == (Reason.MIC_FAILED, owner.device.dev_eui, DEV_ADDR)


def test_of_many_devices_on_one_address_the_key_decides():
    sessions = [session(device(device_id=n), fcnt_up=n, nwk_s_key=bytes([n]) * 16) for n in range(1, 9)]
    assert judge(uplink(40, nwk_s_key=bytes([5]) * 16), *sessions) == Match(sessions[4], 40, Kind.NEW)


def test_a_counter_behind_is_a_replay_and_says_so():
    refused = judge(uplink(3), session(fcnt_up=9))
    assert refused == Refused(
        Reason.FCNT_NOT_ABOVE_LAST,
        "fcnt 3 is not above the last one 9: a replay, or the device reset its counter",
        DEV_ADDR,
        f"{1:016x}",
    )


def test_a_counter_behind_in_the_same_upper_half_is_a_replay():
    refused = judge(uplink(0x10003), session(fcnt_up=0x10009))
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.FCNT_NOT_ABOVE_LAST


def test_a_counter_reset_is_accepted_only_where_the_policy_allows():
    allowed, strict = session(fcnt_up=50_000), session(fcnt_up=50_000)
    allowed.device.fcnt_reset_allowed = True
    assert judge(uplink(0), allowed) == Match(allowed, 0, Kind.RESET)
    refused = judge(uplink(0), strict)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.FCNT_NOT_ABOVE_LAST


@pytest.mark.parametrize(
    ("version", "accepted"), [("1.0.0", False), ("1.0.2", False), ("1.0.3", False), ("1.0.4", True)]
)
def test_max_fcnt_gap_holds_before_1_0_4_only(version, accepted):
    # vector "FCnt gap above MAX_FCNT_GAP 16384 (LoRaWAN < 1.0.4 only): last 100, received 20000"
    owner = session(device(version), fcnt_up=100)
    found = judge(uplink(20_000), owner)
    assert (found == Match(owner, 20_000, Kind.NEW)) is accepted
    if isinstance(found, Refused):
        assert (found.reason, found.text) == (
            Reason.FCNT_GAP,
            "fcnt 20000 is 19900 above the last one, at most 16384",
        )


def test_a_disabled_device_is_refused_only_when_its_key_fits():
    owner = session(fcnt_up=1)
    owner.device.disabled = True
    refused = judge(uplink(2), owner)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.DEVICE_DISABLED


def test_an_exhausted_counter_is_never_reused():
    for low in (0, 0xFFFF_0000):  # both give the 16 bits 0 on air
        refused = judge(uplink(low), session(fcnt_up=0xFFFF_FFFF))
        assert isinstance(refused, Refused)
        assert refused.reason is Reason.FCNT_NOT_ABOVE_LAST
    foreign = judge(uplink(0, nwk_s_key=OTHER_KEY), session(fcnt_up=0xFFFF_FFFF))
    assert isinstance(foreign, Refused)
    assert foreign.reason is Reason.FCNT_EXHAUSTED


@given(last=st.integers(-1, 2**32 - 1), fcnt=st.integers(0, 2**32 - 1))
def test_no_accepted_counter_is_ever_below_the_last(last, fcnt):
    owner = session(device("1.0.4"), fcnt_up=last)
    found = judge(uplink(fcnt), owner)
    if isinstance(found, Match):
        assert found.fcnt == fcnt
        assert fcnt > last or (fcnt == last and found.kind is Kind.REPEATED)
    elif last < fcnt <= last + 0xFFFF:
        pytest.fail(f"fcnt {fcnt} after {last} was refused: {found}")


def signed_1_1(owner, fcnt, dr=5, channel=0, conf_fcnt=0, flags=0):
    message = build_data(MType.UNCONFIRMED_UP, DEV_ADDR, flags, fcnt, b"", 10, b"data")
    mic = DataMic11(owner.keys.f_nwk_s_int_key, owner.keys.s_nwk_s_int_key)
    return message + mic.uplink(message, owner.dev_addr_le, fcnt, conf_fcnt, dr, channel)


def test_a_1_1_mic_fits_the_channel_and_data_rate_it_was_heard_on():
    owner = session_1_1(fcnt_up=0x1_0000)
    assert judge(signed_1_1(owner, 0x1_0001), owner) == Match(owner, 0x1_0001, Kind.NEW)


def test_a_1_1_mic_fits_one_of_several_receptions():
    owner = session_1_1(fcnt_up=1)
    phy = signed_1_1(owner, 2, channel=1)
    heard = [reception(phy), reception(phy, freq_hz=868_300_000)]  # the first is a ghost image
    assert match(parse_uplink(phy), phy, [owner], heard) == Match(owner, 2, Kind.NEW)


@pytest.mark.parametrize(("dr", "channel", "conf_fcnt"), [(4, 0, 0), (5, 1, 0), (5, 0, 7)])
def test_a_1_1_mic_for_another_transmission_says_what_was_heard(dr, channel, conf_fcnt):
    owner = session_1_1(fcnt_up=1)
    refused = judge(signed_1_1(owner, 2, dr, channel, conf_fcnt), owner)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.MIC_OTHER_TRANSMISSION
    assert refused.text == (
        "half of the mic fits: the device signed another data rate, channel or acknowledgement than dr 5 on channel 0"
    )


def test_conf_fcnt_counts_only_in_a_frame_with_ack():
    owner = session_1_1(fcnt_up=1)
    owner.conf_fcnts_down, owner.afcnt_down = (0x1_0009,), 0x1_000A
    assert judge(signed_1_1(owner, 2), owner) == Match(owner, 2, Kind.NEW)
    assert judge(signed_1_1(owner, 2, conf_fcnt=9, flags=ACK), owner) == Match(owner, 2, Kind.NEW, acks=True)
    assert isinstance(judge(signed_1_1(owner, 2, conf_fcnt=10, flags=ACK), owner), Refused)


@pytest.mark.parametrize(("conf_fcnt", "acks"), [(12, True), (9, True), (8, False), (0, False)])
def test_the_attempt_that_was_heard_is_acknowledged_and_a_downlink_before_it_costs_no_uplink(conf_fcnt, acks):
    owner = session_1_1(fcnt_up=1)
    owner.conf_fcnts_down, owner.afcnt_down = (9, 12), 14
    assert judge(signed_1_1(owner, 2, conf_fcnt=conf_fcnt, flags=ACK), owner) == Match(owner, 2, Kind.NEW, acks)


def test_sessions_of_both_versions_share_an_address():
    old, new = session(device(device_id=1)), session_1_1(device("1.1", device_id=2))
    assert judge(uplink(3), new, old) == Match(old, 3, Kind.NEW)
    assert judge(signed_1_1(new, 3), old, new) == Match(new, 3, Kind.NEW)


def test_a_1_1_device_may_use_a_channel_before_its_answer_to_new_channel_req_is_heard():
    owner = session_1_1(fcnt_up=1)
    asked = encode_command("NewChannelReq", False, ch_index=3, frequency_hz=867_100_000, max_dr=5, min_dr=0)
    owner.known_radio().asked = {"new_channel": Asked(asked, 0, 1, 1)}
    phy = signed_1_1(owner, 2, channel=3)
    heard = [reception(phy, freq_hz=867_100_000)]
    assert match(parse_uplink(phy), phy, [owner], heard) == Match(owner, 2, Kind.NEW)
