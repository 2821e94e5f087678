"""Values are left out of decoded objects: what is read from the rest is what was read from the whole, without them."""

import copy
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from decoders.contract import Result, Sample
from decoders.naming import FieldSpec, Naming
from decoders.normalise import MAX_DEPTH, flatten, with_normalized
from decoders.prune import TOO_DEEP, pruned, without

T0 = 1_768_471_200  # 2026-01-15T10:00:00Z
T1 = T0 + 60
AT0, AT1 = T0 * 1_000_000, T1 * 1_000_000


@pytest.mark.parametrize(
    ("data", "gone", "left"),
    [
        ({"t": 21, "p": 2}, {("t", None)}, {"p": 2}),
        ({"t": 21}, {("t", None)}, {}),
        ({"t": 21}, {("t", AT0)}, {"t": 21}),  # of another time
        # objects stay, so that who reads air.t finds nothing there and does not fail
        ({"air": {"t": 1, "rh": 2}, "p": 3}, {("air.t", None)}, {"air": {"rh": 2}, "p": 3}),
        ({"air": {"t": 1}}, {("air.t", None)}, {"air": {}}),
        # one measurement goes with all that is said of it
        ({"t": {"value": 1, "unit": "K", "time": T0}, "u": 2}, {("t", AT0)}, {"u": 2}),
        ({"t": {"value": 1, "unit": "K", "quality": 3}}, {("t.value", None)}, {"t": {"unit": "K", "quality": 3}}),
        # what must not become one measurement
        (
            {"t": {"value": 1, "unit": "K", "quality": 3}},
            {("t.quality", None)},
            {"t": {"value": 1, "unit": "K", "quality": None}},
        ),
        # the numbers of a list's other values stay
        ({"t": [1, 2, 3]}, {("t.1", None)}, {"t": [1, None, 3]}),
        ({"p": [{"v": 1}, {"v": 2}]}, {("p.0.v", None)}, {"p": [{}, {"v": 2}]}),
        ({"p": [{"value": 1, "unit": "K"}, 2]}, {("p.0", None)}, {"p": [None, 2]}),
        # history
        ({"log": [{"time": T0, "t": 1}, {"time": T1, "t": 2}]}, {("log.t", AT0)}, {"log": [{"time": T1, "t": 2}]}),
        ([{"time": T0, "t": 1, "p": 2}], {("t", AT0)}, [{"time": T0, "p": 2}]),
        ([{"time": T0, "t": 1}, {"x": 2}], {("t", AT0)}, [None, {"x": 2}]),
        ({"t": [{"time": T0, "value": 1, "unit": "K"}]}, {("t", AT0)}, {"t": []}),
        ({"t": [{"time": T0, "timestamp": T1, "value": 1}]}, {("t", AT1)}, {"t": []}),
        (
            {"t": [{"time": T0, "value": 1, "x": 2}]},
            {("t.x", AT0)},
            {"t": [{"time": T0, "value": 1, "x": None}]},
        ),
        # values that name themselves
        (
            [{"field": "T", "value": 1, "timestamp": T0}, {"field": "H", "value": 2}],
            {("T", AT0)},
            [{"field": "H", "value": 2}],
        ),
        ([{"field": "T", "value": 1, "q": 2}], {("0.q", None)}, [{"field": "T", "value": 1, "q": None}]),
        # numbered, for the first key that could be its time is none
        (
            [{"time": 5, "timestamp": T0, "t": 1}],
            {("0.time", None)},
            [{"time": None, "timestamp": T0, "t": 1}],
        ),
        # the second value of a field was never read, and does not take the place of the first
        ({"a.b": 1, "a": {"b": 2}}, {("a.b", None)}, {"a": {}}),
    ],
)
def test_forms_of_data(data: object, gone: set, left: object) -> None:
    before = copy.deepcopy(data)
    assert pruned(data, gone) == left
    assert data == before
    samples = [sample for sample in flatten(data)[0] if (sample[0], sample[3]) not in gone]
    assert flatten(left)[0] == samples


def test_the_page_of_decoders_tells_the_same() -> None:
    page = (Path(__file__).parents[2] / "docs/decoders.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z.0]+)`(?:, the first)? \| `(\{.*?\})` \| `(\{.*?\})`", page, re.MULTILINE)
    assert len(rows) == 5
    for field, whole, left in rows:
        data = json.loads(whole)
        gone = next((name, at) for name, _, _, at in flatten(data)[0] if name == field)
        assert pruned(data, {gone}) == json.loads(left)


def test_what_lies_too_deep_to_be_a_measurement_stays() -> None:
    data: object = {"x": 1}
    for _ in range(MAX_DEPTH):
        data = {"a": data}
    assert pruned(data, {("a.a.a.a.a.a.a.a.x", None)}) == data
    assert pruned({"a": {"x": [[1]]}}, {("a.x.0.0", None)}) == {"a": {"x": [[None]]}}


TIMES = st.sampled_from([T0, T1, T0 * 1000, datetime.fromtimestamp(T1, UTC).isoformat(), 5, "soon"])
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=2) | TIMES
KEYS = st.sampled_from(["a", "b", "a.b", "0", "value", "unit", "time", "timestamp", "field", ""])
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=40
).filter(lambda data: isinstance(data, (dict, list)))


@given(DATA, st.data())
@example([{"time": T0, "value": 1, "field": "a", "b": 2}], None)
def test_what_is_read_from_the_rest_is_what_was_read_without_the_values_that_are_gone(data: object, draw) -> None:
    samples, _ = flatten(data)
    keys = [(field, at) for field, _, _, at in samples]
    subsets = [set(draw.draw(st.sets(st.sampled_from(keys))))] if draw is not None and keys else [{k} for k in keys]
    for gone in [*subsets, set(keys), set()]:
        rest = pruned(data, gone)
        assert flatten(rest)[0] == [sample for sample in samples if (sample[0], sample[3]) not in gone]
        if not gone:
            assert rest == data


def result(data: object, normalized: object = None) -> Result:
    samples, warnings = flatten(data)
    if normalized is not None:
        samples = with_normalized(samples, normalized)
    return Result(msgspec.json.encode(data), samples, warnings)


def left_of(made: Result, naming: Naming, *places: int) -> tuple[object, list[str], list[Sample]]:
    """The object, the flags, and the samples as they are named."""
    named, flags = naming.apply(made.samples)
    text, told = without(made, naming, flags, places)
    return json.loads(text), told, named


def test_a_field_that_has_got_another_name_goes_under_its_own() -> None:
    data = {"battery_mv": 3600, "x": {"value": 70, "unit": "°F"}, "y": 1}
    naming = Naming({"x": FieldSpec(name="air.temperature")})
    left, _, named = left_of(result(data), naming, 0, 1)
    assert ([sample[0] for sample in named], left) == (["battery", "air.temperature", "y"], {"y": 1})
    assert left_of(result(data), naming, 2)[0] == {name: data[name] for name in ("battery_mv", "x")}


def test_a_flag_goes_with_its_value() -> None:
    data = [{"time": t, "co2": value} for t, value in ((T0, 99999), (T1, 99999), (T1 + 60, 88888))]
    left, flags, named = left_of(result(data), Naming(), 0, 2)
    assert [sample[0] for sample in named] == ["flagged.co2"] * 3
    assert (left, flags) == (data[1:2], ["co2 is 99999 ppm, plausible is 0 to 40000 ppm: kept as flagged.co2"])


def test_a_flag_about_a_name_stays() -> None:
    data = {"battery": 3.6, "batt_mv": 3600}
    left, flags, _ = left_of(result(data), Naming({"batt_mv": FieldSpec(unit="mV", name="battery")}), 0)
    assert (left, flags) == ({"batt_mv": 3600}, ["batt_mv means battery, which is there already: kept as batt_mv"])


def test_what_normalizeuplink_adds_is_not_in_the_object_and_what_it_replaces_is() -> None:
    made = result({"t": 21, "p": 2}, [{"air": {"temperature": 2.1}}, {"p": 3}])
    assert [sample[0] for sample in made.samples] == ["air.temperature", "p", "t"]
    assert left_of(made, Naming(), 0)[0] == {"t": 21, "p": 2}
    assert left_of(made, Naming(), 1)[0] == {"t": 21}


def test_samples_that_the_server_adds_are_not_looked_for() -> None:
    made = result({"t": 21})
    assert without(made, Naming(), ["f"], [1, 2]) == (made.data_json, ["f"])


NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)


@given(st.dictionaries(st.text(min_size=1, max_size=5), NUMBERS, min_size=1))
def test_what_stays_is_written_with_the_same_values(data: dict) -> None:
    made = result({**data, "\x00gone": 1})
    text, _ = without(made, Naming(), [], [len(made.samples) - 1])
    assert msgspec.json.decode(text) == data


def test_an_object_that_cannot_be_read_again_is_left_out_with_a_warning() -> None:
    text = b'{"t":1,"d":' + b"[" * 5000 + b"]" * 5000 + b"}"
    made = Result(text, [("t", 1.0, None, None)])
    assert without(made, Naming(), ["f"], [0]) == (b"{}", ["f", TOO_DEEP])
    assert without(made, Naming(), ["f"], []) == (text, ["f"])
