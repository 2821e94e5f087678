import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.delivery.schedule import WAITS_S, Pace, Schedule, next_wait_s, retry_after_s

S = 1_000_000


@given(st.integers(1, len(WAITS_S)), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_longer_than_its_step(attempts, chance):
    assert 0 <= next_wait_s(Schedule(), attempts, chance) <= WAITS_S[attempts - 1]


def test_after_the_last_wait_there_is_no_other():
    assert next_wait_s(Schedule(), len(WAITS_S) + 1, 0.5) is None


@given(st.floats(0, 1e12), st.floats(0, 1, exclude_max=True))
def test_retry_after_is_capped(asked_s, chance):
    schedule = Schedule(waits_s=(5.0,), retry_after_cap_s=3600.0)
    assert min(asked_s, 3600.0) <= next_wait_s(schedule, 1, chance, asked_s) <= 3600.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),  # now is 22:13:20
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),  # past
        ("-5", None),
        ("soon", None),
        ("", None),
        ("9" * 400, None),
        ("²", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, seconds):
    assert retry_after_s(text, 1_700_000_000 * S) == seconds


@given(st.text())
def test_any_retry_after_gives_a_value_or_none(text):
    found = retry_after_s(text, 0)
    assert found is None or found >= 0


def test_a_pace_spaces_evenly_after_a_burst_of_a_second():
    pace, sent, now_us = Pace(10.0), 0, 5 * S
    assert pace.room(now_us) == 10
    for now_us in range(5 * S, 15 * S, S // 100):
        room = pace.room(now_us)
        pace.take(room, now_us)
        sent += room
        assert pace.room(now_us) == 0
        assert pace.deadline_us() > now_us
        assert pace.room(pace.deadline_us()) == 1
    assert sent == pytest.approx(110, abs=1)  # 10 s, and the burst


def test_no_rate_sets_no_limit():
    assert Pace(0.0).room(0) > 1_000_000
    assert Pace(0.0).deadline_us() == 0


def test_a_slow_pace_lets_one_through_at_a_time():
    pace = Pace(0.1)
    assert pace.room(S) == 1
    pace.take(1, S)
    assert pace.room(10 * S) == 0
    assert pace.room(11 * S) == 1
