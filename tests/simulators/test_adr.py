"""The back-off of a device that hears nothing, step by step."""

from simulators.adr import count_uplink, step_back
from simulators.maccommands.state import MacState
from tests.simulators.maccommands.states import mac


def radio(state: MacState) -> tuple[int, int, int, int]:
    return state.data_rate, state.tx_power, state.nb_trans, state.plan.mask


def lost() -> MacState:
    state = mac(data_rate=2)
    state.tx_power, state.nb_trans, state.plan.mask = 3, 2, 0b001
    return state


def test_full_power_then_slower_then_the_default_channels():
    state = lost()
    steps = []
    for _ in range(5):
        step_back(state)
        steps.append(radio(state))
    assert steps == [(2, 0, 2, 1), (1, 0, 2, 1), (0, 0, 2, 1), (0, 0, 1, 7), (0, 0, 1, 7)]


def test_it_asks_after_the_limit_and_acts_after_each_delay():
    state = lost()
    asked = [bool(count_uplink(state)) for _ in range(64)]
    assert (any(asked), radio(state)) == (False, (2, 3, 2, 1))
    seen = {}
    for uplink in range(64, 230):
        assert count_uplink(state)
        seen.setdefault(radio(state), uplink)
    assert seen == {(2, 3, 2, 1): 64, (2, 0, 2, 1): 96, (1, 0, 2, 1): 128, (0, 0, 2, 1): 160, (0, 0, 1, 7): 192}


def test_limit_and_delay_are_those_of_the_network():
    state = lost()
    state.adr_ack_limit, state.adr_ack_delay = 2, 1
    assert [bool(count_uplink(state)) for _ in range(3)] == [False, False, True]
    assert state.tx_power == 3
    count_uplink(state)
    assert state.tx_power == 0


def test_the_dwell_time_ends_the_way_down():
    state = mac("AS923", data_rate=3)
    for _ in range(4):
        step_back(state)
    assert state.data_rate == 2


def test_from_a_500_khz_channel_the_others_come_back_first():
    state = mac("US915", data_rate=4)
    state.plan.mask = 0xFF << 64
    steps = []
    for _ in range(2):
        step_back(state)
        steps.append((state.data_rate, state.plan.mask.bit_count()))
    assert steps == [(4, 72), (3, 72)]
