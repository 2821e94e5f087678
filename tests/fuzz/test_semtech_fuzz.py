"""Any octets give a value, in both directions; a good packet survives whatever its siblings are."""

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from lns.gateways import semtech
from lns.gateways.rxpk import Rxpk
from lns.gateways.semtech import Bad, PushData
from lns.mac.frames import Reception
from tests.gateways.vectors import VECTORS

EUI = "ce0513ae8d021d81"
GOOD = {"tmst": 5, "freq": 868.1, "modu": "LORA", "datr": "SF7BW125", "codr": "4/5", "size": 3, "data": "AAEC"}

datagrams = st.sampled_from([bytes.fromhex(vector["hex"]) for vector in VECTORS])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
rxpk_fields = st.sampled_from((*Rxpk.__struct_fields__, "mid", "jver"))
rxpk_objects = st.dictionaries(rxpk_fields, json_values, max_size=8).map(lambda odd: GOOD | odd)


def read_both_ways(datagram: bytes) -> None:
    message = semtech.parse(datagram, 1)
    semtech.parse_server(datagram)
    reply = semtech.reply(message)
    assert reply is None or (len(reply) == 4 and reply[:3] == datagram[:3])
    # the header alone tells who sent it and what to answer, except that a blank body is not answered
    eui = semtech.sender(datagram)
    assert (eui is None) == (isinstance(message, Bad) and message.reason != "blank")
    if eui is not None and not isinstance(message, Bad):
        assert semtech.acknowledgement(datagram) == reply
        assert message.gateway_eui == eui.hex()
    if isinstance(message, PushData):
        for reception in message.receptions:
            check(reception)


def check(reception: Reception) -> None:
    """What the layers above, whose integers have 64 bits, rely on."""
    assert 0 < len(reception.phy_payload) <= 255
    assert 0 < reception.freq_hz <= 10_000_000_000
    assert reception.tmst_us is None or 0 <= reception.tmst_us < 2**32
    for number in (reception.gps_time_ms, reception.gateway_time_us, reception.freq_offset_hz, reception.chan):
        assert number is None or abs(number) < 2**63


@given(st.binary(max_size=300))
@example(b"")
def test_any_octets_give_a_value(datagram: bytes) -> None:
    read_both_ways(datagram)


@given(st.sampled_from([0, 1, 2, 3, 4, 5]), st.binary(max_size=300) | st.text(alphabet='{}[]":,\\?0a \n', max_size=200))
def test_any_body_gives_a_value(kind: int, body: bytes | str) -> None:
    octets = body if isinstance(body, bytes) else body.encode()
    read_both_ways(bytes((2, 1, 2, kind)) + bytes.fromhex(EUI) + octets)
    read_both_ways(bytes((2, 1, 2, kind)) + octets)


@given(datagrams, st.data())
def test_a_mutated_datagram_gives_a_value(datagram: bytes, data: st.DataObject) -> None:
    octets = bytearray(datagram[:2000])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(octets)))
        octets[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    read_both_ways(bytes(octets))


@given(st.lists(rxpk_objects | json_values, max_size=5), json_values)
def test_odd_packets_and_status_never_cost_a_good_packet(odd: list[Any], stat: Any) -> None:
    body = json.dumps({"rxpk": [GOOD, *odd, GOOD], "stat": stat}).encode()
    datagram = bytes((2, 1, 2, 0)) + bytes.fromhex(EUI) + body
    read_both_ways(datagram)
    message = semtech.parse(datagram, 1)
    good = semtech.parse(bytes((2, 1, 2, 0)) + bytes.fromhex(EUI) + json.dumps({"rxpk": [GOOD]}).encode(), 1)
    assert isinstance(message, PushData)
    assert isinstance(good, PushData)
    if not any(word in body for word in (b"NaN", b"Infinity")):
        assert message.receptions[0] == message.receptions[-1] == good.receptions[0]


@given(st.dictionaries(st.sampled_from(("txpk", "txpk_ack", "imme", "tmst", "tmms")), json_values, max_size=4))
def test_any_json_gives_a_value(tree: dict[str, Any]) -> None:
    body = json.dumps(tree).encode()
    read_both_ways(bytes((2, 1, 2, 3)) + body)
    read_both_ways(bytes((2, 1, 2, 5)) + bytes.fromhex(EUI) + body)
