from array import array

import pytest

from lns.lorawan.crypto import decrypt_join_accept, join_request_mic, session_keys_1_0
from lns.lorawan.phy import build_join_request, parse_uplink
from lns.mac import join
from lns.mac.join import JoinSettings
from lns.mac.refusal import Reason
from tests.mac.build import device

APP_KEY = bytes.fromhex("00112233445566778899aabbccddeeff")
JOIN_EUI = "70b3d57ed0000001"
SETTINGS = JoinSettings("000013", 5, extra_channels_hz=(867_100_000, 867_300_000))


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


def test_the_device_finds_in_the_join_accept_what_the_network_keeps():
    made = joiner()
    made.join_nonce = 41
    frame, phy = request(99, made)
    assert join.check(frame, phy, made) is None
    joined = join.accept(frame, made, "26010203", SETTINGS)
    accept = decrypt_join_accept(APP_KEY, joined.accept)
    assert (accept.join_nonce, accept.net_id, accept.dev_addr, accept.rx_delay) == (42, "000013", "26010203", 5)
    assert (accept.opt_neg, accept.rx1_dr_offset, accept.rx2_data_rate) == (False, 0, 0)
    assert accept.cflist is not None
    assert accept.cflist[:6] == (8_671_000).to_bytes(3, "little") + (8_673_000).to_bytes(3, "little")
    assert (joined.nwk_s_key, joined.app_s_key) == session_keys_1_0(APP_KEY, 42, "000013", 99)
    assert (joined.dev_nonce, joined.join_nonce, joined.rx1_delay_s) == (99, 42, 5)
