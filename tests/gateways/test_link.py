"""One gateway's rate, round trip and what people see of it."""

from lns.gateways.link import Link, Rate, State
from lns.gateways.rxpk import GatewayStat
from lns.mac.frames import TxOutcome

EUI = "ce0513ae8d021d81"


def test_a_rate_allows_its_number_at_once_and_then_as_they_come_back() -> None:
    rate = Rate(10)
    assert [rate.allows(100.0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert [rate.allows(100.11) for _ in range(2)] == [True, False]
    assert [rate.allows(100.5) for _ in range(6)] == [True] * 4 + [False] * 2
    assert [rate.allows(200.0) for _ in range(11)] == [True] * 10 + [False]


def test_a_rate_of_one_a_second_allows_one() -> None:
    rate = Rate(1)
    assert [rate.allows(at) for at in (0.0, 0.0, 0.9, 1.0)] == [True, False, True, False]


def test_round_trips_are_smoothed() -> None:
    link = Link(EUI, State.ACCEPTED, Rate(1))
    link.answered(TxOutcome(True), 80.0)
    assert link.round_trip_ms == 80.0
    link.answered(TxOutcome(False, "TOO_LATE"), 160.0)
    assert link.round_trip_ms == 90.0
    link.answered(None, None)
    assert link.round_trip_ms == 90.0
    assert link.downlinks == {"sent": 0, "accepted": 1, "refused": 1, "unknown": 1}


def test_a_gateway_that_was_never_heard_shows_nothing_it_did_not_say() -> None:
    assert Link(EUI, State.ACCEPTED, Rate(1), "EU868").snapshot() == {
        "eui": EUI,
        "state": "accepted",
        "region": "EU868",
        "protocol_version": None,
        "address": None,
        "push_address": None,
        "pull_address": None,
        "first_seen_at": None,
        "last_seen_at": None,
        "last_pull_at": None,
        "round_trip_ms": None,
        "datagrams": 0,
        "uplinks": 0,
        "downlinks": {"sent": 0, "accepted": 0, "refused": 0, "unknown": 0},
        "problems": {},
        "limited": {},
        "address_changes": 0,
        "stat": None,
    }


def test_a_gateway_shows_what_it_said() -> None:
    link = Link(EUI, State.ACCEPTED, Rate(1))
    link.pulled(("2001:db8::1", 40_000, 0, 0), 2, 1_700_000_000_000_001)
    link.pushed(2, GatewayStat(lati=1.5), ["crc_bad", "odd_foff", "crc_bad"])
    link.pushed(1, None, [])
    link.answered(TxOutcome(True), 12.34567)
    shown = link.snapshot()
    assert (shown["pull_address"], shown["last_pull_at"]) == ("[2001:db8::1]:40000", "2023-11-14T22:13:20.000001Z")
    assert (shown["uplinks"], shown["problems"]) == (3, {"crc_bad": 2, "odd_foff": 1})
    assert (shown["round_trip_ms"], shown["protocol_version"]) == (12.346, 2)
    assert shown["stat"]["lati"] == 1.5
