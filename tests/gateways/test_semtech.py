"""Every vector, then what the vectors leave open. Origin of the octets: `verified_by` and `emitter` in the file."""

import json
from typing import Any

import msgspec
import pytest

from lns.gateways import semtech
from lns.gateways.rxpk import GatewayStat
from lns.gateways.semtech import Bad, PullAck, PullData, PullResp, PushAck, PushData, TxAck
from lns.lorawan.modulation import Fsk, LrFhss
from lns.mac.frames import Transmission, TxOutcome
from tests.gateways import vectors
from tests.gateways.packets import EUI, HEADER, HEARD


def name_of(vector: dict[str, Any]) -> str:
    return str(vector["id"])


# --- vectors


@pytest.mark.parametrize("vector", [v for v in vectors.VECTORS if "expect_reply" in v], ids=name_of)
def test_the_reply_is_the_expected_datagram(vector: dict[str, Any]) -> None:
    datagram = bytes.fromhex(vector["hex"])
    answer = semtech.reply(semtech.parse(datagram, 0))
    assert (answer.hex() if answer else None) == vector["expect_reply"]


@pytest.mark.parametrize("vector", vectors.of("push_data"), ids=name_of)
def test_push_data_is_read_whole(vector: dict[str, Any]) -> None:
    message = semtech.parse(bytes.fromhex(vector["hex"]), 7)
    assert isinstance(message, PushData)
    expected = vector["decoded"]
    assert (message.version, message.token.hex(), message.gateway_eui) == (
        vector["protocol_version"],
        vector["token"],
        vector["gateway_eui"],
    )
    assert [vectors.reception_in_vector_names(r) for r in message.receptions] == [
        rxpk for rxpk in expected["rxpk"] if rxpk["crc"] == "crc_ok"
    ]
    crc = {"crc_bad": "crc_bad", "no_crc": "crc_none"}
    assert message.problems == [crc[rxpk["crc"]] for rxpk in expected["rxpk"] if rxpk["crc"] != "crc_ok"]
    stat = (
        None if message.stat is None else {k: v for k, v in msgspec.to_builtins(message.stat).items() if v is not None}
    )
    assert stat == expected["stat"]


@pytest.mark.parametrize("vector", vectors.of("push_data_other"), ids=name_of)
def test_push_data_of_other_forwarders_is_read(vector: dict[str, Any]) -> None:
    message = semtech.parse(bytes.fromhex(vector["hex"]), 7)
    assert isinstance(message, PushData)
    # unpadded base64 is the one form that takes the tolerant path; neither path finds a fault
    assert message.problems == []
    expected = vector["decoded"]
    assert len(message.receptions) == len(expected.get("rxpk", []))
    for reception, rxpk in zip(message.receptions, expected.get("rxpk", []), strict=True):
        named = vectors.reception_in_vector_names(reception)
        assert {name: named.get(name) for name in rxpk if name != "antennas"} == {
            name: value for name, value in rxpk.items() if name != "antennas"
        }
    stat = msgspec.to_builtins(message.stat) or {}
    for name, value in (expected.get("stat") or {}).items():
        assert stat[name] == value


@pytest.mark.parametrize(
    "vector", [v for v in vectors.of("push_data_other") if "antennas" in str(v["decoded"])], ids=name_of
)
def test_the_antenna_with_the_best_snr_speaks_for_the_packet(vector: dict[str, Any]) -> None:
    message = semtech.parse(bytes.fromhex(vector["hex"]), 7)
    assert isinstance(message, PushData)
    best = max(vector["decoded"]["rxpk"][0]["antennas"], key=lambda antenna: antenna["lsnr"])
    (heard,) = message.receptions
    assert (heard.antenna, heard.chan, heard.rssi_dbm, heard.snr_db, heard.rssis_dbm, heard.freq_offset_hz) == (
        best["ant"],
        best["chan"],
        best["rssic"],
        best["lsnr"],
        best["rssis"],
        best["foff"],
    )


@pytest.mark.parametrize("vector", vectors.of("pull_data"), ids=name_of)
def test_pull_data_is_read(vector: dict[str, Any]) -> None:
    assert semtech.parse(bytes.fromhex(vector["hex"]), 7) == PullData(
        vector["protocol_version"], bytes.fromhex(vector["token"]), vector["gateway_eui"]
    )


@pytest.mark.parametrize("vector", vectors.of("tx_ack"), ids=name_of)
def test_tx_ack_is_read(vector: dict[str, Any]) -> None:
    message = semtech.parse(bytes.fromhex(vector["hex"]), 7)
    said = vector["decoded"]
    value = None if said.get("value") is None else float(said["value"])
    outcome = TxOutcome(said["accepted"], said.get("error"), said.get("warn"), value)
    assert message == TxAck(2, bytes.fromhex(vector["token"]), vector["gateway_eui"], outcome)


@pytest.mark.parametrize("vector", vectors.of("push_ack") + vectors.of("pull_ack"), ids=name_of)
def test_a_gateway_reads_acknowledgements(vector: dict[str, Any]) -> None:
    kind = PushAck if vector["type"] == "PUSH_ACK" else PullAck
    assert semtech.parse_server(bytes.fromhex(vector["hex"])) == kind(
        vector["protocol_version"], bytes.fromhex(vector["token"])
    )


@pytest.mark.parametrize("vector", vectors.of("pull_resp"), ids=name_of)
def test_a_gateway_treats_pull_resp_as_the_forwarder_does(vector: dict[str, Any]) -> None:
    gps_locked = "with GPS" in vector["name"] and "unlocked" not in vector["name"] and "disabled" not in vector["name"]
    message = semtech.parse_server(bytes.fromhex(vector["hex"]))
    assert _forwarder_result(message, gps_locked) == vector["forwarder_result"]
    if vector["decoded"] is None:
        return
    assert isinstance(message, PullResp)
    assert message.txpk is not None
    expected = {name: value for name, value in vector["decoded"].items() if name != "class"}
    if "tmms" in vector["name"]:
        # the vector's counter value comes from the gateway's own GPS reference
        expected["count_us"] = None
        assert message.txpk.gps_time_ms == json.loads(vector["json_text"])["txpk"]["tmms"]
    assert vectors.txpk_in_vector_names(message.txpk) == expected


def _forwarder_result(message: semtech.FromServer, gps_locked: bool) -> str:
    if message == Bad("too_big"):
        return "too_big"
    assert isinstance(message, PullResp)
    if message.txpk is None:
        return "ignored"
    return "txack_gps_unlocked" if message.txpk.gps_time_ms is not None and not gps_locked else "accepted"


@pytest.mark.parametrize(
    "vector",
    [v for v in vectors.of("pull_resp") if v["forwarder_result"] == "accepted" and "tmms" not in v["json_text"]],
    ids=name_of,
)
def test_our_pull_resp_is_accepted_with_the_same_meaning(vector: dict[str, Any]) -> None:
    theirs = semtech.parse_server(bytes.fromhex(vector["hex"]))
    assert isinstance(theirs, PullResp)
    assert theirs.txpk is not None
    ours = Transmission(
        theirs.txpk.phy_payload,
        EUI,
        theirs.txpk.freq_hz,
        theirs.txpk.modulation,
        theirs.txpk.power_dbm,
        theirs.txpk.tmst_us,
        rf_chain=theirs.txpk.rf_chain,
        invert_polarity=theirs.txpk.invert_polarity,
    )
    datagram = semtech.build_pull_resp(theirs.version, theirs.token, ours)
    assert len(datagram) <= 999
    read = semtech.parse_server(datagram)
    fsk = isinstance(theirs.txpk.modulation, Fsk)
    txpk = msgspec.structs.replace(theirs.txpk, no_crc=not fsk, no_header=False, preamble_symbols=5 if fsk else 8)
    assert read == PullResp(theirs.version, theirs.token, txpk, None)


# --- header


def test_the_reason_of_a_datagram_that_is_none_of_the_protocols() -> None:
    body = bytes.fromhex(EUI) + b"{}"
    for datagram, reason in (
        (b"", "short"),
        (b"\x02\xa0\x7a\x00" + body[:7], "short"),
        (b"\x03\xa0\x7a\x00" + body, "version"),
        (b"\x02\xa0\x7a\x06" + body, "type"),
        (b"\x02\xa0\x7a\x01", "direction"),
        (HEADER + b" \t\r\n\0", "blank"),
        (HEADER + b"\xef\xbb\xbf", "blank"),
    ):
        assert semtech.parse(datagram, 0) == Bad(reason)


def test_a_gateway_gives_the_reason_of_a_datagram_that_is_none_of_the_protocols() -> None:
    for datagram, reason in (
        (b"\x02\xa0\x7a", "short"),
        (b"\x03\xa0\x7a\x01", "version"),
        (b"\x02\xa0\x7a\x00", "direction"),
        (b"\x02\xa0\x7a\x06", "type"),
    ):
        assert semtech.parse_server(datagram) == Bad(reason)


@pytest.mark.parametrize("vector", [v for v in vectors.VECTORS if "expect_reply" in v], ids=name_of)
def test_the_sender_is_known_from_the_header_alone(vector: dict[str, Any]) -> None:
    datagram = bytes.fromhex(vector["hex"])
    message = semtech.parse(datagram, 0)
    eui = semtech.sender(datagram)
    if isinstance(message, Bad) and message.reason != "blank":
        assert eui is None
    else:
        assert eui == datagram[4:12]


def test_the_header_alone_tells_the_acknowledgement() -> None:
    assert semtech.acknowledgement(HEADER) == bytes.fromhex("02a07a01")
    assert semtech.acknowledgement(bytes.fromhex("01598902") + bytes.fromhex(EUI)) == bytes.fromhex("01598904")
    assert semtech.acknowledgement(bytes.fromhex("02598905") + bytes.fromhex(EUI)) is None


# --- the gateway's side


def test_what_a_gateway_builds_is_read_back() -> None:
    receptions = [
        HEARD,
        msgspec.structs.replace(HEARD, modulation=Fsk(50_000), snr_db=None, tmst_us=2**32 - 1, fine_time_ns=5),
        msgspec.structs.replace(HEARD, modulation=LrFhss(336_000, "2/3", 8), chan=3, rf_chain=1, gps_time_ms=12),
        msgspec.structs.replace(HEARD, modulation=LrFhss(137_000, "1/3"), rssis_dbm=-60.0, freq_offset_hz=-12),
    ]
    datagram = semtech.build_push_data(
        b"\1\2", EUI, [semtech.rxpk_of(reception) for reception in receptions], {"rxnb": 4}, version=1
    )
    assert semtech.parse(datagram, 7) == PushData(1, b"\1\2", EUI, receptions, GatewayStat(rxnb=4), [])
    assert semtech.parse(semtech.build_push_data(b"\1\2", EUI, []), 7) == PushData(2, b"\1\2", EUI, [], None, [])
    assert semtech.parse(semtech.build_pull_data(b"\3\4", EUI, version=1), 7) == PullData(1, b"\3\4", EUI)


def test_a_tx_ack_is_read_back() -> None:
    for outcome in (TxOutcome(True), TxOutcome(False, "TOO_LATE"), TxOutcome(True, warn="TX_POWER", value=20.0)):
        datagram = semtech.build_tx_ack(b"\3\4", EUI, outcome)
        assert semtech.parse(datagram, 7) == TxAck(2, b"\3\4", EUI, outcome)
    assert len(semtech.build_tx_ack(b"\3\4", EUI, TxOutcome(True))) == 12
