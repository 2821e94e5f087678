"""Samples get names, units and ranges that can be relied on; nothing is lost on the way."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.change import Rule
from decoders.contract import Sample, Value
from decoders.naming import FLAGGED, FieldSpec, Naming, Suggestion, entry_of, is_known, review
from decoders.vocabulary import TABLE


def stored(
    field: str, value: Value, unit: str | None = None, spec: dict[str, object] | None = None
) -> tuple[Sample, list[str]]:
    fields = {field: msgspec.convert(spec, FieldSpec)} if spec else None
    (named,), flags = Naming(fields).apply([(field, value, unit, None)])
    return named, flags


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("air.temperature", 21.5), ("air.temperature", 21.5, "°C")),
        (("air.temperature", 70.7, "°F"), ("air.temperature", 21.5, "°C")),
        (("soil.1.temperature", 294.65, "K"), ("soil.1.temperature", 21.5, "°C")),
        (("AirTemperature", 21.5), ("air.temperature", 21.5, "°C")),
        (("air_temperature_f", 70.7), ("air.temperature", 21.5, "°C")),
        (("battery_mv", 3600.0), ("battery", 3.6, "V")),
        (("pm2_5", 12.0), ("pm2_5", 12.0, None)),  # µg/m³ does not go without saying
        (("pm2_5", 12.0, "ug/m3"), ("air.pm2_5", 12.0, "µg/m³")),
        (("tank_mv", 3600.0), ("tank_mv", 3600.0, "mV")),
        (("valve_c", 3.0), ("valve_c", 3.0, None)),  # c is hardly a unit here
        (("pulseCount", 7.0), ("metering.pulses", 7.0, None)),
        (("water.leak", 1.0), ("water.leak", True, None)),
        (("water.leak", False), ("water.leak", False, None)),
        (("action.contactState", "open"), ("action.contactState", "open", None)),
        (("temperature", 21.5), ("temperature", 21.5, None)),
        (("level", 21.5, "cm"), ("level", 21.5, "cm")),
    ],
)
def test_a_field_gets_its_name_and_unit(given, expected):
    assert stored(*given) == ((*expected, None), [])


@pytest.mark.parametrize(
    ("given", "flag"),
    [
        (("air.temperature", 850.0), "air.temperature is 850 °C, plausible is -60 to 100 °C"),
        (("air.temperature", 500.0, "°F"), "air.temperature is 260 °C, plausible is -60 to 100 °C"),
        (("air.temperature", "warm"), "air.temperature is a text (warm), air.temperature is a number"),
        (("air.temperature", 21.5, "V"), "air.temperature has the unit V, air.temperature is in °C"),
        (("air.temperature", 21.5, "furlong"), "air.temperature has the unit furlong, air.temperature is in °C"),
        (("water.leak", 2.0), "water.leak is a number (2), water.leak is a boolean"),
        (("doorState", True), "doorState is a boolean (True), action.contactState is a text"),
    ],
)
def test_what_cannot_be_meant_is_kept_apart_as_it_came(given, flag):
    field, value, *unit = given
    named, flags = stored(*given)
    assert named == (FLAGGED + field, value, unit[0] if unit else None, None)
    assert flags == [f"{flag}: kept as flagged.{field}"]


@pytest.mark.parametrize(
    ("field", "value", "spec", "expected"),
    [
        ("air.temperature", 99.0, {"max": 85.0}, "plausible is -60 to 85 °C"),
        ("air.temperature", 120.0, {"max": 150.0}, None),
        ("flow", -1.0, {"min": 0.0}, "plausible is 0 or more"),
        ("flow", 9.0, {"max": 5.0}, "plausible is 5 or less"),
        ("air.temperature", 212.0, {"unit": "°F", "max": 200.0}, "plausible is -60 to 93.33333333 °C"),
    ],
)
def test_the_templates_range_goes_before_that_of_the_table(field, value, spec, expected):
    _, flags = stored(field, value, None, spec)
    assert [flag for flag in flags if expected and expected in flag] == flags
    assert bool(flags) is (expected is not None)


@pytest.mark.parametrize(
    ("field", "value", "unit", "spec", "expected"),
    [
        ("level", 4.0, None, {"name": "water.level", "unit": "m"}, ("water.level", 4000.0, "mm")),
        ("level", 4.0, "cm", {"name": "water.level", "unit": "m"}, ("water.level", 40.0, "mm")),  # the codec knows best
        ("level", 4.0, None, {"unit": "cm"}, ("level", 4.0, "cm")),
        ("co2", 400.0, None, {"name": "co2"}, ("co2", 400.0, None)),
        ("co2", 400.0, None, {"name": "nonsense"}, ("co2", 400.0, None)),
        ("airTemp", 70.7, None, {"unit": "°F"}, ("air.temperature", 21.5, "°C")),
    ],
)
def test_the_template_tells_what_a_field_is(field, value, unit, spec, expected):
    assert stored(field, value, unit, spec) == ((*expected, None), [])


def test_two_fields_that_mean_the_same_stay_two():
    samples = [("airTemp", 20.0, None, None), ("air.temperature", 21.0, None, None), ("ambientTemp", 22.0, None, 5)]
    named, flags = Naming().apply(samples)
    assert [sample[0] for sample in named] == ["airTemp", "air.temperature", "air.temperature"]
    assert flags == ["airTemp means air.temperature, which is there already: kept as airTemp"]


def test_a_rule_holds_under_both_names_and_for_flagged_values():
    naming = Naming(None, {"battery_mv": Rule(deadband_abs=100.0), "humidity": Rule()})
    naming.apply([("battery_mv", 3600.0, None, None), ("humidity", 1.0, None, None)])
    assert naming.rules == {
        "battery_mv": Rule(deadband_abs=100.0),
        "battery": Rule(deadband_abs=0.1),
        "flagged.battery_mv": Rule(deadband_abs=100.0),
        "humidity": Rule(),
    }


def test_names_without_end_do_not_fill_the_memory():
    naming = Naming()
    for n in range(10_000):
        naming.apply([(f"field{n}", 1.0, None, None)])
    assert len(naming._plans) <= 4096


def test_a_review_shows_names_flags_and_suggestions():
    samples = [("temperature", 1.0, None, None), ("battery", 99.0, None, None), ("valve", "x", None, None)]
    found = review(samples)
    assert [sample[0] for sample in found.samples] == ["temperature", "flagged.battery", "valve"]
    assert found.flags == ["battery is 99 V, plausible is 0 to 30 V: kept as flagged.battery"]
    names = ("air.temperature", "soil.temperature", "water.temperature.current", "device.temperature")
    assert found.suggestions == [Suggestion("temperature", names), Suggestion("valve", ())]
    assert review(samples, {"temperature": FieldSpec(name="soil.temperature")}).suggestions == [Suggestion("valve", ())]


@pytest.mark.parametrize("entry", TABLE, ids=[entry.name for entry in TABLE])
def test_an_entry_is_found_by_its_name_and_its_spellings_in_its_unit(entry):
    assert {entry_of(spelling, entry.unit) for spelling in (entry.name, *entry.also)} == {entry}


fields = st.one_of(st.sampled_from([entry.name for entry in TABLE]), st.text(min_size=1, max_size=30))
values = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.text(max_size=20))
samples = st.lists(st.tuples(fields, values, st.one_of(st.none(), st.text(max_size=6)), st.none()), max_size=8)


@given(samples)
def test_nothing_is_dropped_and_nothing_comes_twice(given):
    given = list({sample[0]: sample for sample in given}.values())
    naming = Naming()
    named, flags = naming.apply(given)
    assert len(named) == len(given)
    assert len({sample[0] for sample in named}) == len(named)
    assert (named, flags) == naming.apply(given)
    for before, after in zip(given, named, strict=True):
        if after[0].startswith(FLAGGED):
            assert after[1:] == before[1:]


def test_the_templates_range_is_in_its_unit_whatever_unit_the_decoder_says():
    spec = {"unit": "m", "name": "water.level", "min": 1.0, "max": 3.0}
    assert stored("level", 200.0, "cm", spec) == (("water.level", 2000.0, "mm", None), [])
    assert stored("level", 400.0, "cm", spec)[1] == [
        "level is 4000 mm, plausible is 1000 to 3000 mm: kept as flagged.level"
    ]


def test_a_template_may_name_one_of_several_of_a_kind():
    assert stored("vwc2", 31.0, None, {"name": "soil.2.moisture"}) == (("soil.2.moisture", 31.0, "%", None), [])


@pytest.mark.parametrize(
    ("name", "known"), [("soil.moisture", True), ("soil.2.moisture", True), ("soil.2", False), ("vwc", False)]
)
def test_a_name_of_the_vocabulary_may_have_numbers(name, known):
    assert is_known(name) is known
