"""Store on change."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.change import OnChange, Reason, Rule

S = 1_000_000


def kept(rule: Rule, *values: object, step_s: int = 1) -> list[object]:
    """Which of the values, `step_s` apart, are stored."""
    change = OnChange()
    stored = []
    for index, value in enumerate(values):
        samples, _ = change.filter(1, {"f": rule}, [("f", value, None, None)], index * step_s * S)
        stored += [sample[1] for sample in samples]
    return stored


@pytest.mark.parametrize(
    ("rule", "values", "expected"),
    [
        (Rule(), [1.0, 1.0, 1.1, 1.1], [1.0, 1.1]),
        (Rule(deadband_abs=0.5), [20.0, 20.25, 20.5, 20.25], [20.0, 20.5]),  # the band itself is a change
        (Rule(deadband_abs=0.5), [20.0, 20.25, 20.375, 20.4375, 20.5], [20.0, 20.5]),  # a slow drift shows
        (Rule(deadband_rel=0.1), [100.0, 109.0, 110.0, 120.0, 121.0], [100.0, 110.0, 121.0]),
        (Rule(deadband_rel=0.5), [-100.0, -60.0, -50.0], [-100.0, -50.0]),
        (Rule(deadband_abs=5, deadband_rel=0.01), [100.0, 104.0, 105.0], [100.0, 105.0]),
        (Rule(deadband_abs=100), [False, True, True, False], [False, True, False]),
        (Rule(deadband_abs=100), ["off", "on", "on"], ["off", "on"]),
        (Rule(deadband_abs=100), [1.0, "error", 1.0], [1.0, "error", 1.0]),  # the kind of value changes
        (Rule(), [0.0, False], [0.0, False]),
    ],
)
def test_what_counts_as_a_change(rule: Rule, values: list, expected: list) -> None:
    assert kept(rule, *values) == expected


def test_an_unchanged_value_is_repeated_at_the_heartbeat() -> None:
    assert kept(Rule(deadband_abs=1, heartbeat_s=10), *[5.0] * 25, step_s=1) == [5.0] * 3
    assert kept(Rule(heartbeat_s=0), *[5.0] * 25, step_s=10_000) == [5.0]


def test_fields_and_devices_do_not_meet_and_the_withheld_are_counted() -> None:
    change = OnChange()
    rules = {"a": Rule(), "b": Rule()}
    samples = [("a", 1.0, None, None), ("b", 1.0, None, None), ("c", 1.0, None, None)]
    assert change.filter(1, rules, samples, 0) == (samples, ())
    assert change.filter(2, rules, samples, 0) == (samples, ())
    assert change.filter(1, rules, samples, S) == (samples[2:], (2, 0))
    change.forget(1)
    assert change.filter(1, rules, samples, 2 * S) == (samples, ())
    assert change.filter(2, rules, samples, 2 * S) == (samples[2:], (2, 0))


def test_the_unchanged_and_what_lies_in_the_dead_band_are_counted_apart() -> None:
    change = OnChange()
    rules = {"a": Rule(deadband_abs=1.0), "b": Rule(deadband_abs=1.0)}
    change.filter(1, rules, [("a", 1.0, None, None), ("b", 1.0, None, None)], 0)
    assert change.filter(1, rules, [("a", 1.5, None, None), ("b", 1.0, None, None)], S) == ([], (1, 1))
    assert change.why_not(1, rules["a"], ("a", 1.5, None, None), S) is Reason.DEAD_BAND
    assert change.why_not(1, rules["a"], ("a", 1.0, None, None), S) is Reason.UNCHANGED
    assert change.why_not(1, rules["a"], ("a", 2.0, None, None), S) is None
    assert change.why_not(2, rules["a"], ("a", 1.0, None, None), S) is None


def test_without_rules_everything_is_kept() -> None:
    samples = [("a", 1.0, None, None)]
    change = OnChange()
    assert [change.filter(1, {}, samples, 0) for _ in range(2)] == [(samples, ())] * 2


def test_samples_with_their_own_time_are_history_and_kept() -> None:
    change = OnChange()
    rules = {"a": Rule()}
    history = [("a", 1.0, None, 5), ("a", 1.0, None, 6)]
    assert change.filter(1, rules, [("a", 1.0, None, None)], 0)[1] == ()
    assert change.filter(1, rules, history, S) == (history, ())


def test_rules_are_read_strictly() -> None:
    assert msgspec.convert({"deadband_rel": 0.05}, Rule) == Rule(deadband_rel=0.05, heartbeat_s=3600.0)
    with pytest.raises(msgspec.ValidationError, match=r"deadband_abs is -1\.0, it has to be 0 or more"):
        msgspec.convert({"deadband_abs": -1}, Rule)
    with pytest.raises(msgspec.ValidationError, match="unknown field `deadband`"):
        msgspec.convert({"deadband": 1}, Rule)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"min_interval_s": -1}, "min_interval_s is -1.0, 0 (no limit) to 2592000 is allowed"),
        ({"min_interval_s": 2_592_001}, "min_interval_s is 2592001.0, 0 (no limit) to 2592000 is allowed"),
        ({"min_interval_s": float("nan")}, "min_interval_s is nan, 0 (no limit) to 2592000 is allowed"),
        ({"max_per_hour": -1}, "max_per_hour is -1, 0 (no limit) to 1000000 is allowed"),
        ({"max_per_hour": 1_000_001}, "max_per_hour is 1000001, 0 (no limit) to 1000000 is allowed"),
        (
            {"on_change": False, "deadband_rel": 0.5},
            "deadband_rel is 0.5, but on_change is false: it would never count",
        ),
    ],
)
def test_limits_out_of_range_are_refused_with_the_value_and_the_limit(rule: dict, text: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(rule, Rule)
    assert str(refused.value) == text


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(0, 100), st.floats(0, 1))
def test_a_withheld_value_is_never_further_away_than_the_dead_band(
    values: list[float], absolute: float, relative: float
) -> None:
    rule = Rule(deadband_abs=absolute, deadband_rel=relative, heartbeat_s=0)
    change = OnChange()
    last = None
    withheld = 0
    for value in values:
        stored, suppressed = change.filter(1, {"f": rule}, [("f", value, None, None)], 0)
        assert len(stored) + sum(suppressed) == 1
        withheld += sum(suppressed)
        if stored:
            last = value
        assert last is not None
        assert abs(value - last) <= max(absolute, relative * abs(last))
    assert withheld < len(values)
