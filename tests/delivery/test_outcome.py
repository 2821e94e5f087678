import pytest

from lns.delivery.outcome import Outcome, Verdict


@pytest.mark.parametrize(
    ("verdict", "status", "alive"),
    [
        (Verdict.DELIVERED, 200, True),
        (Verdict.DELIVERED, None, True),  # a broker's acknowledgement
        (Verdict.REFUSED, 404, True),
        (Verdict.REFUSED, None, True),  # a broker that refuses one message
        (Verdict.RETRY, None, False),
        (Verdict.RETRY, 302, False),
        (Verdict.RETRY, 503, False),
        (Verdict.RETRY, 207, True),  # one item of a batch
        (Verdict.RETRY, 409, True),
        (Verdict.THROTTLED, 429, True),
        (Verdict.THROTTLED, 502, False),  # a proxy before a dead server
        (Verdict.GONE, 410, True),
    ],
)
def test_whoever_answers_is_alive(verdict, status, alive):
    assert Outcome(verdict=verdict, status=status).alive is alive
