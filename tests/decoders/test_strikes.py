"""When a codec version is parked."""

from decoders.strikes import DEATH, OVERRUN, WINDOW_S, Strikes


def test_three_deaths_in_ten_minutes_park_a_version() -> None:
    strikes = Strikes()
    assert [strikes.add("a", DEATH, now, "it ate") for now in (0.0, 1.0, WINDOW_S - 1)] == [False, False, True]
    assert strikes.parked == {"a": "it ate"}


def test_old_deaths_do_not_count() -> None:
    strikes = Strikes()
    assert [strikes.add("a", DEATH, now, "") for now in (0.0, 1.0, WINDOW_S, WINDOW_S + 1.5)] == [False] * 4
    assert strikes.parked == {}


def test_versions_are_counted_apart() -> None:
    strikes = Strikes()
    for key in "abcabc":
        assert not strikes.add(key, DEATH, 0.0, "")


def test_a_hundred_overruns_weigh_three_deaths() -> None:
    strikes = Strikes()
    assert [strikes.add("a", OVERRUN, 0.0, "") for _ in range(100)] == [False] * 99 + [True]


def test_a_version_is_parked_once_and_until_it_is_forgiven() -> None:
    strikes = Strikes()
    parked = [strikes.add("a", DEATH, 0.0, str(n)) for n in range(5)]
    assert parked == [False, False, True, False, False]
    assert strikes.parked == {"a": "2"}
    strikes.forgive("a")
    assert strikes.parked == {}
    assert not strikes.add("a", DEATH, 1.0, "")
