"""The 1.1 session of a device against the vectors, in both directions and in both forms of the FOpts erratum."""

import pytest

from lns.lorawan.crypto import DOWN, UP
from lns.lorawan.joining import SessionKeys
from lns.lorawan.phy import ACK, ADR, ADR_ACK_REQ, CLASS_B, DataFrame, build_data, parse
from simulators.session import Fault
from simulators.session11 import Session11
from tests.lorawan import vectors

_FLAGS = {"adr": ADR, "adr_ack_req": ADR_ACK_REQ, "ack": ACK, "class_b": CLASS_B}
NORMAL = [v for v in vectors.of("data", lorawan="1.1", valid=True) if v["fport"] != 226 and len(v["keys"]) == 4]
EARLY = vectors.of("data_1_1_pre_errata")


def keys(vector: dict) -> SessionKeys:
    values = vectors.keys(vector)
    return SessionKeys(*[values[name] for name in ("FNwkSIntKey", "SNwkSIntKey", "NwkSEncKey", "AppSKey")])


def session(vector: dict) -> Session11:
    return Session11(vector["dev_addr"], keys(vector), before_erratum=vector["kind"] != "data")


@pytest.mark.parametrize("vector", [v for v in NORMAL + EARLY if v["direction"] == "up"], ids=vectors.name)
def test_uplink_is_the_vector(vector):
    sender, fcnt, fport = session(vector), vector["fcnt"], vector["fport"]
    flags = sum(_FLAGS[name] for name, value in vector.get("fctrl", {}).items() if name in _FLAGS and value)
    fopts = sender.conceal(bytes.fromhex(vector["fopts_plain"]), fcnt)
    assert fopts.hex() == vector["fopts_wire"]
    payload = sender.crypt(fport, bytes.fromhex(vector["frm_payload"] or ""), fcnt, UP)
    mtype = 4 if vector["mtype"] == "confirmed_up" else 2
    message = build_data(mtype, vector["dev_addr"], flags, fcnt, fopts, fport, payload)
    sender.compose(message, fcnt, vector["conf_fcnt"])
    assert sender.sign(vector["tx_dr"], vector["tx_ch"]).hex() == vector["phy_payload"]


@pytest.mark.parametrize("vector", [v for v in NORMAL + EARLY if v["direction"] == "down"], ids=vectors.name)
def test_downlink_of_the_vector_is_authentic_and_read(vector):
    listener, phy = session(vector), bytes.fromhex(vector["phy_payload"])
    frame = parse(phy)
    assert isinstance(frame, DataFrame)
    listener.compose(b"\x80", vector["conf_fcnt"], 0)  # the confirmed uplink that an ACK is for
    before = vector["fcnt"] - 1
    listener.fcnt_down = listener.afcnt_down = before
    assert listener.take_downlink(phy, frame.fcnt16) == vector["fcnt"]
    counters = (vector["fcnt"], before) if not frame.fport else (before, vector["fcnt"])
    assert (listener.fcnt_down, listener.afcnt_down) == counters
    assert listener.clear_fopts(frame.fopts, vector["fcnt"], frame.fport).hex() == vector["fopts_plain"]
    payload = listener.crypt(frame.fport, frame.frm_payload, vector["fcnt"], DOWN)
    assert payload.hex() == (vector["frm_payload"] or "")


KEYS = SessionKeys(b"f" * 16, b"s" * 16, b"e" * 16, b"a" * 16)


def composed(fcnt: int = 7) -> Session11:
    made = Session11("01020304", KEYS)
    made.compose(build_data(2, "01020304", 0, fcnt, b"", 1, b"x"), fcnt, 0)
    return made


def test_the_mic_differs_with_data_rate_and_channel_in_its_first_half_only():
    sender = composed()
    micless, mics = {phy[:-4] for phy in _sent(sender)}, {phy[-4:-2] for phy in _sent(sender)}
    assert (len(micless), len(mics), len({phy[-2:] for phy in _sent(sender)})) == (1, 3, 1)


def _sent(sender: Session11) -> list[bytes]:
    return [sender.sign(5, 0), sender.sign(5, 1), sender.sign(4, 0)]


def test_an_ack_for_another_uplink_is_not_authentic():
    vector = next(v for v in NORMAL if v["direction"] == "down" and v["fctrl"]["ack"])
    listener, phy = session(vector), bytes.fromhex(vector["phy_payload"])
    listener.fcnt_down = listener.afcnt_down = vector["fcnt"] - 1
    listener.compose(b"\x80", vector["conf_fcnt"] ^ 1, 0)
    assert listener.take_downlink(phy, vector["fcnt"] & 0xFFFF) is Fault.MIC


def test_counters_start_anew_after_a_reset():
    sender = composed()
    sender.fcnt_up, sender.fcnt_down, sender.afcnt_down = 9, 8, 7
    sender.reset_counters()
    assert (sender.fcnt_up, sender.fcnt_down, sender.afcnt_down) == (0, -1, -1)
