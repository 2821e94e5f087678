"""When a codec version is parked, and what is kept of why."""

from decoders.strikes import DEATH, OVERRUN, WINDOW_S, Evidence, Offence, Strikes
from tests.decoders.conftest import request


def offence(why: str = "it ate", payload: bytes = b"\x01") -> Offence:
    return Offence(why, request(payload), 1)


def test_three_deaths_in_ten_minutes_park_a_version() -> None:
    strikes = Strikes()
    assert [strikes.add("a", DEATH, now, offence()) for now in (0.0, 1.0, WINDOW_S - 1)] == [False, False, True]
    assert strikes.parked == {"a": "it ate"}


def test_old_deaths_do_not_count() -> None:
    strikes = Strikes()
    assert [strikes.add("a", DEATH, now, offence()) for now in (0.0, 1.0, WINDOW_S, WINDOW_S + 1.5)] == [False] * 4
    assert strikes.parked == {}
    assert strikes.evidence["a"].deaths == 2


def test_versions_are_counted_apart() -> None:
    strikes = Strikes()
    for key in "abcabc":
        assert not strikes.add(key, DEATH, 0.0, offence())


def test_a_hundred_overruns_weigh_three_deaths() -> None:
    strikes = Strikes()
    assert [strikes.add("a", OVERRUN, 0.0, offence()) for _ in range(100)] == [False] * 99 + [True]


def test_a_version_is_parked_once_and_until_it_is_forgiven() -> None:
    strikes = Strikes()
    parked = [strikes.add("a", DEATH, 0.0, offence(str(n))) for n in range(5)]
    assert parked == [False, False, True, False, False]
    assert strikes.parked == {"a": "2"}
    strikes.forgive("a")
    assert (strikes.parked, strikes.evidence) == ({}, {})
    assert not strikes.add("a", DEATH, 1.0, offence())


def test_the_evidence_is_the_last_offence_until_one_parks_the_version() -> None:
    strikes = Strikes()
    strikes.add("a", OVERRUN, 0.0, offence("slow", b"\x01"))
    assert strikes.evidence == {"a": Evidence(offence("slow", b"\x01"), 0, 1)}
    for n in range(2, 6):
        strikes.add("a", DEATH, 0.0, offence(str(n), bytes([n])))
    assert strikes.evidence == {"a": Evidence(offence("4", b"\x04"), 3, 1)}
