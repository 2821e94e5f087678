from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lns.mac.airplan import GUARD_S, AirPlan


def plan(*spans):
    made = AirPlan()
    for start, end in spans:
        made.reserve("g", start, end, 0.0)
    return made


def test_two_frames_of_one_gateway_may_not_overlap_nor_touch():
    made = plan((10.0, 10.5))
    assert made.blocker("g", 10.4, 10.6) == (10.0, 10.5)
    assert made.blocker("g", 9.0, 11.0) == (10.0, 10.5)
    assert made.blocker("g", 10.1, 10.2) == (10.0, 10.5)
    assert made.blocker("g", 10.5, 10.6) == (10.0, 10.5)
    assert made.blocker("g", 9.9, 9.995) == (10.0, 10.5)
    assert made.blocker("g", 10.52, 10.6) is None
    assert made.blocker("g", 9.9, 9.98) is None


def test_gateways_do_not_block_each_other():
    assert plan((10.0, 10.5)).blocker("other", 10.0, 10.5) is None


def test_a_released_span_is_free_and_releasing_twice_is_harmless():
    made = plan((10.0, 10.5))
    made.release("g", 10.0, 10.5)
    made.release("g", 10.0, 10.5)
    made.release("other", 10.0, 10.5)
    assert made.blocker("g", 10.0, 10.5) is None


def test_the_next_free_moment_is_behind_what_is_in_the_way():
    made = plan((10.0, 10.5), (10.6, 11.0))
    assert made.next_free("g", 9.0, 0.5) == 9.0
    assert made.next_free("g", 10.1, 0.05) == 10.5 + GUARD_S
    assert made.next_free("g", 10.1, 0.2) == 11.0 + GUARD_S


def test_what_has_ended_is_dropped_with_the_next_reservation():
    made = plan((1.0, 1.1), (2.0, 2.1))
    made.reserve("g", 5.0, 5.1, 3.0)
    assert made.blocker("g", 2.0, 2.1) is None
    assert made.blocker("g", 5.0, 5.1) == (5.0, 5.1)


def test_a_removed_gateway_is_forgotten():
    made = plan((1.0, 1.1))
    made.forget("g")
    assert made.blocker("g", 1.0, 1.1) is None


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0.01, 2)), max_size=30))
def test_frames_put_at_the_next_free_moment_never_collide(frames):
    made, taken = AirPlan(), []
    for earliest, length in frames:
        start = made.next_free("g", earliest, length)
        assert start >= earliest
        assert made.blocker("g", start, start + length) is None
        made.reserve("g", start, start + length, 0.0)
        taken.append((start, start + length))
    taken.sort()
    assert all(after[0] >= before[1] for before, after in pairwise(taken))
