"""When rejoin-requests are due."""

from simulators.maccommands.state import ForcedRejoin
from simulators.rejoins import Rejoins
from tests.simulators.maccommands.states import mac

S = 1_000_000


def test_nothing_is_due_that_nobody_asked_for():
    rejoins = Rejoins(mac(version="1.1"), 0)
    assert (rejoins.deadline_us(), rejoins.due(10**15)) == (None, None)


def test_by_time():
    state = mac(version="1.1")
    rejoins = Rejoins(state, 5 * S)
    state.rejoin_time_n = 0
    assert rejoins.deadline_us() == (5 + 1024) * S
    assert [rejoins.due(1028 * S), rejoins.due(1029 * S)] == [None, (0, None)]
    rejoins.sent(1030 * S)
    assert rejoins.deadline_us() == (1030 + 1024) * S


def test_by_uplinks():
    state = mac(version="1.1")
    rejoins = Rejoins(state, 0)
    state.rejoin_count_n = 0
    for _ in range(15):
        rejoins.uplink()
    assert rejoins.due(S) is None
    rejoins.uplink()
    assert rejoins.due(S) == (0, None)
    rejoins.sent(S)
    assert rejoins.due(2 * S) is None


def test_a_forced_one_comes_at_once_and_then_its_retries():
    state = mac(version="1.1")
    rejoins = Rejoins(state, 0)
    state.forced_rejoin = ForcedRejoin(2, 3, period=1, max_retries=2)
    sent = []
    for now_s in range(400):
        if rejoins.due(now_s * S) == (2, 3):
            sent.append(now_s)
            rejoins.sent(now_s * S, spread_s=10)
    assert sent == [0, 74, 148]


def test_a_new_session_ends_forced_ones():
    state = mac(version="1.1")
    rejoins = Rejoins(state, 0)
    state.forced_rejoin = ForcedRejoin(0, 0, 0, 7)
    assert rejoins.due(0) == (0, 0)
    rejoins.sent(0)
    rejoins.started(S)
    assert rejoins.due(10**12) is None
