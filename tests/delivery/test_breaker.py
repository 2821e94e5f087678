import pytest

from lns.delivery.breaker import Breaker, Door, Limits

S = 1_000_000
LIMITS = Limits(row=3, window_s=60.0, least=10, share=0.7, open_s=30.0, open_most_s=100.0)


def opened() -> Breaker:
    breaker = Breaker(LIMITS)
    assert [breaker.fail(n) for n in range(3)] == [False, False, True]
    return breaker


def test_opens_after_failures_in_a_row():
    breaker = opened()
    assert breaker.door is Door.OPEN
    assert breaker.room(29 * S, 0) == 0
    assert breaker.deadline_us() == 30 * S + 2


def test_an_answer_in_between_keeps_it_closed():
    breaker = Breaker(LIMITS)
    for n in range(8):
        assert breaker.fail(n) is False
        breaker.succeed(n)
    assert breaker.room(9, 50) is None


def test_opens_when_most_of_a_window_failed():
    breaker = Breaker(Limits(row=100, least=10, share=0.7))
    ends = [breaker.succeed(n) if n % 4 == 0 else breaker.fail(n) for n in range(12)]
    assert ends.index(True) >= 9
    assert breaker.door is Door.OPEN


def test_a_new_window_forgets_the_old():
    breaker = Breaker(Limits(row=100, window_s=30.0, least=4, share=0.7))
    assert [breaker.fail(n * 11 * S) for n in range(1, 9)] == [False] * 8


def test_half_open_lets_one_probe_through():
    breaker = opened()
    assert breaker.room(31 * S, 0) == 1
    assert breaker.door is Door.HALF_OPEN
    assert breaker.room(31 * S, 1) == 0


def test_a_probe_that_is_answered_closes_it():
    breaker = opened()
    breaker.room(31 * S, 0)
    assert breaker.succeed(32 * S) is True
    assert breaker.door is Door.CLOSED
    assert breaker.room(32 * S, 5) is None


def test_a_probe_that_fails_opens_it_for_longer_up_to_a_limit():
    breaker, now_us, opens = opened(), 0, []
    for _ in range(5):
        now_us = breaker.deadline_us()
        assert breaker.room(now_us, 0) == 1
        assert breaker.fail(now_us) is True
        opens.append((breaker.until_us - now_us) // S)
    assert opens == [60, 100, 100, 100, 100]


def test_what_was_sent_before_it_opened_does_not_prolong_it():
    breaker = opened()
    until_us = breaker.until_us
    assert breaker.fail(5 * S) is False
    assert breaker.until_us == until_us


def test_an_open_breaker_survives_a_restart():
    breaker = Breaker(LIMITS, 30 * S)
    assert breaker.room(29 * S, 0) == 0
    assert breaker.room(30 * S, 0) == 1


@pytest.mark.parametrize("door", [Door.CLOSED, Door.OPEN])
def test_a_hold_holds_whatever_the_door(door):
    breaker = Breaker(LIMITS) if door is Door.CLOSED else opened()
    breaker.hold(99 * S)
    assert breaker.room(98 * S, 0) == 0
    assert breaker.deadline_us() == 99 * S


def test_a_person_has_an_open_one_probed_at_once():
    breaker = opened()
    breaker.knock(5 * S)
    assert (breaker.room(5 * S, 0), breaker.door) == (1, Door.HALF_OPEN)
    breaker.fail(6 * S)
    assert breaker.room(7 * S, 0) == 0


def test_a_pause_that_was_asked_for_is_kept_whoever_knocks():
    breaker = opened()
    breaker.hold(50 * S)
    breaker.knock(5 * S)
    assert (breaker.room(49 * S, 0), breaker.room(50 * S, 0)) == (0, 1)
