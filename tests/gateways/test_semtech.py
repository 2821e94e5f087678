"""Every vector, then what the vectors leave open. Origin of the octets: `verified_by` and `emitter` in the file."""

import json
from typing import Any

import msgspec
import pytest

from lns.gateways import semtech
from lns.gateways.rxpk import GatewayStat
from lns.gateways.semtech import Bad, PullAck, PullData, PullResp, PushAck, PushData, TxAck
from lns.lorawan.modulation import Fsk, Lora, LrFhss
from lns.mac.frames import Reception, Transmission, TxOutcome
from tests.gateways import vectors

EUI = "ce0513ae8d021d81"
HEADER = bytes.fromhex("02a07a00" + EUI)

CUT_HZ = 512_000_014
"""A frequency that is 1 Hz lower when `1e6 * freq` is cut to an integer instead of rounded."""

by_name = {"ids": lambda vector: vector["id"]}


def push(body: str | bytes) -> PushData:
    message = semtech.parse(HEADER + (body if isinstance(body, bytes) else body.encode()), 7)
    assert isinstance(message, PushData)
    return message


# --- vectors


@pytest.mark.parametrize("vector", [v for v in vectors.VECTORS if "expect_reply" in v], **by_name)
def test_the_reply_is_the_expected_datagram(vector: dict[str, Any]) -> None:
    datagram = bytes.fromhex(vector["hex"])
    answer = semtech.reply(semtech.parse(datagram, 0))
    assert (answer.hex() if answer else None) == vector["expect_reply"]


@pytest.mark.parametrize("vector", vectors.of("push_data"), **by_name)
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


@pytest.mark.parametrize("vector", vectors.of("push_data_other"), **by_name)
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
    "vector", [v for v in vectors.of("push_data_other") if "antennas" in str(v["decoded"])], **by_name
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


@pytest.mark.parametrize("vector", vectors.of("pull_data"), **by_name)
def test_pull_data_is_read(vector: dict[str, Any]) -> None:
    assert semtech.parse(bytes.fromhex(vector["hex"]), 7) == PullData(
        vector["protocol_version"], bytes.fromhex(vector["token"]), vector["gateway_eui"]
    )


@pytest.mark.parametrize("vector", vectors.of("tx_ack"), **by_name)
def test_tx_ack_is_read(vector: dict[str, Any]) -> None:
    message = semtech.parse(bytes.fromhex(vector["hex"]), 7)
    said = vector["decoded"]
    value = None if said.get("value") is None else float(said["value"])
    outcome = TxOutcome(said["accepted"], said.get("error"), said.get("warn"), value)
    assert message == TxAck(2, bytes.fromhex(vector["token"]), vector["gateway_eui"], outcome)


@pytest.mark.parametrize("vector", vectors.of("push_ack") + vectors.of("pull_ack"), **by_name)
def test_a_gateway_reads_acknowledgements(vector: dict[str, Any]) -> None:
    kind = PushAck if vector["type"] == "PUSH_ACK" else PullAck
    assert semtech.parse_server(bytes.fromhex(vector["hex"])) == kind(
        vector["protocol_version"], bytes.fromhex(vector["token"])
    )


@pytest.mark.parametrize("vector", vectors.of("pull_resp"), **by_name)
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
    "vector", [v for v in vectors.of("pull_resp") if v["forwarder_result"] == "accepted"], **by_name
)
def test_our_pull_resp_is_accepted_with_the_same_meaning(vector: dict[str, Any]) -> None:
    theirs = semtech.parse_server(bytes.fromhex(vector["hex"]))
    assert isinstance(theirs, PullResp)
    assert theirs.txpk is not None
    if theirs.txpk.gps_time_ms is not None:
        pytest.skip("downlinks at a GPS time belong to class B")
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


@pytest.mark.parametrize("vector", [v for v in vectors.VECTORS if "expect_reply" in v], **by_name)
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


# --- rxpk

GOOD = {
    "tmst": 5,
    "freq": 868.1,
    "modu": "LORA",
    "datr": "SF7BW125",
    "codr": "4/5",
    "stat": 1,
    "rssi": -50,
    "lsnr": 7.5,
    "size": 3,
    "data": "AAEC",
}
HEARD = Reception(b"\0\1\2", EUI, 868_100_000, Lora(7, 125_000), -50.0, 7.5, 5, 7)


def rxpk(**changes: Any) -> str:
    """GOOD with changes; None leaves a field out."""
    return json.dumps({name: value for name, value in (GOOD | changes).items() if value is not None})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"data": None}, "bad_data"),
        ({"data": 5}, "bad_data"),
        ({"data": "@@@@"}, "bad_data"),
        ({"data": "AAEC=A"}, "bad_data"),
        ({"data": "", "size": 0}, "bad_data"),
        ({"data": "A" * 344, "size": 258}, "bad_data"),
        ({"freq": None}, "bad_freq"),
        ({"freq": 0}, "bad_freq"),
        ({"freq": 1e-7}, "bad_freq"),
        ({"freq": 1e12}, "bad_freq"),
        ({"freq": "868.1"}, "bad_freq"),
        ({"modu": None}, "bad_modu"),
        ({"modu": "WIFI"}, "bad_modu"),
        ({"modu": ["LORA"]}, "bad_modu"),
        ({"datr": None}, "bad_datr"),
        ({"datr": "SF99BW1"}, "bad_datr"),
        ({"datr": 50000}, "bad_datr"),
        ({"datr": 5.5}, "bad_datr"),
        ({"modu": "FSK"}, "bad_datr"),
        ({"modu": "FSK", "datr": 0}, "bad_datr"),
        ({"modu": "LR-FHSS"}, "bad_datr"),
        ({"modu": "LR-FHSS", "datr": 137}, "bad_datr"),
        ({"modu": "LR-FHSS", "datr": "M0CW137"}, "bad_codr"),
        ({"codr": None}, "bad_codr"),
        ({"codr": "OFF"}, "bad_codr"),
        ({"codr": 5}, "bad_codr"),
        ({"tmst": -5}, "bad_tmst"),
        ({"tmst": 2**32}, "bad_tmst"),
        ({"tmst": "5"}, "bad_tmst"),
        ({"tmst": 5.5}, "bad_tmst"),
        ({"size": 30}, "bad_size"),
        ({"stat": -1}, "crc_bad"),
        ({"stat": 0}, "crc_none"),
    ],
)
def test_a_bad_rxpk_is_named_and_costs_only_itself(changes: dict[str, Any], problem: str) -> None:
    message = push(f'{{"rxpk":[{rxpk()},{rxpk(**changes)},{rxpk()}],"stat":{{"rxnb":3}}}}')
    assert message.receptions == [HEARD, HEARD]
    assert message.problems == [problem]
    assert message.stat == GatewayStat(rxnb=3)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stat", 7),
        ("stat", "1"),
        ("size", "3"),
        ("chan", -1),
        ("chan", "2"),
        ("rfch", 1.5),
        ("ant", 70_000),
        ("brd", {}),
        ("rssis", "-40"),
        ("foff", 10**12),
        ("time", "2014-01-12 08:59:28 GMT"),
        ("time", "2024-02-29T23:59:59"),
        ("tmms", 10**30),
        ("ftime", 10**9),
        ("hpw", []),
        ("rsig", {"ant": 1}),
        ("rsig", [5]),
    ],
)
def test_an_odd_field_is_named_and_costs_only_itself(field: str, value: Any) -> None:
    message = push(f'{{"rxpk":[{rxpk(**{field: value})}]}}')
    assert (message.receptions, message.problems) == ([HEARD], [f"odd_{field}"])


def test_an_odd_signal_report_is_left_out() -> None:
    message = push(f'{{"rxpk":[{rxpk(rssi="loud", lsnr="good")}]}}')
    assert message.receptions == [msgspec.structs.replace(HEARD, rssi_dbm=None, snr_db=None)]
    assert message.problems == ["odd_rssi", "odd_lsnr"]


def test_an_odd_field_of_one_antenna_costs_nothing_else() -> None:
    antennas = [{"ant": 0, "lsnr": -5}, {"ant": 1, "rssic": -44, "lsnr": 9.25, "foff": "?", "ftime": 11}, "third"]
    message = push(f'{{"rxpk":[{rxpk(rsig=antennas)}]}}')
    assert message.receptions == [
        msgspec.structs.replace(HEARD, antenna=1, rssi_dbm=-44.0, snr_db=9.25, fine_time_ns=11)
    ]
    assert message.problems == ["odd_foff", "odd_rsig"]


def test_antennas_without_snr_are_told_apart_by_rssi() -> None:
    message = push(f'{{"rxpk":[{rxpk(rsig=[{"ant": 0}, {"ant": 1, "rssic": -70}, {"ant": 2, "rssic": -90}])}]}}')
    assert [reception.antenna for reception in message.receptions] == [1]


def test_whole_numbers_may_be_written_with_a_fraction() -> None:
    message = push(f'{{"rxpk":[{rxpk(tmst=5.0, stat=1.0, size=3.0)}]}}')
    assert (message.receptions, message.problems) == ([HEARD], [])


def test_a_packet_without_counter_is_heard() -> None:
    message = push(f'{{"rxpk":[{rxpk(tmst=None)}]}}')
    assert message.receptions == [msgspec.structs.replace(HEARD, tmst_us=None)]


def test_frequencies_are_rounded_not_cut() -> None:
    message = push(f'{{"rxpk":[{rxpk(freq=CUT_HZ / 1e6)}]}}')
    assert message.receptions[0].freq_hz == CUT_HZ
    assert int(1e6 * (CUT_HZ / 1e6)) == CUT_HZ - 1


def test_each_modulation_is_one_object() -> None:
    first, second = push(f'{{"rxpk":[{rxpk()},{rxpk()}]}}').receptions
    assert first.modulation is second.modulation


def test_nanoseconds_are_rounded_to_the_next_second() -> None:
    message = push(f'{{"rxpk":[{rxpk(time="2024-02-29T23:59:59.999999999Z")}]}}')
    assert message.receptions[0].gateway_time_us == 1_709_251_200_000_000


# --- bodies that are not sound as a whole


@pytest.mark.parametrize(
    ("body", "receptions", "problems"),
    [
        ('{"rxpk":[R]}\0', 1, []),
        ('\ufeff{"rxpk":[R]}\r\n', 1, []),
        ("[1,2,3]", 0, ["bad_json"]),
        ("null", 0, ["bad_json"]),
        ("hello world", 0, ["bad_json"]),
        ('{"rxpk":{"tmst":1}}', 0, ["bad_rxpk"]),
        ('{"rxpk":[1,2]}', 0, ["bad_rxpk", "bad_rxpk"]),
        ('{"rxpk":[R,null,R]}', 2, ["bad_rxpk"]),
        ('{"rxpk":[R]}{"stat":{}}', 1, ["bad_json"]),
        # cut off in the third packet
        ('{"rxpk":[R,R,{"tmst":1,"freq":868', 2, ["bad_json"]),
        # what C prints for an undefined status and for nan
        ('{"rxpk":[R,{"stat":?,"tmst":1}]}', 1, ["bad_json", "bad_data"]),
        ('{"rxpk":[R,{"tmst":1,"freq":NaN}]}', 1, ["bad_json", "bad_data"]),
        # the forwarder's undefined data rate has a quote too many
        (
            '{"rxpk":[R,{"datr":"SF?BW?"","stat":1,"data":"AA=="},R],"stat":{"a":{}}}',
            2,
            ["bad_json", "bad_rxpk", "bad_status"],
        ),
        # objects outside the list are no packets
        ('{"rxpk":[R],"x":[R],,}', 1, ["bad_json"]),
        ('{"x":[R],,}', 0, ["bad_json"]),
        # antennas are not packets
        ('{"rxpk":[{"rsig":[{"ant":1},{"ant":2}],"tmst":1},R],,}', 1, ["bad_json", "bad_data"]),
    ],
)
def test_what_can_be_read_of_a_broken_body_is_read(body: str, receptions: int, problems: list[str]) -> None:
    message = push(body.replace("R", rxpk()))
    assert (message.receptions, message.problems) == ([HEARD] * receptions, problems)


def test_a_bare_nan_costs_only_its_field() -> None:
    for word in ("nan", "-nan", "NaN", "inf", "-Infinity", "?"):
        message = push(f'{{"rxpk":[{rxpk()[:-1]},"rssis":{word} }},{rxpk()}]}}')
        assert (message.receptions, message.problems) == ([HEARD, HEARD], ["bad_json"])


def test_octets_that_are_no_utf_8_cost_only_their_field() -> None:
    packet = rxpk(time="2024").encode().replace(b"2024", b"\xff\xfe")
    message = push(b'{"rxpk":[' + packet + b"," + rxpk().encode() + b'],"stat":{"rxnb":1,"desc":"D\xfcne"}}')
    assert (message.receptions, message.problems) == ([HEARD, HEARD], ["odd_time", "odd_status"])
    assert message.stat == GatewayStat(rxnb=1, desc="D�ne")


def test_a_status_that_was_cut_keeps_what_is_whole() -> None:
    vector = next(v for v in vectors.VECTORS if "truncated, so the JSON is invalid" in v["name"])
    message = semtech.parse(bytes.fromhex(vector["hex"]), 7)
    assert isinstance(message, PushData)
    expected = {name: value for name, value in vector["decoded"]["stat"].items() if name != "temp"}
    assert message.stat == GatewayStat(**expected)
    assert message.problems == ["bad_json"]


def test_a_whole_status_beside_broken_packets_is_kept() -> None:
    message = push('{"rxpk":[{]],"stat":{"rxnb":1,"txnb":2}}')
    assert message.stat == GatewayStat(rxnb=1, txnb=2)


def test_an_odd_status_keeps_the_rest() -> None:
    assert push('{"stat":{"lati":91,"long":2.5,"rxnb":-1}}').stat == GatewayStat(long=2.5)
    message = push('{"stat":[]}')
    assert (message.stat, message.problems) == (None, ["bad_status"])


def test_a_body_with_more_packets_than_a_gateway_can_fetch_is_read_that_far() -> None:
    packets = ",".join([rxpk(chan=-1)] * 256)
    for body in (f'{{"rxpk":[{packets}]}}', f'{{"rxpk":[{packets}],,}}'):
        message = push(body)
        assert len(message.receptions) == 255
        assert "too_many_rxpk" in message.problems


def test_deep_nesting_is_bad_json() -> None:
    assert push('{"rxpk":' + "[" * 60_000).problems == ["bad_json"]
    assert push('{"rxpk":' + "[" * 20_000 + "]" * 20_000 + "}").problems == ["bad_json"]


def test_a_packet_nested_too_deep_costs_only_itself() -> None:
    deep = '{"tmst":' + "[" * 900 + "]" * 900 + "}"
    message = push(f'{{"rxpk":[{deep},{rxpk()}]}}')
    assert (message.receptions, message.problems) == ([HEARD], ["bad_data"])


# --- pull_resp

DOWNLINK = Transmission(b"\x60" * 12, EUI, 869_525_000, Lora(12, 125_000), 16.15, 2**32 + 5)


def body_of(transmission: Transmission) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(semtech.build_pull_resp(2, b"\1\2", transmission)[4:])
    return body


def test_a_lora_downlink_is_written_with_every_field_it_needs() -> None:
    assert semtech.build_pull_resp(2, b"\1\2", DOWNLINK)[:4] == b"\x02\x01\x02\x03"
    assert body_of(DOWNLINK) == {
        "txpk": {
            "tmst": 5,
            "freq": 869.525,
            "rfch": 0,
            "powe": 16,
            "modu": "LORA",
            "datr": "SF12BW125",
            "codr": "4/5",
            "ipol": True,
            "ncrc": True,
            "size": 12,
            "data": "YGBgYGBgYGBgYGBg",
        }
    }


def test_an_immediate_fsk_downlink_is_written_with_every_field_it_needs() -> None:
    transmission = Transmission(b"\x60", EUI, 868_800_000, Fsk(50_000), 14, None, rf_chain=1, antenna=2, board=3)
    assert body_of(transmission) == {
        "txpk": {
            "imme": True,
            "freq": 868.8,
            "rfch": 1,
            "powe": 14,
            "modu": "FSK",
            "datr": 50_000,
            "fdev": 25_000,
            "ant": 2,
            "brd": 3,
            "size": 1,
            "data": "YA==",
        }
    }


def test_the_longest_payload_fits_the_forwarders_buffer() -> None:
    transmission = msgspec.structs.replace(
        DOWNLINK, phy_payload=bytes(255), antenna=65_535, board=65_535, power_dbm=-40.5, freq_hz=2_425_000_001,
        modulation=Lora(12, 812_500, "4/8LI"), tmst_us=2**32 - 1,
    )  # fmt: skip
    datagram = semtech.build_pull_resp(2, b"\1\2", transmission)
    assert len(datagram) < semtech.MAX_PULL_RESP_OCTETS
    message = semtech.parse_server(datagram)
    assert isinstance(message, PullResp)
    assert message.txpk is not None


def test_forwarders_that_cut_read_the_frequency_that_was_meant() -> None:
    freq = body_of(msgspec.structs.replace(DOWNLINK, freq_hz=CUT_HZ))["txpk"]["freq"]
    assert (int(1e6 * freq), round(1e6 * freq)) == (CUT_HZ, CUT_HZ)


def test_what_no_forwarder_can_send_is_refused() -> None:
    for changes, text in (
        ({"phy_payload": b""}, "payload is 0 octets, 1 to 255 can be sent"),
        ({"phy_payload": bytes(256)}, "payload is 256 octets, 1 to 255 can be sent"),
        ({"modulation": LrFhss(137_000, "1/3")}, "lr-fhss is for uplinks only"),
    ):
        with pytest.raises(ValueError) as error:
            semtech.build_pull_resp(2, b"\1\2", msgspec.structs.replace(DOWNLINK, **changes))
        assert str(error.value) == text


TXPK = {
    "imme": True,
    "freq": 868.3,
    "rfch": 0,
    "modu": "LORA",
    "datr": "SF9BW125",
    "codr": "4/5",
    "size": 3,
    "data": "AAEC",
}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"imme": False}, "bad_tmst"),
        ({"modu": "LR-FHSS", "datr": "M0CW137", "codr": "1/3"}, "bad_modu"),
        ({"modu": "FSK", "datr": 50_000}, "bad_fdev"),
        ({"data": "@@@@"}, "bad_data"),
        ({"size": 256}, "bad_data"),
        ({"size": 0}, "bad_data"),
        ({"freq": 1e300}, "bad_txpk"),
    ],
)
def test_a_gateway_ignores_what_it_cannot_send(changes: dict[str, Any], problem: str) -> None:
    datagram = b"\x02\x01\x02\x03" + json.dumps({"txpk": TXPK | changes}).encode()
    assert semtech.parse_server(datagram) == PullResp(2, b"\1\2", None, problem)


def test_a_gateway_sends_size_octets_whatever_the_data() -> None:
    message = semtech.parse_server(b"\x02\x01\x02\x03" + json.dumps({"txpk": TXPK | {"size": 5}}).encode())
    assert isinstance(message, PullResp)
    assert message.txpk is not None
    assert message.txpk.phy_payload == b"\0\1\2\0\0"


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


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("nonsense", None),
        ("[]", None),
        ('{"txpk_ack":[]}', None),
        ("{}", TxOutcome(True)),
        ('{"txpk_ack":{"error":null}}', TxOutcome(True)),
        ('{"txpk_ack":{"error":["a"]}}', TxOutcome(False, "['a']")),
        ('{"txpk_ack":{"warn":"TX_POWER","value":"much"}}', TxOutcome(True, warn="TX_POWER")),
        ('{"txpk_ack":{"warn":"TX_POWER","value":"inf"}}', TxOutcome(True, warn="TX_POWER")),
        ('{"txpk_ack":{"warn":"TX_POWER","value":[]}}', TxOutcome(True, warn="TX_POWER")),
        ('{"txpk_ack":{"error":"' + "E" * 100 + '"}}', TxOutcome(False, "E" * 64)),
    ],
)
def test_an_odd_tx_ack_is_read_as_far_as_it_goes(body: str, outcome: TxOutcome | None) -> None:
    message = semtech.parse(bytes.fromhex("02a07a05" + EUI) + body.encode(), 7)
    assert message == TxAck(2, b"\xa0\x7a", EUI, outcome)
