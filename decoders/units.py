"""Units of measurements: their spellings, and how a value goes from one to another of the same dimension. Pure.

Every unit is `base = value * factor + offset`, where the base of its dimension is the first unit of the table. Factors
are exact by definition (foot, pound-force per square inch, ...) or rounded to ten digits.
"""

from typing import NamedTuple


class Unit(NamedTuple):
    """A unit by its one spelling in this project."""

    symbol: str
    dimension: str
    factor: float = 1.0
    offset: float = 0.0
    spellings: tuple[str, ...] = ()


class Conversion(NamedTuple):
    """`value * factor + offset`."""

    factor: float
    offset: float

    def of(self, value: float) -> float:
        """The value in the other unit, without the noise that a binary fraction leaves behind the ninth decimal."""
        return round(value * self.factor + self.offset, 9)


SAME = Conversion(1.0, 0.0)

UNITS = (
    Unit("°C", "temperature", spellings=("c", "degc", "deg c", "celsius", "℃", "ºc")),
    Unit("°F", "temperature", 5 / 9, -160 / 9, ("f", "degf", "deg f", "fahrenheit", "℉", "ºf")),
    Unit("K", "temperature", 1.0, -273.15, ("kelvin",)),
    Unit("%", "ratio", spellings=("pct", "percent", "percentage", "perc", "%rh", "% rh", "rh", "%vwc")),
    Unit("‰", "ratio", 0.1, spellings=("permille",)),
    Unit("hPa", "pressure", spellings=("mbar", "millibar", "hectopascal")),
    Unit("Pa", "pressure", 0.01, spellings=("pascal",)),
    Unit("kPa", "pressure", 10.0, spellings=("cbar", "kilopascal")),
    Unit("MPa", "pressure", 10_000.0),
    Unit("bar", "pressure", 1000.0),
    Unit("psi", "pressure", 68.94757293),
    Unit("mmHg", "pressure", 1.333223684, spellings=("torr",)),
    Unit("inHg", "pressure", 33.86388667),
    Unit("ppm", "concentration"),
    Unit("ppb", "concentration", 0.001),
    Unit("µg/m³", "density", spellings=("ug/m3", "µg/m3", "μg/m³", "μg/m3", "ug/m³", "ugm3")),
    Unit("mg/m³", "density", 1000.0, spellings=("mg/m3", "mgm3")),
    Unit("lx", "illuminance", spellings=("lux",)),
    Unit("W/m²", "irradiance", spellings=("w/m2", "wm2")),
    Unit("dS/m", "conductivity", spellings=("ms/cm", "mscm", "dsm")),
    Unit("µS/cm", "conductivity", 0.001, spellings=("us/cm", "μs/cm", "uscm")),
    Unit("S/m", "conductivity", 10.0),
    Unit("m/s", "speed", spellings=("mps",)),
    Unit("km/h", "speed", 1 / 3.6, spellings=("kmh", "kph", "kmph")),
    Unit("mph", "speed", 0.44704),
    Unit("kn", "speed", 1852 / 3600, spellings=("knots", "knot", "kt")),
    Unit("m", "length", spellings=("meter", "metre", "meters", "metres")),
    Unit("cm", "length", 0.01),
    Unit("mm", "length", 0.001),
    Unit("km", "length", 1000.0),
    Unit("ft", "length", 0.3048, spellings=("feet", "foot")),
    Unit("in", "length", 0.0254, spellings=("inch", "inches")),
    Unit("mm/h", "precipitation", spellings=("mmh", "mm/hr")),
    Unit("in/h", "precipitation", 25.4, spellings=("in/hr",)),
    Unit("l", "volume", spellings=("liter", "litre", "liters", "litres")),
    Unit("ml", "volume", 0.001),
    Unit("m³", "volume", 1000.0, spellings=("m3", "cbm")),
    Unit("gal", "volume", 3.785411784, spellings=("gallon", "gallons", "us gal")),
    Unit("ft³", "volume", 28.31684659, spellings=("ft3", "cuft")),
    Unit("l/h", "flow", spellings=("lph", "l/hr")),
    Unit("l/min", "flow", 60.0, spellings=("lpm",)),
    Unit("m³/h", "flow", 1000.0, spellings=("m3/h", "m3h")),
    Unit("V", "voltage", spellings=("volt", "volts")),
    Unit("mV", "voltage", 0.001, spellings=("millivolt", "millivolts")),
    Unit("A", "current", spellings=("amp", "amps", "ampere")),
    Unit("mA", "current", 0.001, spellings=("milliamp", "milliamps")),
    Unit("W", "power", spellings=("watt", "watts")),
    Unit("kW", "power", 1000.0),
    Unit("kWh", "energy"),
    Unit("Wh", "energy", 0.001),
    Unit("MWh", "energy", 1000.0),
    Unit("Hz", "frequency", spellings=("hertz",)),
    Unit("kHz", "frequency", 1000.0),
    Unit("dB", "sound", spellings=("dba", "db(a)", "dbspl")),
    Unit("g", "acceleration"),
    Unit("mg", "acceleration", 0.001),
    Unit("m/s²", "acceleration", 1 / 9.80665, spellings=("m/s2",)),
    Unit("°", "angle", spellings=("deg", "degree", "degrees")),
    Unit("rad", "angle", 57.29577951),
    Unit("s", "duration", spellings=("sec", "second", "seconds")),
    Unit("ms", "duration", 0.001),
    Unit("min", "duration", 60.0, spellings=("minute", "minutes")),
    Unit("h", "duration", 3600.0, spellings=("hour", "hours")),
    Unit("d", "duration", 86_400.0, spellings=("day", "days")),
)

_BY_SYMBOL = {unit.symbol: unit for unit in UNITS}
# A symbol is case-sensitive (mg and Mg, mPa and MPa are not the same); other spellings are not.
_BY_SPELLING = {spelling: unit for unit in UNITS for spelling in unit.spellings}
_BY_LOWER: dict[str, Unit | None] = {}
for _unit in UNITS:
    _lower = _unit.symbol.lower()
    _BY_LOWER[_lower] = None if _lower in _BY_LOWER else _unit


def known(text: str) -> Unit | None:
    """The unit that a text names; None for one that is not in the table, or that could be two of them."""
    text = text.strip()
    lower = text.lower()
    found = _BY_SYMBOL.get(text) or _BY_SPELLING.get(lower)
    if found is None and text in (lower, text.upper()):  # mPa is no spelling of MPa
        found = _BY_LOWER.get(lower)
    return found


def conversion(from_unit: Unit, to_unit: Unit) -> Conversion | None:
    """How a value goes from one unit to the other; None where they do not measure the same thing."""
    if from_unit.dimension != to_unit.dimension:
        return None
    if from_unit is to_unit:
        return SAME
    return Conversion(from_unit.factor / to_unit.factor, (from_unit.offset - to_unit.offset) / to_unit.factor)
