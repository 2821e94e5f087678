"""Instants and durations as other servers' libraries write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.outlets.formats.times import parse_rfc3339_us, rfc3339_offset, rfc3339_zulu, seconds_text

S = 1_795_258_489_000_000  # 2026-11-21T10:54:49Z


@pytest.mark.parametrize(
    ("at_us", "rust", "go"),
    [
        (S, "2026-11-21T10:54:49+00:00", "2026-11-21T10:54:49Z"),
        (S + 130_000, "2026-11-21T10:54:49.130+00:00", "2026-11-21T10:54:49.13Z"),
        (S + 130_100, "2026-11-21T10:54:49.130100+00:00", "2026-11-21T10:54:49.1301Z"),
        (0, "1970-01-01T00:00:00+00:00", "1970-01-01T00:00:00Z"),
    ],
)
def test_instants_have_the_digits_they_need(at_us: int, rust: str, go: str):
    assert (rfc3339_offset(at_us), rfc3339_zulu(at_us)) == (rust, go)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (1_000_000_000, "1s"),
        (56_576_000, "0.056576s"),
        (1_500_000_000, "1.500s"),
        (7, "0.000000007s"),
    ],
)
def test_durations_have_3_6_or_9_digits(nanoseconds: int, text: str):
    assert seconds_text(nanoseconds) == text


@given(st.integers(0, 4_102_444_800_000_000))
def test_both_ways_of_writing_are_read_as_the_same_instant(at_us: int):
    assert parse_rfc3339_us(rfc3339_offset(at_us)) == parse_rfc3339_us(rfc3339_zulu(at_us)) == at_us
