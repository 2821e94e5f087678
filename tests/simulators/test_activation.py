"""Joins and rejoins of a device against the vectors of LoRaWAN 1.0.x and 1.1."""

import pytest

from lns.lorawan.crypto import encrypt_join_accept
from lns.lorawan.joining import (
    JOIN,
    JoinContext,
    SessionKeys,
    encrypt_join_accept_1_1,
    js_int_key,
    rejoin_mic,
)
from lns.lorawan.phy import JoinAccept, JoinRequest, RejoinRequest, parse
from simulators import identity
from simulators.activation import Activation, Granted
from simulators.identity import Identity
from simulators.session import Fault, Session
from simulators.session11 import Session11
from simulators.versions import VERSIONS
from tests.lorawan import vectors

WHO = identity.device(1, 0)
V1_1 = VERSIONS["1.1"]
KEYS = ("FNwkSIntKey", "SNwkSIntKey", "NwkSEncKey", "AppSKey")


def someone(dev_eui: str, join_eui: str, app_key: bytes, nwk_key: bytes) -> Identity:
    return Identity(dev_eui, join_eui, app_key, "", b"", b"", nwk_key)


ACCEPTS = vectors.of("join_accept", lorawan="1.1", valid=True)


@pytest.mark.parametrize("vector", ACCEPTS, ids=vectors.name)
def test_join_accept_gives_the_session_of_the_vector(vector):
    asked, roots = vector["request"], {name: bytes.fromhex(key) for name, key in vector["root_keys"].items()}
    who = someone(asked["dev_eui"], asked["join_eui"], roots.get("AppKey", b""), roots["NwkKey"])
    joining, nonce = Activation(who, V1_1), asked["dev_nonce_or_rjcount"]
    if vector["join_req_type"] == JOIN:
        joining.join_request(nonce)
    else:
        joining.rj_count0 = joining.rj_count1 = nonce
        old = SessionKeys(bytes(16), bytes(16), bytes(16), bytes(16))
        joining.rejoin_request(vector["join_req_type"], Session11("00000000", old))
    granted = joining.accept(bytes.fromhex(vector["phy_payload"]))
    assert isinstance(granted, Granted)
    assert granted.session.dev_addr == vector["dev_addr"]
    assert granted.keeps_radio is (vector["join_req_type"] == 2)
    wanted = {name: bytes.fromhex(key) for name, key in vector["session_keys"].items()}
    if isinstance(granted.session, Session11):
        assert granted.session.keys == SessionKeys(*[wanted[name] for name in KEYS])
    else:
        assert granted.session.nwk_s_key == wanted.get("NwkSKey", wanted.get("FNwkSIntKey"))


REJOINS = [
    v for v in vectors.of("rejoin_request", valid=True) if v["rejoin_type"] != 1
]  # of 1, the root key is not told


@pytest.mark.parametrize("vector", REJOINS, ids=vectors.name)
def test_rejoin_request_is_the_vector(vector):
    device = Activation(someone(vector["dev_eui"], "00" * 8, b"", bytes(16)), V1_1)
    device.rj_count0, device.net_id = vector["rj_count"], vector["net_id"]
    key = bytes.fromhex(vector["keys"]["SNwkSIntKey"])
    session = Session11("00000000", SessionKeys(bytes(16), key, bytes(16), bytes(16)))
    assert device.rejoin_request(vector["rejoin_type"], session).hex() == vector["phy_payload"]


def test_rejoin_request_1_names_the_join_server_and_is_signed_for_it():
    phy = joining().rejoin_request(1, Session11("00000000", SessionKeys(*[bytes(16)] * 4)))
    frame = parse(phy)
    assert frame == RejoinRequest(1, None, WHO.join_eui, WHO.dev_eui, 0, phy[-4:])
    assert rejoin_mic(js_int_key(WHO.nwk_key, WHO.dev_eui), phy[:-4]) == phy[-4:]


def accept(join_nonce: int, opt_neg: bool = True) -> JoinAccept:
    return JoinAccept(join_nonce, "000013", "26000001", opt_neg, 0, 0, 1, None)


def granted(device: Activation, join_nonce: int, opt_neg: bool = True, kind: int = JOIN, count: int = 5) -> object:
    context = JoinContext(kind, WHO.join_eui, count)
    return device.accept(encrypt_join_accept_1_1(accept(join_nonce, opt_neg), context, WHO.nwk_key, WHO.dev_eui))


def joining(version: str = "1.1", nonce: int = 5) -> Activation:
    made = Activation(WHO, VERSIONS[version])
    made.join_request(nonce)
    return made


def test_a_1_1_device_has_a_1_0_session_on_a_1_0_network():
    result = granted(joining(), 1, opt_neg=False)
    assert isinstance(result, Granted)
    assert isinstance(result.session, Session)
    assert (result.session.minor, result.keeps_radio) == (0, False)


def test_join_nonces_of_1_1_only_grow():
    device = joining()
    results = [granted(device, nonce) for nonce in (5, 5, 4, 6)]
    assert [isinstance(result, Granted) for result in results] == [True, False, False, True]
    assert results[1:3] == [Fault.REPEATED, Fault.REPEATED]


def test_join_nonces_of_1_0_only_differ():
    device = joining("1.0.3")
    results = [device.accept(encrypt_join_accept(WHO.app_key, accept(nonce, False))) for nonce in (5, 5, 4)]
    assert [isinstance(result, Granted) for result in results] == [True, False, True]


def test_rejoin_counter_0_starts_anew_with_a_session_and_counter_1_never():
    device = joining()
    first = granted(device, 1)
    assert isinstance(first, Granted)
    assert isinstance(first.session, Session11)
    for rejoin_type in (0, 2, 1, 1, 2):
        device.rejoin_request(rejoin_type, first.session)
    assert (device.rj_count0, device.rj_count1) == (3, 2)
    second = granted(device, 2, kind=2, count=2)
    assert isinstance(second, Granted)
    assert (device.rj_count0, device.rj_count1, second.keeps_radio) == (0, 2, True)


def test_a_rejoin_names_the_network_of_the_session():
    device = joining()
    first = granted(device, 1)
    assert isinstance(first, Granted)
    assert isinstance(first.session, Session11)
    frame = parse(device.rejoin_request(0, first.session))
    assert isinstance(frame, RejoinRequest)
    assert (frame.net_id, frame.dev_eui, frame.rj_count) == ("000013", WHO.dev_eui, 0)


def test_an_accept_for_another_request_is_refused():
    device = joining(nonce=6)
    assert granted(device, 1) is Fault.MIC


@pytest.mark.parametrize("name", ["1.0.4", "1.1"])
def test_the_join_request_is_signed_by_the_root_key_of_the_version(name):
    frame = parse(Activation(WHO, VERSIONS[name]).join_request(7))
    assert isinstance(frame, JoinRequest)
    other = parse(Activation(WHO, VERSIONS["1.0.3"]).join_request(7))
    assert isinstance(other, JoinRequest)
    assert (frame.mic == other.mic) is (name == "1.0.4")


def test_personalised_sessions_have_the_keys_of_the_version():
    old, new = (Activation(WHO, VERSIONS[name]).personalised() for name in ("1.0.3", "1.1"))
    assert isinstance(old, Session)
    assert isinstance(new, Session11)
    assert (old.dev_addr, old.nwk_s_key) == (WHO.dev_addr, WHO.nwk_s_key)
    assert new.keys == SessionKeys(WHO.f_nwk_s_int_key, WHO.s_nwk_s_int_key, WHO.nwk_s_enc_key, WHO.app_s_key)
