from array import array

import pytest

from lns.lorawan.crypto import decrypt_join_accept, join_request_mic, session_keys_1_0
from lns.lorawan.joining import (
    JOIN,
    JoinContext,
    decrypt_join_accept_1_1,
    decrypt_join_accept_any,
    js_int_key,
    rejoin_mic,
    session_keys,
)
from lns.lorawan.phy import build_join_request, build_rejoin, parse_uplink
from lns.mac import join
from lns.mac.join import Grant
from lns.mac.refusal import Reason
from lns.mac.settings import MacSettings, RegionSettings
from tests.lorawan import vectors
from tests.mac.build import device

APP_KEY = bytes.fromhex("00112233445566778899aabbccddeeff")
JOIN_EUI = "70b3d57ed0000001"
SETTINGS = RegionSettings(rx1_delay_s=5, extra_channels_hz=(867_100_000, 867_300_000))


def joiner(version="1.0.3", nonces=None):
    made = device(version)
    made.app_key = APP_KEY
    made.nonces = array("H", nonces or [])
    return made


def request(dev_nonce, made, key=APP_KEY):
    message = build_join_request(JOIN_EUI, made.dev_eui, dev_nonce)
    phy = message + join_request_mic(key, message)
    return parse_uplink(phy), phy


@pytest.mark.parametrize(
    ("version", "used", "dev_nonce", "reason"),
    [
        ("1.0.0", [], 7, None),
        ("1.0.0", [9], 7, None),  # random: going down is normal
        ("1.0.3", [9, 7], 7, Reason.DEV_NONCE_REUSED),
        ("1.0.4", [], 0, None),
        ("1.0.4", [0], 1, None),
        ("1.0.4", [5], 5, Reason.DEV_NONCE_NOT_INCREASING),
        ("1.0.4", [5], 4, Reason.DEV_NONCE_NOT_INCREASING),
    ],
)
def test_dev_nonce_rules_by_version(version, used, dev_nonce, reason):
    made = joiner(version, used)
    refused = join.check(*request(dev_nonce, made), made)
    assert (refused.reason if refused else None) is reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: setattr(d, "disabled", True), Reason.DEVICE_DISABLED),
        (lambda d: setattr(d, "activation", "abp"), Reason.JOIN_NOT_ALLOWED),
        (lambda d: setattr(d, "app_key", None), Reason.JOIN_NOT_ALLOWED),
        (lambda d: setattr(d, "join_eui", "0000000000000002"), Reason.JOIN_EUI_MISMATCH),
        (lambda d: setattr(d, "app_key", bytes(16)), Reason.JOIN_MIC_FAILED),
        (lambda d: setattr(d, "join_nonce", 0xFFFFFF), Reason.JOIN_NONCES_EXHAUSTED),
    ],
)
def test_who_may_not_join(change, reason):
    made = joiner()
    change(made)
    refused = join.check(*request(1, made), made)
    assert refused is not None
    assert refused.reason is reason


def grant(settings=SETTINGS, freq_hz=868_100_000):
    return Grant("000013", "26010203", freq_hz, settings)


def test_the_device_finds_in_the_join_accept_what_the_network_keeps():
    made = joiner()
    made.join_nonce = 41
    frame, phy = request(99, made)
    assert join.check(frame, phy, made) is None
    joined = join.accept(frame, made, grant())
    accept = decrypt_join_accept(APP_KEY, joined.accept)
    assert (accept.join_nonce, accept.net_id, accept.dev_addr, accept.rx_delay) == (42, "000013", "26010203", 5)
    assert (accept.opt_neg, accept.rx1_dr_offset, accept.rx2_data_rate) == (False, 0, 0)
    assert accept.cflist is not None
    assert accept.cflist[:6] == (8_671_000).to_bytes(3, "little") + (8_673_000).to_bytes(3, "little")
    session = join.open_session(7, made, joined)
    assert (session.nwk_s_key, session.app_s_key) == session_keys_1_0(APP_KEY, 42, "000013", 99)
    assert (session.minor, session.rx1_delay_s, session.rx2_freq_hz) == (0, 5, 869_525_000)


def test_a_template_overrides_the_windows_of_its_region():
    made = joiner()
    made.settings = MacSettings(rx1_delay_s=3, rx1_dr_offset=2, rx2_dr=3)
    frame, _ = request(1, made)
    accept = decrypt_join_accept(APP_KEY, join.accept(frame, made, grant()).accept)
    assert (accept.rx_delay, accept.rx1_dr_offset, accept.rx2_data_rate) == (3, 2, 3)


# --- 1.1

NWK_KEY = bytes.fromhex("ffeeddccbbaa99887766554433221100")


def joiner_1_1():
    made = joiner("1.1")
    made.nwk_key, made.join_eui = NWK_KEY, JOIN_EUI
    return made


def joined_1_1():
    """A device in the session of its first join, and the session."""
    made = joiner_1_1()
    frame, phy = request(5, made, NWK_KEY)
    assert join.check(frame, phy, made) is None
    joined = join.accept(frame, made, grant())
    made.join_nonce, made.session = joined.join_nonce, join.open_session(7, made, joined)
    return made, joined


def test_a_1_1_join_derives_four_keys_and_is_signed_with_the_request():
    made, joined = joined_1_1()
    context = JoinContext(JOIN, JOIN_EUI, 5)
    accept = decrypt_join_accept_1_1(joined.accept, context, NWK_KEY, made.dev_eui)
    assert (accept.opt_neg, accept.join_nonce, joined.minor) == (True, 1, 1)
    assert joined.keys == session_keys(1, "000013", JOIN_EUI, 5, APP_KEY, NWK_KEY, True)


def test_a_1_1_device_signs_its_join_request_with_nwk_key():
    made = joiner_1_1()
    refused = join.check(*request(5, made, APP_KEY), made)
    assert refused is not None
    assert refused.text.endswith("does not fit the registered nwk_key")


def test_a_device_registered_as_1_0_with_its_nwk_key_as_app_key_gets_a_session_of_1_0():
    made = joiner()
    frame, _ = request(3, made)
    joined = join.accept(frame, made, grant())
    accept = decrypt_join_accept_any(joined.accept, JoinContext(JOIN, JOIN_EUI, 3), APP_KEY, made.dev_eui)
    assert (accept.opt_neg, joined.minor) == (False, 0)
    assert joined.keys == session_keys(1, "000013", JOIN_EUI, 3, APP_KEY, APP_KEY, False)


def rejoin(made, rejoin_type, rj_count, key, origin=None):
    message = build_rejoin(rejoin_type, origin or (JOIN_EUI if rejoin_type == 1 else "000013"), made.dev_eui, rj_count)
    phy = message + rejoin_mic(key, message)
    return parse_uplink(phy), phy


@pytest.mark.parametrize("rejoin_type", [0, 1, 2])
def test_a_rejoin_is_answered_under_the_join_servers_keys_with_its_count(rejoin_type):
    made, joined = joined_1_1()
    made.session.rx1_delay_s = 9
    key = js_int_key(NWK_KEY, made.dev_eui) if rejoin_type == 1 else joined.keys.s_nwk_s_int_key
    frame, phy = rejoin(made, rejoin_type, 0, key)
    assert join.check_rejoin(frame, phy, made, "000013") is None
    again = join.accept_rejoin(frame, made, grant())
    accept = decrypt_join_accept_1_1(again.accept, JoinContext(rejoin_type, JOIN_EUI, 0), NWK_KEY, made.dev_eui)
    assert again.keys == session_keys(2, "000013", JOIN_EUI, 0, APP_KEY, NWK_KEY, True)
    # type 2 keeps the radio as it is: no CFList, and the delay of the present session
    assert (accept.cflist is None, accept.rx_delay) == ((True, 9) if rejoin_type == 2 else (False, 5))


@pytest.mark.parametrize(
    ("rejoin_type", "rj_count", "key", "origin", "reason"),
    [
        (0, 7, "session", None, Reason.RJ_COUNT_NOT_ABOVE_LAST),
        (2, 7, "session", None, Reason.RJ_COUNT_NOT_ABOVE_LAST),
        (1, 3, "join", None, Reason.RJ_COUNT_NOT_ABOVE_LAST),
        (0, 8, "join", None, Reason.REJOIN_MIC_FAILED),
        (1, 4, "session", None, Reason.REJOIN_MIC_FAILED),
        (0, 8, "session", "000014", Reason.REJOIN_NOT_ALLOWED),
        (1, 4, "join", "0000000000000009", Reason.JOIN_EUI_MISMATCH),
    ],
)
def test_who_may_not_rejoin(rejoin_type, rj_count, key, origin, reason):
    made, joined = joined_1_1()
    made.rj_count0, made.rj_count1 = 7, 3
    keys = {"session": joined.keys.s_nwk_s_int_key, "join": js_int_key(NWK_KEY, made.dev_eui)}
    frame, phy = rejoin(made, rejoin_type, rj_count, keys[key], origin)
    refused = join.check_rejoin(frame, phy, made, "000013")
    assert refused is not None
    assert refused.reason is reason


def test_a_device_of_1_0_may_not_rejoin():
    made = joiner()
    refused = join.check_rejoin(*rejoin(made, 0, 1, APP_KEY), made, "000013")
    assert refused is not None
    assert refused.reason is Reason.REJOIN_NOT_ALLOWED


def test_the_recorded_replay_of_a_dev_nonce_is_refused():
    (vector,) = vectors.of("negative", expect="dev_nonce_replay")
    phy = bytes.fromhex(vector["phy_payload"])
    frame = parse_uplink(phy)
    made = joiner("1.0.4")
    made.dev_eui, made.app_key = frame.dev_eui, next(iter(vectors.keys(vector).values()))
    made.nonces = array("H", [frame.dev_nonce])
    refused = join.check(frame, phy, made)
    assert refused is not None
    assert refused.reason is Reason.DEV_NONCE_NOT_INCREASING
