import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan.crypto import DOWN, UP
from lns.lorawan.crypto11 import DataMic11, FOptsCipher
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.phy import DataFrame, build_data, parse
from tests.lorawan import vectors

AFTER = vectors.of("data", lorawan="1.1")
BEFORE = vectors.of("data_1_1_pre_errata")
KEYS = bytes(range(16)), bytes(range(16, 32))


def _frame(vector: dict) -> tuple[bytes, DataFrame, bytes]:
    octets = bytes.fromhex(vector["phy_payload"])
    frame = parse(octets)
    assert isinstance(frame, DataFrame)
    return octets[:-4], frame, dev_addr_le(frame.dev_addr)


def _mic(vector: dict) -> DataMic11:
    keys = vectors.keys(vector)
    return DataMic11(keys["FNwkSIntKey"], keys["SNwkSIntKey"])


@pytest.mark.parametrize("vector", [v for v in AFTER + BEFORE if v["direction"] == "up"], ids=vectors.name)
def test_mic_of_an_uplink(vector: dict) -> None:
    msg, frame, addr = _frame(vector)
    mic, fcnt = _mic(vector), vector["fcnt"]
    covered = vector["conf_fcnt"], vector["tx_dr"], vector["tx_ch"]
    assert mic.uplink(msg, addr, fcnt, *covered) == frame.mic
    assert mic.uplink(msg, addr, fcnt, *covered) == frame.mic  # the kept contexts are not used up
    assert mic.uplink_f(msg, addr, fcnt) == frame.mic[2:]
    assert mic.uplink(msg, addr, fcnt ^ 0x10000, *covered) != frame.mic


@pytest.mark.parametrize("vector", [v for v in AFTER + BEFORE if v["direction"] == "down"], ids=vectors.name)
def test_mic_of_a_downlink(vector: dict) -> None:
    msg, frame, addr = _frame(vector)
    mic, fcnt = _mic(vector), vector["fcnt"]
    assert mic.downlink(msg, addr, fcnt, vector["conf_fcnt"]) == frame.mic
    assert mic.downlink(msg, addr, fcnt, vector["conf_fcnt"] + 1) != frame.mic
    assert mic.downlink(msg, addr, fcnt ^ 0x10000, vector["conf_fcnt"]) != frame.mic


@pytest.mark.parametrize("vector", AFTER + BEFORE, ids=vectors.name)
def test_fopts_decrypt_and_encrypt(vector: dict) -> None:
    _, frame, addr = _frame(vector)
    cipher = FOptsCipher(vectors.keys(vector)["NwkSEncKey"])
    direction, afcnt = (UP, False) if frame.uplink else (DOWN, bool(frame.fport))
    form = vector["fcnt"], direction, afcnt, vector in BEFORE
    clear = bytes.fromhex(vector["fopts_plain"])
    assert cipher.apply(frame.fopts, addr, *form) == clear
    assert cipher.apply(clear, addr, *form) == frame.fopts


@pytest.mark.parametrize("vector", [v for v in AFTER if v["fopts_plain"]], ids=vectors.name)
def test_form_before_the_erratum_is_another_one(vector: dict) -> None:
    _, frame, addr = _frame(vector)
    cipher = FOptsCipher(vectors.keys(vector)["NwkSEncKey"])
    direction = UP if frame.uplink else DOWN
    clear = bytes.fromhex(vector["fopts_plain"])
    assert cipher.apply(frame.fopts, addr, vector["fcnt"], direction, False, before_erratum=True) != clear


@pytest.mark.parametrize("vector", [v for v in AFTER if v["fopts_plain"] and v["direction"] == "up"], ids=vectors.name)
def test_fopts_are_encrypted_before_the_mic_is_calculated(vector: dict) -> None:
    _, frame, addr = _frame(vector)
    fcnt, clear = vector["fcnt"], bytes.fromhex(vector["fopts_plain"])
    fopts = FOptsCipher(vectors.keys(vector)["NwkSEncKey"]).apply(clear, addr, fcnt, UP, afcnt=False)
    msg = build_data(frame.mtype, frame.dev_addr, frame.fctrl & 0xF0, fcnt, fopts, frame.fport, frame.frm_payload)
    mic = _mic(vector).uplink(msg, addr, fcnt, vector["conf_fcnt"], vector["tx_dr"], vector["tx_ch"])
    assert (msg + mic).hex() == vector["phy_payload"]


def _negative(field: str) -> dict:
    (vector,) = [v for v in vectors.of("negative", expect="mic_error") if field in v]
    return vector


@pytest.mark.parametrize("field", ["tx_dr", "tx_ch", "conf_fcnt"])
def test_mic_rejects_a_wrong_data_rate_channel_or_acknowledged_counter(field: str) -> None:
    vector = _negative(f"{field}_correct")
    msg, frame, addr = _frame(vector)
    covered = {"conf_fcnt": 0, "tx_dr": 0, "tx_ch": 0} | {
        name: vector[name] for name in ("conf_fcnt", "tx_dr", "tx_ch") if name in vector
    }
    wrong = _mic(vector).uplink(msg, addr, vector["fcnt"], **covered)
    assert (wrong[:2] != frame.mic[:2], wrong[2:] == frame.mic[2:]) == (True, True)
    right = covered | {field: vector[f"{field}_correct"]}
    assert _mic(vector).uplink(msg, addr, vector["fcnt"], **right) == frame.mic


def test_mic_of_1_1_is_not_that_of_1_0() -> None:
    vector = next(v for v in vectors.of("negative", expect="mic_error") if "1.0 MIC rule" in v["description"])
    msg, frame, addr = _frame(vector)
    assert _mic(vector).uplink_f(msg, addr, vector["fcnt"]) == frame.mic[2:]


@given(st.binary(min_size=11, max_size=40), st.integers(0, 2**32 - 1), st.integers(0, 0xFFFF), st.integers(0))
def test_mic_rejects_any_flipped_bit(msg: bytes, fcnt: int, conf_fcnt: int, flip: int) -> None:
    mic = DataMic11(*KEYS)
    bit = flip % (8 * len(msg))
    changed = (int.from_bytes(msg, "big") ^ 1 << bit).to_bytes(len(msg), "big")
    assert mic.uplink(changed, b"abcd", fcnt, conf_fcnt, 5, 7) != mic.uplink(msg, b"abcd", fcnt, conf_fcnt, 5, 7)
    assert mic.downlink(changed, b"abcd", fcnt, conf_fcnt) != mic.downlink(msg, b"abcd", fcnt, conf_fcnt)


@given(st.binary(max_size=15), st.integers(0, 2**32 - 1), st.sampled_from([UP, DOWN]), st.booleans(), st.booleans())
def test_fopts_of_any_length_decrypt_to_what_was_encrypted(
    fopts: bytes, fcnt: int, direction: int, afcnt: bool, before_erratum: bool
) -> None:
    cipher = FOptsCipher(KEYS[0])
    encrypted = cipher.apply(fopts, b"abcd", fcnt, direction, afcnt, before_erratum)
    assert cipher.apply(encrypted, b"abcd", fcnt, direction, afcnt, before_erratum) == fopts
