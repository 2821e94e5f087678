import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan.crypto import decrypt_join_accept, encrypt_join_accept
from lns.lorawan.errors import FrameError
from lns.lorawan.joining import (
    JOIN,
    JoinContext,
    SessionKeys,
    decrypt_join_accept_1_1,
    decrypt_join_accept_any,
    encrypt_join_accept_1_1,
    js_enc_key,
    js_int_key,
    rejoin_mic,
    session_keys,
)
from lns.lorawan.phy import JoinAccept
from tests.lorawan import vectors

ACCEPTS = vectors.of("join_accept", lorawan="1.1")
NWK_KEY, APP_KEY = bytes(range(16)), bytes(range(16, 32))
DEV_EUI, JOIN_EUI = "70b3d57ed0000001", "70b3d57ed0000002"
ACCEPT = JoinAccept(1, "000013", "26011f22", False, 0, 0, 1, None)


def _accept(vector: dict) -> JoinAccept:
    settings = vector["dl_settings"]
    return JoinAccept(
        vector["join_nonce"],
        vector["home_net_id"],
        vector["dev_addr"],
        settings["opt_neg"],
        settings["rx1_dr_offset"],
        settings["rx2_data_rate"],
        vector["rx_delay"],
        bytes.fromhex(vector["cflist"]["raw"]) if vector["cflist"] else None,
    )


def _context(vector: dict) -> JoinContext:
    request = vector["request"]
    return JoinContext(vector["join_req_type"], request["join_eui"], request["dev_nonce_or_rjcount"])


def _roots(vector: dict) -> dict[str, bytes]:
    return {name: bytes.fromhex(key) for name, key in vector["root_keys"].items()}


@pytest.mark.parametrize("vector", ACCEPTS, ids=vectors.name)
def test_join_accept_encrypts_and_decrypts(vector: dict) -> None:
    octets, dev_eui = bytes.fromhex(vector["phy_payload"]), vector["request"]["dev_eui"]
    nwk_key = _roots(vector)["NwkKey"]
    assert encrypt_join_accept_1_1(_accept(vector), _context(vector), nwk_key, dev_eui) == octets
    assert decrypt_join_accept_1_1(octets, _context(vector), nwk_key, dev_eui) == _accept(vector)
    assert decrypt_join_accept_any(octets, _context(vector), nwk_key, dev_eui) == _accept(vector)


@pytest.mark.parametrize("vector", ACCEPTS, ids=vectors.name)
def test_session_keys_follow_from_the_join(vector: dict) -> None:
    roots, request = _roots(vector), vector["request"]
    keys = session_keys(
        vector["join_nonce"],
        vector["home_net_id"],
        request["join_eui"],
        request["dev_nonce_or_rjcount"],
        roots["AppKey"],
        roots["NwkKey"],
        opt_neg=True,
    )
    assert {
        "FNwkSIntKey": keys.f_nwk_s_int_key.hex(),
        "SNwkSIntKey": keys.s_nwk_s_int_key.hex(),
        "NwkSEncKey": keys.nwk_s_enc_key.hex(),
        "AppSKey": keys.app_s_key.hex(),
    } == vector["session_keys"]


@pytest.mark.parametrize("vector", ACCEPTS, ids=vectors.name)
def test_join_server_keys_follow_from_the_dev_eui(vector: dict) -> None:
    nwk_key, dev_eui = _roots(vector)["NwkKey"], vector["request"]["dev_eui"]
    assert {
        "JSIntKey": js_int_key(nwk_key, dev_eui).hex(),
        "JSEncKey": js_enc_key(nwk_key, dev_eui).hex(),
    } == vector["js_keys"]


@pytest.mark.parametrize("vector", vectors.of("join_accept", lorawan="1.0.x"), ids=vectors.name)
@pytest.mark.parametrize("as_nwk_key", [False, True], ids=["1.0 device", "1.1 device"])
def test_session_without_opt_neg_has_one_network_key(vector: dict, as_nwk_key: bool) -> None:
    root = _roots(vector)["AppKey"]
    app_key, nwk_key = (bytes(16), root) if as_nwk_key else (root, None)
    keys = session_keys(
        vector["join_nonce"],
        vector["home_net_id"],
        vector["request"]["join_eui"],
        vector["request"]["dev_nonce_or_rjcount"],
        app_key,
        nwk_key,
        opt_neg=False,
    )
    nwk_s_key = bytes.fromhex(vector["session_keys"]["NwkSKey"])
    assert keys == SessionKeys(nwk_s_key, nwk_s_key, nwk_s_key, bytes.fromhex(vector["session_keys"]["AppSKey"]))


def test_session_of_1_1_needs_the_network_root_key() -> None:
    with pytest.raises(ValueError) as caught:
        session_keys(1, "000013", JOIN_EUI, 1, APP_KEY, None, opt_neg=True)
    assert str(caught.value) == "opt_neg is set, but there is no nwk_key to derive 1.1 session keys from"


@pytest.mark.parametrize("vector", vectors.of("join_accept", lorawan="1.0.x"), ids=vectors.name)
def test_1_1_device_reads_the_join_accept_of_a_1_0_network_by_opt_neg(vector: dict) -> None:
    octets, nwk_key = bytes.fromhex(vector["phy_payload"]), _roots(vector)["AppKey"]
    dev_eui = vector["request"]["dev_eui"]
    assert decrypt_join_accept_any(octets, _context(vector), nwk_key, dev_eui) == _accept(vector)
    assert encrypt_join_accept_1_1(_accept(vector), _context(vector), nwk_key, dev_eui) == octets
    with pytest.raises(FrameError) as caught:
        decrypt_join_accept_1_1(octets, _context(vector), nwk_key, dev_eui)
    assert (caught.value.reason, str(caught.value)) == ("mic", "the mic of the join-accept is that of 1.0")


@pytest.mark.parametrize("vector", ACCEPTS, ids=vectors.name)
def test_join_accept_for_another_request_is_refused(vector: dict) -> None:
    octets, nwk_key = bytes.fromhex(vector["phy_payload"]), _roots(vector)["NwkKey"]
    right, dev_eui = _context(vector), vector["request"]["dev_eui"]
    wrong = [
        (JoinContext(right.join_req_type, right.join_eui, right.dev_nonce ^ 1), nwk_key, dev_eui),
        (JoinContext(right.join_req_type, JOIN_EUI, right.dev_nonce), nwk_key, dev_eui),
        (JoinContext(3, right.join_eui, right.dev_nonce), nwk_key, dev_eui),
        (right, NWK_KEY, dev_eui),
        (right, nwk_key, DEV_EUI),
    ]
    for context, key, eui in wrong:
        with pytest.raises(FrameError) as caught:
            decrypt_join_accept_any(octets, context, key, eui)
        assert (caught.value.reason, str(caught.value)) == ("mic", "the mic of the join-accept is wrong")


def test_join_accept_of_a_1_0_network_is_the_same_from_both_encryptions() -> None:
    context = JoinContext(JOIN, JOIN_EUI, 5)
    octets = encrypt_join_accept_1_1(ACCEPT, context, NWK_KEY, DEV_EUI)
    assert octets == encrypt_join_accept(NWK_KEY, ACCEPT)
    assert decrypt_join_accept(NWK_KEY, octets) == ACCEPT


@pytest.mark.parametrize("vector", vectors.of("rejoin_request"), ids=vectors.name)
def test_mic_of_a_rejoin_request(vector: dict) -> None:
    octets = bytes.fromhex(vector["phy_payload"])
    (key,) = vectors.keys(vector).values()
    assert rejoin_mic(key, octets[:-4]) == octets[-4:]
    assert rejoin_mic(NWK_KEY, octets[:-4]) != octets[-4:]


@given(
    st.builds(
        JoinAccept,
        st.integers(0, 2**24 - 1),
        st.just("000013"),
        st.just("26011f22"),
        st.booleans(),
        st.integers(0, 7),
        st.integers(0, 15),
        st.integers(0, 15),
        st.none() | st.binary(min_size=16, max_size=16),
    ),
    st.sampled_from([JOIN, 0, 1, 2]),
    st.integers(0, 0xFFFF),
)
def test_any_join_accept_reads_as_it_was_sent(accept: JoinAccept, join_req_type: int, nonce: int) -> None:
    context = JoinContext(join_req_type, JOIN_EUI, nonce)
    octets = encrypt_join_accept_1_1(accept, context, NWK_KEY, DEV_EUI)
    assert decrypt_join_accept_any(octets, context, NWK_KEY, DEV_EUI) == accept
