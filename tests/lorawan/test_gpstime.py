import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan.gpstime import gps_from_unix, unix_from_gps
from tests.lorawan import vectors


@pytest.mark.parametrize("vector", vectors.of("gps_time"), ids=vectors.name)
def test_gps_time_counts_the_leap_seconds(vector: dict) -> None:
    assert gps_from_unix(vector["unix"]) == vector["gps"]
    assert unix_from_gps(vector["gps"]) == vector["unix"]
    assert vector["gps"] - vector["unix"] + 315964800 == vector["leap_seconds"]


@pytest.mark.parametrize(
    ("gps_s", "unix_s"),
    [
        (1167264016, 1483228799),  # 2016-12-31T23:59:59
        (1167264017, 1483228800),  # 2016-12-31T23:59:60, which Unix time repeats
        (1167264018, 1483228800),  # 2017-01-01T00:00:00
    ],
)
def test_unix_time_repeats_a_leap_second(gps_s: int, unix_s: int) -> None:
    assert unix_from_gps(gps_s) == unix_s


def test_fraction_of_a_second_is_kept() -> None:
    assert gps_from_unix(1700000000.25) == 1384035218.25


@given(st.integers(315964800, 4102444800))
def test_unix_time_comes_back_from_gps_time(unix_s: int) -> None:
    assert unix_from_gps(gps_from_unix(unix_s)) == unix_s
