"""Samples get the names and units of the vocabulary; what cannot be relied on is flagged, and nothing is dropped. Pure.

* A field that is a spelling of a name of the vocabulary gets that name, and its value the name's unit where the unit is
  known: from the codec's result, from the template, from the end of the name (`battery_mv`). Without any of these a
  name of the vocabulary has the vocabulary's unit.
* A value outside the plausible range, of another kind or in a unit of something else is kept as the decoder gave it,
  under `flagged.` and its own name, with a warning: what stands under the vocabulary's name can be trusted.
* Every other field is kept as it is.

What is decided about a field is decided once and remembered, for this runs for every value of every uplink.
"""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, NamedTuple

import msgspec

from decoders import units, vocabulary
from decoders.change import Rules
from decoders.contract import Sample, Value
from decoders.limits import Policy
from decoders.units import SAME, Conversion
from decoders.vocabulary import Entry, Kind

FLAGGED = "flagged."

_REMEMBERED_MOST = 4096  # a script may make up names without end
_SUFFIXES = {
    "c": "°C", "f": "°F", "k": "K", "degc": "°C", "degf": "°F", "celsius": "°C", "fahrenheit": "°F", "kelvin": "K",
    "pct": "%", "percent": "%", "perc": "%", "rh": "%", "pa": "Pa", "hpa": "hPa", "kpa": "kPa", "mbar": "hPa",
    "bar": "bar", "psi": "psi", "v": "V", "mv": "mV", "volt": "V", "volts": "V", "a": "A", "ma": "mA", "w": "W",
    "kw": "kW", "wh": "Wh", "kwh": "kWh", "mwh": "MWh", "hz": "Hz", "mps": "m/s", "kmh": "km/h", "kph": "km/h",
    "mph": "mph", "kn": "kn", "knots": "kn", "m": "m", "cm": "cm", "mm": "mm", "km": "km", "ft": "ft", "inch": "in",
    "mmh": "mm/h", "ppm": "ppm", "ppb": "ppb", "ugm3": "µg/m³", "lx": "lx", "lux": "lx", "wm2": "W/m²", "l": "l",
    "ml": "ml", "liter": "l", "liters": "l", "litre": "l", "litres": "l", "m3": "m³", "gal": "gal", "lph": "l/h",
    "lpm": "l/min", "m3h": "m³/h", "dsm": "dS/m", "uscm": "µS/cm", "mscm": "dS/m", "deg": "°", "db": "dB", "g": "g",
    "mg": "mg",
}  # fmt: skip
# Ends of names that can hardly be anything but a unit, also where the name says nothing else to us.
_CLEAR = {"degc", "degf", "celsius", "fahrenheit", "kelvin", "pct", "percent", "hpa", "kpa", "mbar", "psi", "mv", "kw"}
_CLEAR |= {"kwh", "mwh", "mps", "kmh", "kph", "mph", "ppm", "ppb", "ugm3", "lux", "uscm", "mscm"}
_UNKNOWN: Any = object()
_KINDS: dict[type, Kind] = {float: "number", bool: "boolean", str: "text"}


class FieldSpec(msgspec.Struct, frozen=True):
    """What a device template says of a field: `[fields.NAME]`. The codec's value, min and max are in `unit`.

    `name` is the vocabulary's name for it where its own does not tell; its own leaves it alone.
    """

    unit: str = ""
    label: str = ""
    min: float | None = None
    max: float | None = None
    name: str = ""


Fields = Mapping[str, FieldSpec]


class Suggestion(NamedTuple):
    """A field that the vocabulary does not know, and what its author may have meant; often nothing."""

    field: str
    names: tuple[str, ...]


class Review(NamedTuple):
    """What an author is shown of one result: the samples as they would be stored, and what there is to say of them."""

    samples: list[Sample]
    flags: list[str]
    suggestions: list[Suggestion]


class _Plan(NamedTuple):
    """What is done with the values of a field in a unit. `as_is` passes everything on untouched.

    `convert` None: the value stays; `wrong` says why no value can be trusted.
    """

    name: str
    unit: str | None
    kind: Kind | None
    low: float
    high: float
    convert: Conversion | None = None
    as_is: bool = False
    renames: bool = False
    wrong: str | None = None


_Quick = tuple[str, str | None, float, float, Conversion | None, bool, _Plan]
"""Of a plan what a number needs: name, unit, low, high, convert, renames, the plan. No number lies in an empty range,
which is how everything else takes the long way; None: as it is."""


class Naming:
    """Names, units and ranges for the devices of one codec version and one template.

    `policy` are the template's rules of what is kept, joined by those same rules under the names that samples get;
    `max_per_hour` is of all measurements of a device, 0: no limit.
    """

    def __init__(self, fields: Fields | None = None, rules: Rules | None = None, max_per_hour: int = 0) -> None:
        self._fields = fields or {}
        self.policy = Policy.of(rules or {}, max_per_hour)
        self.rules = self.policy.rules
        self._plans: dict[tuple[str, str | None], _Quick | None] = {}

    def apply(self, samples: Sequence[Sample]) -> tuple[list[Sample], list[str]]:
        """The samples as they are to be stored, in their order, and a sentence on each that is flagged."""
        named: list[Sample] = []
        flags: list[str] = []
        plans = self._plans
        renamed = False
        for sample in samples:
            field, value, unit, at = sample
            quick = plans.get((field, unit), _UNKNOWN)
            if quick is _UNKNOWN:
                quick = self._learn(field, unit)
            if quick is None:
                named.append(sample)
                continue
            name, to_unit, low, high, convert, renames, plan = quick
            if type(value) is float:
                number = value if convert is None else convert.of(value)
                if low <= number <= high:
                    named.append((name, number, to_unit, at))
                    renamed = renamed or renames
                    continue
            kept, problem = _doubt(field, value, plan)
            if problem is None:
                named.append((name, kept, to_unit, at))
                renamed = renamed or renames
            else:
                flags.append(f"{problem}: kept as {FLAGGED}{field}")
                named.append((FLAGGED + field, value, unit, at))
        if renamed and len({(sample[0], sample[3]) for sample in named}) < len(named):
            self._part(samples, named, flags)
        return named, flags

    def _part(self, samples: Sequence[Sample], named: list[Sample], flags: list[str]) -> None:
        """Two fields of an uplink mean the same: who had the name keeps it, then the first; others stay as they are."""
        taken = {(n[0], n[3]) for n, s in zip(named, samples, strict=True) if n[0] == s[0]}
        for index, (own, new) in enumerate(zip(samples, named, strict=True)):
            if new[0] == own[0]:
                continue
            if (new[0], new[3]) in taken:
                flags.append(f"{own[0]} means {new[0]}, which is there already: kept as {own[0]}")
                named[index] = own
            taken.add((named[index][0], new[3]))

    def _learn(self, field: str, unit: str | None) -> _Quick | None:
        plan = _plan(field, unit, self._fields.get(field))
        if len(self._plans) >= _REMEMBERED_MOST:
            self._plans.clear()
        self._plans[(field, unit)] = quick = None if plan.as_is else _quick(plan)
        self._extend_rules(field, plan)
        return quick

    def _extend_rules(self, field: str, plan: _Plan) -> None:
        """A rule for the author's field is one for its name, with the dead-band in the name's unit."""
        factor = 1.0 if plan.convert is None else abs(plan.convert.factor)
        self.policy.extend(plan.name, field, factor)
        if not plan.as_is and not self.policy.extend(FLAGGED + field, field):
            self.policy.extend(FLAGGED + field, plan.name)


def review(samples: Sequence[Sample], fields: Fields | None = None) -> Review:
    """What would become of the samples of one result, with suggestions for names that are unknown."""
    named, flags = Naming(fields).apply(samples)
    unknown = dict.fromkeys(
        field for field, _, unit, _ in samples if entry_of(field, unit, (fields or {}).get(field)) is None
    )
    return Review(named, flags, [Suggestion(field, vocabulary.suggest(field)) for field in unknown])


def is_known(name: str) -> bool:
    """Whether the vocabulary has a name, as it is or with numbers between points."""
    return _exact(name) is not None


def entry_of(field: str, unit: str | None, spec: FieldSpec | None = None) -> Entry | None:
    """The vocabulary's entry that a field is stored under; None: the field keeps its own name."""
    return _recognise(field, unit, spec)[0]


def _recognise(field: str, unit: str | None, spec: FieldSpec | None) -> tuple[Entry | None, str | None]:
    """The entry of a field, and the unit of its values as far as anybody says it."""
    said = unit or (spec.unit if spec else "") or None
    if spec is not None and spec.name:
        return (_exact(spec.name) if spec.name != field or _exact(field) else None), said
    exact = _exact(field)
    if exact is not None:
        return exact, said
    parts = vocabulary.words(field)
    entry = vocabulary.by_key("".join(parts))
    if entry is None:
        for ending in (2, 1):  # m3 and wm2 are two words
            suffix = "".join(parts[-ending:])
            if suffix not in _SUFFIXES or len(parts) <= ending:
                continue
            stem = vocabulary.by_key("".join(parts[:-ending]))
            if stem is not None and _convertible(_SUFFIXES[suffix], stem):
                return stem, said or _SUFFIXES[suffix]
            if suffix in _CLEAR:
                return None, said or _SUFFIXES[suffix]
        return None, said
    if said is None and entry.unit is not None and entry.unit not in vocabulary.CUSTOMARY:
        return None, None
    return entry, said


def _exact(field: str) -> Entry | None:
    """The entry that is named so; numbers between points tell several of a kind apart: soil.1.moisture."""
    entry = vocabulary.ENTRIES.get(field)
    if entry is None and "." in field:
        entry = vocabulary.ENTRIES.get(".".join(part for part in field.split(".") if not part.isdigit()))
    return entry


def _convertible(unit: str, entry: Entry) -> bool:
    return entry.unit is not None and _conversion(unit, entry.unit) is not None


def _conversion(from_text: str, to_text: str) -> Conversion | None:
    from_unit, to_unit = units.known(from_text), units.known(to_text)
    return None if from_unit is None or to_unit is None else units.conversion(from_unit, to_unit)


def _plan(field: str, unit: str | None, spec: FieldSpec | None) -> _Plan:
    entry, said = _recognise(field, unit, spec)
    if entry is None:
        return _own_plan(field, unit, said, spec)
    name = field if _exact(field) is entry else entry.name
    if spec is not None and spec.name:
        name = spec.name
    low, high = _bound(entry.low, -inf), _bound(entry.high, inf)
    convert: Conversion | None = None
    wrong = None
    if entry.kind == "number" and said is not None and entry.unit is not None:
        convert = _conversion(said, entry.unit)
        if convert is None:
            wrong = f"{field} has the unit {said}, {entry.name} is in {entry.unit}"
    if wrong is None and spec is not None:  # the template knows its device: its range goes before the vocabulary's
        bounds = (_conversion(spec.unit, entry.unit) if spec.unit and entry.unit else convert) or SAME
        low = low if spec.min is None else bounds.of(spec.min)
        high = high if spec.max is None else bounds.of(spec.max)
    plain = None if convert is None or convert == SAME else convert
    return _Plan(name, entry.unit, entry.kind, low, high, plain, False, name != field, wrong)


def _own_plan(field: str, unit: str | None, said: str | None, spec: FieldSpec | None) -> _Plan:
    """A field under its own name: it may have a range and a unit of the template's."""
    low, high = (_bound(spec.min, -inf), _bound(spec.max, inf)) if spec else (-inf, inf)
    as_is = said == unit and low == -inf and high == inf
    return _Plan(field, said, None, low, high, None, as_is)


def _quick(plan: _Plan) -> _Quick:
    numbers = plan.wrong is None and plan.kind in ("number", None)
    low, high = (plan.low, plan.high) if numbers else (inf, -inf)
    return plan.name, plan.unit, low, high, plan.convert, plan.renames, plan


def _doubt(field: str, value: Value, plan: _Plan) -> tuple[Value, str | None]:
    """The value to keep of one that is no number in its range, and what is wrong with it, if anything."""
    if plan.wrong is not None:
        return value, plan.wrong
    if type(value) is float and plan.kind in ("number", None):
        number = value if plan.convert is None else plan.convert.of(value)
        return value, f"{field} is {_shown(number, plan.unit)}, plausible is {_range(plan.low, plan.high, plan.unit)}"
    return _other_kind(field, value, plan)


def _other_kind(field: str, value: Value, plan: _Plan) -> tuple[Value, str | None]:
    """A value that is no number, or a number where another kind is expected: 0 and 1 serve as no and yes."""
    if plan.kind is None or _KINDS.get(type(value)) == plan.kind:
        return value, None
    if plan.kind == "boolean" and value in (0.0, 1.0) and type(value) is float:
        return value == 1.0, None
    found = _KINDS.get(type(value), "number")
    return value, f"{field} is a {found} ({_shown(value, None)}), {plan.name} is a {plan.kind}"


def _bound(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _range(low: float, high: float, unit: str | None) -> str:
    if high == inf:
        return f"{_shown(low, unit)} or more"
    if low == -inf:
        return f"{_shown(high, unit)} or less"
    return f"{_shown(low, None)} to {_shown(high, unit)}"


def _shown(value: Value, unit: str | None) -> str:
    text = f"{value:.10g}" if type(value) is float or type(value) is int else str(value)[:40]
    return text if unit is None else f"{text} {unit}"
