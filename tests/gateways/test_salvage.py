"""An odd field, a bad packet or broken JSON costs nothing but itself."""

from typing import Any

import msgspec
import pytest

from lns.gateways import semtech
from lns.gateways.rxpk import GatewayStat
from lns.gateways.semtech import PushData
from tests.gateways import vectors
from tests.gateways.packets import HEARD, push, rxpk


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


def test_whole_numbers_may_be_written_with_a_fraction() -> None:
    message = push(f'{{"rxpk":[{rxpk(tmst=5.0, stat=1.0, size=3.0)}]}}')
    assert (message.receptions, message.problems) == ([HEARD], [])


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
