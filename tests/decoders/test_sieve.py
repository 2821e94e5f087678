"""Store on change and limits together."""

from decoders.change import Rule
from decoders.contract import Sample
from decoders.limits import HOUR_US, Policy
from decoders.sieve import Sieve

S = 1_000_000
T0 = 470_000 * HOUR_US


def kept(policy: Policy, *values: float | None, step_s: int = 60) -> list[float]:
    """Which values of a field, `step_s` apart, are stored; None: nothing was sent."""
    sieve = Sieve()
    found: list[float] = []
    for number, value in enumerate(values):
        samples: list[Sample] = [] if value is None else [("f", float(value), None, None)]
        found += [sample[1] for sample in sieve.filter(1, policy, samples, T0 + number * step_s * S)[0]]
    return found


def test_a_change_that_is_held_back_is_made_up_for_when_there_is_room() -> None:
    assert kept(Policy.of({"f": Rule(min_interval_s=120)}), 1, 2, 2, 2) == [1, 2]
    assert kept(Policy.of({"f": Rule(min_interval_s=120)}), 1, 2, 1, 1) == [1]  # and forgotten when it was undone
    assert kept(Policy.of({"f": Rule(deadband_abs=5, max_per_hour=2)}), 1, 4, 6, 11, None, 16) == [1, 6]


def test_without_on_change_only_the_limits_count() -> None:
    assert kept(Policy.of({"f": Rule(on_change=False)}), 1, 1, 1) == [1, 1, 1]
    assert kept(Policy.of({"f": Rule(on_change=False, min_interval_s=100)}), 1, 1, 1, 1, 1) == [1, 1, 1]


def test_a_heartbeat_waits_for_the_limits() -> None:
    policy = Policy.of({"f": Rule(heartbeat_s=60, min_interval_s=150)})
    assert kept(policy, 1, 1, 1, 1, 1, 1) == [1, 1]


def test_history_is_limited_by_its_own_time_and_never_compared() -> None:
    sieve = Sieve()
    policy = Policy.of({"f": Rule(max_per_hour=2)})
    history: list[Sample] = [("f", 1.0, None, T0 - n * HOUR_US // 4) for n in (1, 2, 3, 4, 5)]
    assert sieve.filter(1, policy, history, T0) == ([*history[:2], history[4]], [0, 0, 0, 2, 0], [2, 3])
    assert sieve.filter(1, policy, [("f", 1.0, None, None)], T0)[1] == ()


def test_every_reason_has_its_count() -> None:
    sieve = Sieve()
    rules = {
        "same": Rule(),
        "near": Rule(deadband_abs=9),
        "soon": Rule(min_interval_s=99),
        "often": Rule(max_per_hour=1),
    }
    policy = Policy.of(rules, 6)
    first: list[Sample] = [(field, 1.0, None, None) for field in (*rules, "a")]
    second: list[Sample] = [
        ("same", 1.0, None, None),
        *((field, 2.0, None, None) for field in ("near", "soon", "often")),
    ]
    assert sieve.filter(1, policy, first, T0) == (first, (), ())
    more: list[Sample] = [("b", 1.0, None, None), ("c", 1.0, None, None)]
    # the places of what limits hold back: neither of what is unchanged, 0, nor of what is in its dead-band, 1
    assert sieve.filter(1, policy, second + more, T0 + S) == (more[:1], [1, 1, 1, 1, 1], [2, 3, 5])


def test_a_device_that_is_forgotten_begins_anew() -> None:
    sieve = Sieve()
    for policy in (Policy.of({"f": Rule()}), Policy.of({"f": Rule(max_per_hour=1)})):
        samples: list[Sample] = [("f", 1.0, None, None)]
        assert sieve.filter(1, policy, samples, T0)[0] == samples
        assert sieve.filter(1, policy, samples, T0 + S)[0] == []
        sieve.forget(1)
        assert sieve.filter(1, policy, samples, T0 + S)[0] == samples
        sieve.forget(1)
