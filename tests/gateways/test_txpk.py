"""PULL_RESP and TX_ACK bodies, as the server writes and reads them and as a gateway does."""

import json
from typing import Any

import msgspec
import pytest

from lns.gateways import semtech
from lns.gateways.semtech import PullResp, TxAck
from lns.lorawan.modulation import Fsk, Lora, LrFhss
from lns.mac.frames import Transmission, TxOutcome
from tests.gateways.packets import CUT_HZ, EUI

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


@pytest.mark.parametrize(
    ("tmst_us", "gps_time_ms", "when"),
    [
        (None, 1_384_035_218_480, {"tmms": 1_384_035_218_480}),  # class B: by the gateway's GPS receiver
        (5, 1_384_035_218_480, {"tmst": 5}),  # the counter is the nearer clock
        (None, None, {"imme": True}),
    ],
)
def test_a_downlink_names_one_moment_only(tmst_us: int | None, gps_time_ms: int | None, when: dict[str, Any]) -> None:
    transmission = msgspec.structs.replace(DOWNLINK, tmst_us=tmst_us, gps_time_ms=gps_time_ms)
    fields = body_of(transmission)["txpk"]
    assert {name: fields[name] for name in ("imme", "tmst", "tmms") if name in fields} == when


def test_a_downlink_at_gps_time_is_read_as_the_forwarder_does() -> None:
    transmission = msgspec.structs.replace(DOWNLINK, tmst_us=None, gps_time_ms=1_384_035_218_480)
    read = semtech.parse_server(semtech.build_pull_resp(2, b"\1\2", transmission))
    assert isinstance(read, PullResp)
    assert read.txpk is not None
    assert (read.txpk.tmst_us, read.txpk.gps_time_ms) == (None, 1_384_035_218_480)


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
