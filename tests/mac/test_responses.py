from lns.mac.responses import Responses


def test_a_device_that_answers_in_time_owes_nothing():
    responses = Responses()
    responses.wait(1, "a", 18.0)
    responses.heard(1)
    assert (responses.deadline(), responses.expire(100.0)) == (None, [])


def test_a_confirmed_downlink_times_out_at_its_moment_the_longest_overdue_first():
    responses = Responses()
    responses.wait(1, "a", 18.0)
    responses.wait(2, "b", 17.0)
    responses.wait(3, "c", 19.0)
    assert responses.deadline() == 17.0
    assert responses.expire(16.9) == []
    assert responses.expire(18.0) == [(2, "b"), (1, "a")]
    assert responses.expire(18.0) == []
    assert responses.deadline() == 19.0


def test_a_repetition_waits_from_its_own_end():
    responses = Responses()
    responses.wait(1, "a", 18.0)
    responses.wait(1, "a", 28.0)
    assert responses.expire(20.0) == []
    assert responses.expire(28.0) == [(1, "a")]
