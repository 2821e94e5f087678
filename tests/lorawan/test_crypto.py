import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan.crypto import (
    DOWN,
    UP,
    DataMic,
    PayloadCipher,
    decrypt_join_accept,
    encrypt_join_accept,
    join_request_mic,
    session_keys_1_0,
)
from lns.lorawan.errors import FrameError
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.phy import DataFrame, JoinAccept, build_data, parse
from tests.lorawan import vectors

DATA_1_0 = vectors.of("data", lorawan="1.0.x")
DATA_1_1 = vectors.of("data", lorawan="1.1") + vectors.of("data_1_1_pre_errata")
_DIRECTIONS = {"up": UP, "down": DOWN}


def _frame(vector: dict) -> tuple[bytes, DataFrame]:
    octets = bytes.fromhex(vector["phy_payload"])
    frame = parse(octets)
    assert isinstance(frame, DataFrame)
    return octets, frame


@pytest.mark.parametrize("vector", DATA_1_0, ids=vectors.name)
def test_mic_of_a_data_frame(vector: dict) -> None:
    octets, frame = _frame(vector)
    mic = DataMic(vectors.keys(vector)["NwkSKey"])
    addr, direction = dev_addr_le(frame.dev_addr), _DIRECTIONS[vector["direction"]]
    assert mic.mic(octets[:-4], addr, vector["fcnt"], direction) == frame.mic
    assert mic.mic(octets[:-4], addr, vector["fcnt"], direction) == frame.mic  # the kept context is not used up
    assert mic.mic(octets[:-4], addr, vector["fcnt"], 1 - direction) != frame.mic
    assert mic.mic(octets[:-4], addr, vector["fcnt"] ^ 0x10000, direction) != frame.mic


@pytest.mark.parametrize("vector", DATA_1_0 + DATA_1_1, ids=vectors.name)
def test_payload_decrypts_and_encrypts(vector: dict) -> None:
    _, frame = _frame(vector)
    keys = vectors.keys(vector)
    network_key = keys.get("NwkSKey") or keys.get("NwkSEncKey", b"")
    cipher = PayloadCipher(network_key if frame.fport == 0 else keys["AppSKey"])
    addr, direction = dev_addr_le(frame.dev_addr), _DIRECTIONS[vector["direction"]]
    clear = bytes.fromhex(vector["frm_payload"])
    assert cipher.apply(frame.frm_payload, addr, vector["fcnt"], direction) == clear
    assert cipher.apply(clear, addr, vector["fcnt"], direction) == frame.frm_payload


@pytest.mark.parametrize("vector", DATA_1_0, ids=vectors.name)
def test_data_frame_is_built_byte_for_byte_from_clear_fields(vector: dict) -> None:
    octets, frame = _frame(vector)
    keys = vectors.keys(vector)
    addr, direction = dev_addr_le(vector["dev_addr"]), _DIRECTIONS[vector["direction"]]
    key = keys["NwkSKey"] if vector["fport"] == 0 else keys["AppSKey"]
    payload = PayloadCipher(key).apply(bytes.fromhex(vector["frm_payload"]), addr, vector["fcnt"], direction)
    msg = build_data(
        frame.mtype,
        vector["dev_addr"],
        frame.fctrl & 0xF0,
        vector["fcnt"],
        bytes.fromhex(vector["fopts_plain"]),
        vector["fport"],
        payload,
    )
    assert msg + DataMic(keys["NwkSKey"]).mic(msg, addr, vector["fcnt"], direction) == octets


@pytest.mark.parametrize("vector", vectors.of("multicast_frame"), ids=vectors.name)
def test_multicast_downlink_uses_the_1_0_rules(vector: dict) -> None:
    octets, frame = _frame(vector)
    keys = vectors.keys(vector)
    addr = dev_addr_le(vector["McAddr"])
    assert DataMic(keys["McNwkSKey"]).mic(octets[:-4], addr, vector["fcnt"], DOWN) == frame.mic
    clear = PayloadCipher(keys["McAppSKey"]).apply(frame.frm_payload, addr, vector["fcnt"], DOWN)
    assert (frame.dev_addr, frame.fport, clear.hex()) == (vector["McAddr"], vector["fport"], vector["frm_payload"])


@pytest.mark.parametrize("vector", vectors.of("relay_forward_uplink"), ids=vectors.name)
def test_relayed_uplink_decrypts_with_the_network_key(vector: dict) -> None:
    octets, frame = _frame(vector)
    key = vectors.keys(vector)["NwkSKey"]
    addr = dev_addr_le(vector["relay_dev_addr"])
    assert DataMic(key).mic(octets[:-4], addr, vector["fcnt"], UP) == frame.mic
    clear = PayloadCipher(key).apply(frame.frm_payload, addr, vector["fcnt"], UP)
    assert (frame.fport, clear.hex()) == (226, vector["forward_payload"])


@pytest.mark.parametrize(
    "vector", [v for v in vectors.of("negative", expect="mic_error") if "AppKey" not in v["keys"]], ids=vectors.name
)
def test_mic_rejects_a_frame_that_was_changed_or_has_another_key_or_counter(vector: dict) -> None:
    octets, frame = _frame(vector)
    keys = vectors.keys(vector)
    addr, fcnt = dev_addr_le(frame.dev_addr), vector.get("fcnt", vector.get("fcnt_tried"))
    mic = DataMic(keys.get("NwkSKey") or keys["FNwkSIntKey"])
    assert mic.mic(octets[:-4], addr, fcnt, UP) != frame.mic
    if "fcnt_correct" in vector:
        assert mic.mic(octets[:-4], addr, vector["fcnt_correct"], UP) == frame.mic


@given(st.binary(min_size=11, max_size=40), st.integers(0, 2**32 - 1), st.integers(0), st.sampled_from([UP, DOWN]))
def test_mic_rejects_any_flipped_bit(msg: bytes, fcnt: int, flip: int, direction: int) -> None:
    mic = DataMic(bytes(range(16)))
    bit = flip % (8 * len(msg))
    changed = (int.from_bytes(msg, "big") ^ 1 << bit).to_bytes(len(msg), "big")
    assert mic.mic(changed, b"abcd", fcnt, direction) != mic.mic(msg, b"abcd", fcnt, direction)


@given(st.binary(max_size=250), st.integers(0, 2**32 - 1), st.sampled_from([UP, DOWN]))
def test_payload_of_any_length_decrypts_to_what_was_encrypted(payload: bytes, fcnt: int, direction: int) -> None:
    cipher = PayloadCipher(bytes(range(16)))
    encrypted = cipher.apply(payload, b"abcd", fcnt, direction)
    assert len(encrypted) == len(payload)
    assert cipher.apply(encrypted, b"abcd", fcnt, direction) == payload


@pytest.mark.parametrize("vector", vectors.of("join_request"), ids=vectors.name)
def test_mic_of_a_join_request(vector: dict) -> None:
    octets = bytes.fromhex(vector["phy_payload"])
    assert join_request_mic(vectors.keys(vector)["AppKey_or_NwkKey"], octets[:-4]) == octets[-4:]


def test_mic_rejects_a_changed_join_request() -> None:
    (vector,) = [v for v in vectors.of("negative", expect="mic_error") if "AppKey" in v["keys"]]
    octets = bytes.fromhex(vector["phy_payload"])
    assert join_request_mic(vectors.keys(vector)["AppKey"], octets[:-4]) != octets[-4:]


def _accept(vector: dict) -> JoinAccept:
    settings = vector["dl_settings"]
    return JoinAccept(
        join_nonce=vector["join_nonce"],
        net_id=vector["home_net_id"],
        dev_addr=vector["dev_addr"],
        opt_neg=settings["opt_neg"],
        rx1_dr_offset=settings["rx1_dr_offset"],
        rx2_data_rate=settings["rx2_data_rate"],
        rx_delay=vector["rx_delay"],
        cflist=bytes.fromhex(vector["cflist"]["raw"]) if vector["cflist"] else None,
    )


@pytest.mark.parametrize("vector", vectors.of("join_accept", lorawan="1.0.x"), ids=vectors.name)
def test_join_accept_encrypts_and_decrypts(vector: dict) -> None:
    app_key = bytes.fromhex(vector["root_keys"]["AppKey"])
    octets = bytes.fromhex(vector["phy_payload"])
    assert encrypt_join_accept(app_key, _accept(vector)) == octets
    assert decrypt_join_accept(app_key, octets) == _accept(vector)


@pytest.mark.parametrize("vector", vectors.of("join_accept", lorawan="1.0.x"), ids=vectors.name)
def test_session_keys_follow_from_the_join(vector: dict) -> None:
    app_key = bytes.fromhex(vector["root_keys"]["AppKey"])
    nwk_s_key, app_s_key = session_keys_1_0(
        app_key, vector["join_nonce"], vector["home_net_id"], vector["request"]["dev_nonce_or_rjcount"]
    )
    assert {"NwkSKey": nwk_s_key.hex(), "AppSKey": app_s_key.hex()} == vector["session_keys"]


@pytest.mark.parametrize("vector", vectors.of("join_accept", lorawan="1.1"), ids=vectors.name)
def test_join_accept_of_1_1_fails_the_1_0_mic(vector: dict) -> None:
    for key in vector["root_keys"].values():
        with pytest.raises(FrameError) as caught:
            decrypt_join_accept(bytes.fromhex(key), bytes.fromhex(vector["phy_payload"]))
        assert (caught.value.reason, str(caught.value)) == ("mic", "the mic of the join-accept is wrong")


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        (bytes(17), "join-accept starts with 00, 20 is needed"),
        (b"\x20" + bytes(17), "join-accept is 18 octets, 17 or 33 are needed"),
        (b"", "join-accept is 0 octets, 17 or 33 are needed"),
    ],
)
def test_octets_that_are_no_join_accept_are_refused(octets: bytes, message: str) -> None:
    with pytest.raises(FrameError) as caught:
        decrypt_join_accept(bytes(16), octets)
    assert (caught.value.reason, str(caught.value)) == ("malformed", message)
