"""From decoded data to samples."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.normalise import MAX_DEPTH, MAX_SAMPLES, flatten, time_us, with_normalized

T, P = ("t", 21.0, None, None), ("p", 2.0, None, None)

T0 = 1_768_471_200  # 2026-01-15T10:00:00Z
T0_US = T0 * 1_000_000


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # plain values
        (
            {"t": 21, "open": True, "mode": "eco"},
            [("t", 21.0, None, None), ("open", True, None, None), ("mode", "eco", None, None)],
        ),
        # nested objects and arrays
        ({"air": {"t": 1.5, "inner": {"x": 2}}}, [("air.t", 1.5, None, None), ("air.inner.x", 2.0, None, None)]),
        ({"t": [1, 2]}, [("t.0", 1.0, None, None), ("t.1", 2.0, None, None)]),
        ({"ports": [{"v": 1}, {"v": 2}]}, [("ports.0.v", 1.0, None, None), ("ports.1.v", 2.0, None, None)]),
        # units
        ({"t": {"value": 21.5, "unit": "°C"}}, [("t", 21.5, "°C", None)]),
        ({"t": {"value": 21.5, "unit": ""}}, [("t", 21.5, None, None)]),
        ({"t": {"value": 21.5, "time": T0}}, [("t", 21.5, None, T0_US)]),
        ({"t": {"value": 1, "min": 0}}, [("t.value", 1.0, None, None), ("t.min", 0.0, None, None)]),  # not that form
        # several samples with their own times
        (
            {"log": [{"time": T0, "t": 1}, {"time": T0 + 60, "t": 2}]},
            [("log.t", 1.0, None, T0_US), ("log.t", 2.0, None, T0_US + 60_000_000)],
        ),
        ([{"timestamp": T0 * 1000, "t": 1}], [("t", 1.0, None, T0_US)]),
        ([{"time": "2026-01-15T11:00:00+01:00", "t": {"value": 1, "unit": "K"}}], [("t", 1.0, "K", T0_US)]),
        ({"t": [{"time": T0, "value": 1, "unit": "K"}]}, [("t", 1.0, "K", T0_US)]),
        ({"log": [{"time": T0, "a": {"b": 1}}]}, [("log.a.b", 1.0, None, T0_US)]),
        ([{"time": 5, "t": 1}], [("0.time", 5.0, None, None), ("0.t", 1.0, None, None)]),  # no usable time
        # fields that name themselves
        (
            [{"field": "T", "value": 1, "timestamp": T0}, {"field": "H", "value": 2, "unit": "%"}],
            [("T", 1.0, None, T0_US), ("H", 2.0, "%", None)],
        ),
        # a time outside a list is a value like any other
        ({"time": T0, "t": 1}, [("time", float(T0), None, None), ("t", 1.0, None, None)]),
        ({}, []),
        ([], []),
    ],
)
def test_forms_of_data(data: object, expected: list) -> None:
    assert flatten(data) == (expected, [])


@pytest.mark.parametrize(
    ("data", "expected", "warnings"),
    [
        ({"a": None, "b": 1}, [("b", 1.0, None, None)], ["a has no value: null, NaN or Infinity"]),
        (
            {"a": math.nan, "b": math.inf},
            [],
            ["a has no value: null, NaN or Infinity", "b has no value: null, NaN or Infinity"],
        ),
        ({"a": 10**400}, [], ["a has no value: null, NaN or Infinity"]),
        ({"": 1}, [], ["a field name has 0 characters, 1 to 200 fit"]),
        ({"x" * 201: 1}, [], ["a field name has 201 characters, 1 to 200 fit"]),
        ({"a.b": 1, "a": {"b": 2}}, [("a.b", 1.0, None, None)], ["a.b comes twice for the same time"]),
        ({"t": {"value": 1, "time": "soon"}}, [("t", 1.0, None, None)], ["t has no usable time: 'soon'"]),
        ({"t": {"value": [1], "unit": "K"}}, [], ["t.value is neither number, boolean nor text"]),
        (5, [], ["a field name has 0 characters, 1 to 200 fit"]),
    ],
)
def test_what_cannot_be_stored_is_left_out_with_a_warning(data: object, expected: list, warnings: list[str]) -> None:
    assert flatten(data) == (expected, warnings)


def test_depth_is_limited() -> None:
    data: object = {"x": 1}
    for _ in range(MAX_DEPTH):
        data = {"a": data, "n": 1}
    samples, warnings = flatten(data)
    assert [field.count(".") for field, *_ in samples] == list(range(MAX_DEPTH - 1, -1, -1))
    assert warnings == ["a.a.a.a.a.a.a.a is nested deeper than 8 levels"]


def test_lists_count_for_the_depth_and_warnings_are_few() -> None:
    data: object = 1
    for _ in range(MAX_DEPTH):
        data = [data]
    assert flatten({"a": data}) == ([], ["a.0.0.0.0.0.0.0 is nested deeper than 8 levels"])
    assert len(flatten({f"f{i}": None for i in range(100)})[1]) == 20


def test_the_number_of_samples_is_limited() -> None:
    samples, warnings = flatten({f"f{i}": i for i in range(MAX_SAMPLES + 1)})
    assert samples == [(f"f{i}", float(i), None, None) for i in range(MAX_SAMPLES)]
    assert warnings == ["more than 512 samples: the rest is left out"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (T0, T0_US),
        (T0 + 0.5, T0_US + 500_000),
        (T0 * 1000, T0_US),
        (T0_US, T0_US),
        ("2026-01-15T10:00:00Z", T0_US),
        ("2026-01-15T10:00:00", T0_US),  # no zone is UTC
        ("2026-01-15 10:00:00.25+00:00", T0_US + 250_000),
        (0, None),
        (-T0, None),
        (True, None),
        (math.nan, None),
        (1e300, None),
        (-1.7e302, None),
        (10**400, None),
        ("yesterday", None),
        ("0001-01-01", None),
        (None, None),
        ({}, None),
    ],
)
def test_times_of_devices(value: object, expected: int | None) -> None:
    assert time_us(value) == expected


@given(st.integers(946_684_800, 4_102_444_799))
def test_a_time_is_the_same_in_every_unit(seconds: int) -> None:
    text = datetime.fromtimestamp(seconds, UTC).isoformat()
    assert {time_us(seconds), time_us(seconds * 1000), time_us(seconds * 10**6), time_us(text)} == {seconds * 10**6}


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
KEYS = st.sampled_from(["a", "b", "value", "unit", "time", "timestamp", "field", ""]) | st.text(max_size=3)
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=30
)


@given(DATA)
def test_any_data_becomes_storable_samples(data: object) -> None:
    samples, _ = flatten(data)
    assert len({(field, at) for field, _, _, at in samples}) == len(samples)
    for field, value, unit, at in samples:
        assert 1 <= len(field) <= 200
        assert isinstance(value, (bool, str)) or (isinstance(value, float) and math.isfinite(value))
        assert unit is None or unit
        assert at is None or isinstance(at, int)


FIELDS = st.text(st.characters(exclude_characters="."), min_size=1, max_size=9)
STORABLE = st.booleans() | st.text(max_size=5) | st.floats(allow_nan=False, allow_infinity=False)


@given(st.dictionaries(FIELDS, STORABLE, max_size=9))
def test_a_flat_object_is_kept_whole_and_in_order(data: dict) -> None:
    expected = [(field, value, None, None) for field, value in data.items()]
    assert flatten(data) == (expected, [])
    nested = [(f"n.{field}", value, None, None) for field, value in data.items()]
    if not {"value"} <= data.keys() <= {"value", "unit", "time", "timestamp"}:
        assert flatten({"n": data}) == (nested, [])


@pytest.mark.parametrize(
    ("normalized", "expected"),
    [
        ({"air": {"temperature": 2.1}}, [("air.temperature", 2.1, None, None), T, P]),
        ([{"air": {"temperature": 2.1}}], [("air.temperature", 2.1, None, None), T, P]),
        ([{"p": 3}, {"battery": 3.6}], [("p", 3.0, None, None), ("battery", 3.6, None, None), T]),
        (
            [{"time": "2026-01-15T10:00:00Z", "wind": {"speed": 3}}, {"time": "2026-01-15T11:00:00Z", "t": 4}],
            [("wind.speed", 3.0, None, 1768471200000000), ("t", 4.0, None, 1768474800000000), T, P],
        ),
        ([], [T, P]),
        ("text", [T, P]),
    ],
)
def test_normalised_values_come_beside_the_data_and_count_where_both_have_a_field(normalized, expected):
    assert with_normalized([T, P], normalized) == expected
