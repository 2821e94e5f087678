import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.delivery.machine import TABLE, Facts, Settled, State, Step, settle, states_that
from lns.delivery.outcome import Outcome, Verdict
from lns.delivery.schedule import Schedule
from tests.delivery.build import DELIVERED, GONE, NOW_US, REFUSED, TROUBLE

S = 1_000_000
SCHEDULE = Schedule(waits_s=(10.0, 20.0), refusals=2, deadline_s=100.0)


def after(outcome, attempts=0, refusals=0, age_s=0, chance=0.5):
    return settle(Facts(attempts, refusals, NOW_US - age_s * S), outcome, SCHEDULE, chance, NOW_US)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (after(DELIVERED), Settled(State.DELIVERED, 1, 0)),
        (after(TROUBLE), Settled(State.WAITING, 1, 0, NOW_US + 5 * S)),  # half of 10 s
        (after(TROUBLE, attempts=1), Settled(State.WAITING, 2, 0, NOW_US + 10 * S)),
        (after(TROUBLE, attempts=2), Settled(State.DEAD, 3, 0, reason="attempts")),
        (after(TROUBLE, attempts=1, age_s=91), Settled(State.DEAD, 2, 0, reason="deadline")),
        (after(TROUBLE, attempts=1, age_s=90), Settled(State.WAITING, 2, 0, NOW_US + 10 * S)),
        (after(TROUBLE, age_s=1_000_000), Settled(State.WAITING, 1, 0, NOW_US + 5 * S)),  # it was never tried
        (after(REFUSED), Settled(State.WAITING, 1, 1, NOW_US + 5 * S)),
        (after(REFUSED, attempts=1, refusals=1), Settled(State.DEAD, 2, 2, reason="refused")),
        (after(TROUBLE, attempts=1, refusals=1), Settled(State.WAITING, 2, 1, NOW_US + 10 * S)),  # no refusal
        (after(GONE), Settled(State.DEAD, 1, 0, reason="gone")),
    ],
)
def test_an_attempt_leads_to(result, expected):
    assert result == expected


@given(st.integers(0, 2**53), st.floats(0, 1, exclude_max=True), st.sampled_from([TROUBLE, REFUSED]))
def test_however_long_a_delivery_has_waited_its_first_failure_does_not_kill_it(age_s, chance, outcome):
    facts = Facts(0, 0, NOW_US - age_s * S)
    assert settle(facts, outcome, Schedule(), chance, NOW_US).state is State.WAITING


@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 200_000)), min_size=12, max_size=12))
def test_no_attempt_begins_later_than_the_deadline_after_the_first(attempts):
    schedule, first_us, now_us = Schedule(), NOW_US, NOW_US
    found = Settled(State.WAITING, 0, 0)
    for chance, late_s in attempts:  # each is late for some reason, a breaker or a rate
        found = settle(Facts(found.attempts, 0, first_us), TROUBLE, schedule, chance, now_us)
        if found.state is State.DEAD:
            assert found.reason in ("attempts", "deadline")
            break
        assert found.next_us <= first_us + schedule.deadline_s * S
        now_us = found.next_us + late_s * S
    assert found.state is State.DEAD


def test_a_delivery_that_was_never_tried_does_not_miss_its_deadline():
    assert after(DELIVERED, age_s=1_000_000).state is State.DELIVERED


def test_retry_after_is_honoured_where_it_is_longer():
    asked = Outcome(verdict=Verdict.THROTTLED, status=429, retry_after_s=30.0)
    assert after(asked).next_us == NOW_US + 30 * S


def test_only_a_dead_delivery_or_an_open_one_can_be_dropped():
    assert set(states_that(Step.DROP)) == {State.PENDING, State.IN_FLIGHT, State.WAITING, State.DEAD}


def test_every_state_can_be_reached():
    assert {state for steps in TABLE.values() for state in steps.values()} == set(State)
