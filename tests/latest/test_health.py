"""When a device or gateway counts as online."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.latest.health import (
    DEVICE_RULES,
    GATEWAY_RULES,
    STEPS,
    Change,
    Happening,
    Health,
    Rules,
    State,
    deadline_us,
    expected_us,
    expire,
    heard,
    silence_us,
    uptime,
)

S = 1_000_000
MIN = 60 * S
RULES = Rules()


def after(*times_us: int, rules: Rules = RULES) -> Health:
    """What is known after frames at these times."""
    health = None
    for time_us in times_us:
        health, _ = heard(health, time_us, rules)
    assert health is not None
    return health


def regular(count: int, every_us: int = 10 * MIN) -> Health:
    return after(*(i * every_us for i in range(count)))


def test_the_first_frame_is_told_as_online():
    assert heard(None, 5, RULES) == (Health(State.ONLINE, 5, 5, 5), Change(State.ONLINE, 5, 0))


@pytest.mark.parametrize(
    ("gaps_min", "expected_min"),
    [
        ([10, 10], None),  # too few to tell
        ([10, 10, 10], 10),
        ([10, 10, 300, 10, 10], 10),  # an outage
        ([10, 20, 10, 10, 20, 10], 10),  # lost frames
        ([10] * 9 + [60] * 5, 60),  # a new interval, once it is the more frequent one of nine
    ],
)
def test_the_expected_interval_is_the_median_of_the_last_gaps(gaps_min, expected_min):
    times = [sum(gaps_min[:i]) * MIN for i in range(len(gaps_min) + 1)]
    assert expected_us(after(*times), RULES) == (None if expected_min is None else expected_min * MIN)


def test_it_is_offline_after_three_frames_that_did_not_come():
    health = regular(5)
    assert deadline_us(health, RULES) == 70 * MIN
    assert expire(health, 70 * MIN - 1, RULES) == (health, None)
    gone, change = expire(health, 75 * MIN, RULES)
    assert (gone.state, gone.since_us, gone.online_us, gone.outages) == (State.OFFLINE, 70 * MIN, 70 * MIN, 1)
    assert change == Change(State.OFFLINE, 70 * MIN, 30 * MIN)
    assert expire(gone, 900 * MIN, RULES) == (gone, None)


def test_a_return_is_told_once_and_then_more_silence_is_borne_until_it_is_steady():
    gone, _ = expire(regular(9), 200 * MIN, RULES)
    back, change = heard(gone, 300 * MIN, RULES)
    assert change == Change(State.BACK, 300 * MIN, 220 * MIN)
    assert (back.state, silence_us(back, RULES)) == (State.BACK, 60 * MIN)
    for n, state in ((1, State.BACK), (2, State.BACK), (3, State.ONLINE)):
        back, change = heard(back, (300 + 10 * n) * MIN, RULES)
        assert (back.state, change) == (state, None)
    assert silence_us(back, RULES) == 30 * MIN


def test_frequent_frames_are_given_a_least_silence():
    assert silence_us(regular(5, S), DEVICE_RULES) == 300 * S
    assert silence_us(regular(5, S), GATEWAY_RULES) == 120 * S


def test_our_own_silence_is_not_the_devices():
    assert deadline_us(regular(5), RULES, 1000 * MIN) == 1030 * MIN


def test_a_late_frame_changes_nothing():
    health = regular(5)
    assert heard(health, 39 * MIN, RULES) == (health, None)
    assert heard(health, 40 * MIN, RULES) == (health, None)


def test_uptime_is_the_share_of_time_online():
    health = after(0)
    assert (uptime(health, 0), uptime(health, 10)) == (1.0, 1.0)
    gone, _ = expire(regular(5), 100 * MIN, RULES)
    assert uptime(gone, 140 * MIN) == 0.5
    back, _ = heard(gone, 140 * MIN, RULES)
    assert uptime(back, 210 * MIN) == pytest.approx(140 / 210)


def test_every_state_says_what_comes_of_what_can_happen_to_it():
    assert STEPS.keys() == set(State)
    assert {state: set(steps) for state, steps in STEPS.items()} == {
        State.ONLINE: set(Happening),
        State.BACK: set(Happening),
        State.OFFLINE: {Happening.HEARD},  # it cannot be silent twice, nor steady at once
    }


STEP = st.tuples(st.sampled_from(["heard", "expire"]), st.integers(0, 400 * MIN))


@given(st.lists(STEP, max_size=40))
def test_what_is_told_alternates_and_time_online_fits(steps):
    health, told, now_us = after(0), [State.ONLINE], 0
    for what, later_us in steps:
        now_us += later_us
        if what == "expire":
            health, change = expire(health, now_us, RULES)
            assert expire(health, now_us, RULES) == (health, None)
        else:
            # A shell looks at the deadlines before it hands on what has come.
            health, silent = expire(health, now_us, RULES)
            told += [silent.state] if silent else []
            health, change = heard(health, now_us, RULES)
        told += [change.state] if change else []
        assert 0 <= health.online_us <= health.since_us - health.first_seen_us
        assert 0.0 <= uptime(health, now_us) <= 1.0
        end_us = deadline_us(health, RULES)
        assert (end_us is None) == (health.state is State.OFFLINE)
        assert end_us is None or end_us > health.last_seen_us
    online = [state is not State.OFFLINE for state in told]
    assert online == [i % 2 == 0 for i in range(len(online))]
    assert health.outages == told.count(State.OFFLINE)
