"""Units by their spellings, and the way from one to another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.units import SAME, UNITS, Unit, conversion, known

PAIRS = [(a, b) for a in UNITS for b in UNITS if a.dimension == b.dimension]


def convert(value: float, from_unit: str, to_unit: str) -> float:
    from_known, to_known = known(from_unit), known(to_unit)
    assert from_known is not None
    assert to_known is not None
    found = conversion(from_known, to_known)
    assert found is not None
    return found.of(value)


@pytest.mark.parametrize(
    ("value", "from_unit", "to_unit", "expected"),
    [
        (70.7, "°F", "°C", 21.5),
        (-40.0, "F", "celsius", -40.0),
        (273.15, "K", "°C", 0.0),
        (101_325.0, "Pa", "hPa", 1013.25),
        (1.0, "bar", "kPa", 100.0),
        (1.0, "psi", "kPa", 6.894757293),
        (3600.0, "mV", "V", 3.6),
        (1.0, "m³", "liters", 1000.0),
        (1.0, "inch", "mm", 25.4),
        (36.0, "km/h", "m/s", 10.0),
        (1200.0, "uS/cm", "dS/m", 1.2),
        (9.80665, "m/s2", "g", 1.0),
        (1.5, "h", "min", 90.0),
        (400.0, "ppb", "ppm", 0.4),
    ],
)
def test_values_go_from_unit_to_unit(value: float, from_unit: str, to_unit: str, expected: float) -> None:
    assert convert(value, from_unit, to_unit) == expected


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("℃", "°C"),
        (" degC ", "°C"),
        ("%RH", "%"),
        ("LUX", "lx"),
        ("ug/m3", "µg/m³"),
        ("kwh", "kWh"),
        ("KWH", "kWh"),
        ("mg", "mg"),
        ("MPa", "MPa"),
        ("mPa", None),  # a millipascal is not a megapascal
        ("furlong", None),
        ("", None),
    ],
)
def test_a_unit_is_known_by_its_spellings(text: str, symbol: str | None) -> None:
    found = known(text)
    assert (None if found is None else found.symbol) == symbol


def test_different_dimensions_do_not_mix() -> None:
    volts, kelvin = known("V"), known("K")
    assert volts is not None
    assert kelvin is not None
    assert conversion(volts, kelvin) is None
    assert conversion(volts, volts) is SAME


def test_a_spelling_is_of_one_unit() -> None:
    spellings = [spelling for unit in UNITS for spelling in (unit.symbol, *unit.spellings)]
    assert len(spellings) == len(set(spellings))
    assert [unit.symbol for unit in UNITS if known(unit.symbol) is not unit] == []
    assert [text for unit in UNITS for text in unit.spellings if known(text) is not unit] == []


@given(st.sampled_from(PAIRS), st.floats(-1e6, 1e6))
def test_there_and_back_is_the_same(pair: tuple[Unit, Unit], value: float) -> None:
    there, back = conversion(*pair), conversion(*reversed(pair))
    assert there is not None
    assert back is not None
    scale = max(abs(value), abs(back.factor), abs(back.offset), 1.0)
    assert back.of(there.of(value)) == pytest.approx(value, abs=scale * 1e-8)
