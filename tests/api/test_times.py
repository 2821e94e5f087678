import pytest

from lns.api.times import parse_duration, parse_instant, text, text_or_none


def test_instants_are_exact_to_the_microsecond() -> None:
    for at_us in (0, 1, 999_999, 1_769_846_400_123_457, 4_102_444_799_999_999):
        assert parse_instant(text(at_us)) == at_us
    assert text(1_769_846_400_123_457) == "2026-01-31T08:00:00.123457Z"
    assert text_or_none(None) is None


@pytest.mark.parametrize(
    ("given", "at_us"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:01", 1_000_000),
        ("1970-01-01T01:00:01+01:00", 1_000_000),
        ("1970-01-01T00:00:00.5Z", 500_000),
    ],
)
def test_times_are_read_as_iso_8601_and_without_a_zone_as_utc(given: str, at_us: int) -> None:
    assert parse_instant(given) == at_us


@pytest.mark.parametrize("given", ["", "noon", "2026-13-01", 5])
def test_what_is_no_time_is_named(given: object) -> None:
    with pytest.raises(ValueError, match=f"^'{given}' is not a time such as 2026-01-31T08:00:00Z$"):
        parse_instant(given)


@pytest.mark.parametrize(
    ("given", "seconds"), [("90s", 90), ("15m", 900), ("1h", 3600), ("7d", 604_800), ("2w", 1_209_600)]
)
def test_durations_are_read(given: str, seconds: int) -> None:
    assert parse_duration(given) == seconds


@pytest.mark.parametrize("given", ["", "1", "0h", "-1h", "1y", "1.5h", "9999999999s"])
def test_what_is_no_duration_is_named(given: str) -> None:
    with pytest.raises(ValueError, match=f"^'{given}' is not a duration such as 90s, 15m, 1h, 7d or 2w$"):
        parse_duration(given)
