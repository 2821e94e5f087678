"""Limits on the measurements' own time: what fits, what is remembered of it, and what that takes."""

import itertools
from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.change import Reason, Rule
from decoders.limits import HOUR_US, LIVE, Bound, Kept, Limits, Policy

S = 1_000_000
M = 60 * S
H = HOUR_US
T0 = 470_000 * H
MOST = Policy.of({"t": Rule(max_per_hour=2)})
APART = Policy.of({"t": Rule(min_interval_s=600)})


def passed(policy: Policy, *at: int | tuple[str, int], limits: Limits | None = None) -> list[bool]:
    """Which samples of device 1, at times after T0 in this order, are kept."""
    limits = limits or Limits()
    found = []
    for one in at:
        field, after_us = one if isinstance(one, tuple) else ("t", one)
        fits = limits.why_not(1, policy, field, T0 + after_us) is None
        if fits:
            limits.note(1, field, T0 + after_us)
        found.append(fits)
    return found


@pytest.mark.parametrize(
    ("policy", "at", "expected"),
    [
        (MOST, [0, 1, 2, H - 1, H, H + 1, H + 2], [True, True, False, False, True, True, False]),
        (MOST, [H, 0, H + 1, 1, 2, H + 2], [True, True, True, True, False, False]),  # each hour has its own
        (MOST, [0, 0, 0, 1, 2], [True, True, True, True, False]),  # a device that repeats itself uses nothing up
        (MOST, [("u", 0), ("u", 1), ("u", 2)], [True] * 3),  # a field without a rule
        (APART, [0, 10 * M - 1, 10 * M, 15 * M, 20 * M], [True, False, True, False, True]),
        (APART, [30 * M, 25 * M, 20 * M, 35 * M, 10 * M], [True, False, True, False, True]),  # backwards as well
        (APART, [0, 20 * M, 11 * M, 10 * M], [True, True, False, True]),  # into a gap that is wide enough
        (Policy.of({}, 2), [("a", 0), ("b", 0), ("c", 0), ("c", H)], [True, True, False, True]),
        (Policy.of({"t": Rule()}), [0, 0, 1, 2], [True] * 4),
    ],
)
def test_what_fits(policy: Policy, at: list, expected: list[bool]) -> None:
    assert passed(policy, *at) == expected


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (Policy.of({"t": Rule(min_interval_s=60, max_per_hour=1)}, 1), Reason.MIN_INTERVAL),
        (Policy.of({"t": Rule(max_per_hour=1)}, 1), Reason.MAX_PER_HOUR),
        (Policy.of({}, 1), Reason.DEVICE_MAX_PER_HOUR),
    ],
)
def test_the_narrowest_reason_is_told(policy: Policy, reason: Reason) -> None:
    limits = Limits()
    limits.note(1, "t", T0)
    assert limits.why_not(1, policy, "t", T0 + S) is reason
    assert limits.why_not(2, policy, "t", T0 + S) is None  # another device
    assert reason.slug == reason.name.lower()


def test_a_policy_without_limits_says_so() -> None:
    assert not Policy.of({"t": Rule(deadband_abs=1)}).limited
    assert Policy.of({"t": Rule(min_interval_s=1)}).limited
    assert Policy.of({"t": Rule(max_per_hour=1)}).limited
    assert Policy.of({}, 1).limited


def test_a_field_that_is_not_stored_on_change_has_no_such_rule_but_its_limits() -> None:
    policy = Policy.of({"t": Rule(on_change=False, min_interval_s=2), "u": Rule(on_change=False)})
    assert policy.rules == {}
    assert policy.limits["t"] == (2_000_000, 0)
    assert policy.extend("u", "t")  # it has a rule of its own, which says: all
    assert policy.limits["u"] == (0, 0)


def test_another_name_of_a_field_has_its_rule_with_the_dead_band_in_its_unit() -> None:
    policy = Policy.of({"mv": Rule(deadband_abs=100.0, max_per_hour=3)})
    assert policy.extend("v", "mv", 0.001)
    assert not policy.extend("w", "unknown")
    assert policy.rules["v"].deadband_abs == pytest.approx(0.1)
    assert policy.limits == {"mv": (0, 3), "v": (0, 3)}


def test_what_is_taken_back_makes_room() -> None:
    limits = Limits()
    assert passed(MOST, 0, 1, 2, limits=limits) == [True, True, False]
    limits.take_back(1, "t", T0)
    limits.take_back(1, "t", T0)  # once only
    limits.take_back(1, "other", T0)
    limits.take_back(2, "t", T0)
    assert passed(MOST, 2, 3, limits=limits) == [True, False]


def test_memory_is_bounded_whatever_a_device_sends() -> None:
    limits = Limits()
    for n in range(2000):
        limits.note(1, f"field{n}", T0 + n * H)
        limits.note(1, "t", T0 + n * H)
    kept = limits.of(1)
    assert kept is not None
    assert (len(kept.fields), len(kept.hours)) == (LIVE.fields, LIVE.hours)
    assert (len(kept.fields["t"].times), len(kept.fields["t"].hours)) == (LIVE.times, LIVE.hours)
    assert "field0" not in kept.fields
    assert len(msgspec.msgpack.encode(kept.fields["t"])) < 300


def test_what_is_not_remembered_any_more_is_in_doubt_kept() -> None:
    limits = Limits(Bound(times=2, hours=2, fields=9))
    assert passed(MOST, 0, 1, 2, H, 2 * H, 3, limits=limits) == [True, True, False, True, True, True]


def test_limits_that_were_written_and_read_go_on_as_before() -> None:
    limits = Limits()
    passed(MOST, 0, 1, limits=limits)
    assert limits.changed == {1}
    again = Limits(known={1: msgspec.msgpack.decode(msgspec.msgpack.encode(limits.of(1)), type=Kept)})
    assert again.of(1) == limits.of(1)
    assert again.changed == set()
    assert passed(MOST, 2, 0, H, limits=again) == [False, True, True]
    limits.forget(1)
    assert (limits.of(1), limits.changed) == (None, set())


@given(
    st.lists(st.integers(0, 5 * H), min_size=1, max_size=60), st.integers(1, 3000), st.integers(1, 5), st.integers(1, 7)
)
def test_no_order_of_samples_gets_more_through_than_the_limits_say(
    times: list[int], interval_s: int, most: int, most_of_device: int
) -> None:
    policy = Policy.of({"t": Rule(min_interval_s=interval_s, max_per_hour=most)}, most_of_device)
    order = [("t" if at % 2 else "u", at) for at in times]
    limits = Limits(Bound(100, 100, 100))
    kept = {one for one, fits in zip(order, passed(policy, *order, limits=limits), strict=True) if fits}
    own = sorted(at for field, at in kept if field == "t")
    assert all(after - before >= interval_s * S for before, after in itertools.pairwise(own))
    assert max(Counter(at // H for at in own).values(), default=0) <= most
    assert max(Counter(at // H for _, at in kept).values()) <= most_of_device
    assert passed(policy, *sorted(kept), limits=limits) == [True] * len(kept)  # decoded again: the same rows
