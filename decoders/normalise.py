"""Decoded data becomes measurements: (field, value, unit, time).

* `{"air": {"temperature": 21.5}}` is the field `air.temperature`; `{"t": [1, 2]}` are the fields `t.0` and `t.1`.
* `{"temperature": {"value": 21.5, "unit": "°C"}}` is the field `temperature` with its unit, and with its time if the
  object has a key `time` or `timestamp`.
* A list of objects that have `time` or `timestamp` is several samples of the same fields:
  `{"log": [{"time": 1700000000, "t": 1}, ...]}` is the field `log.t` at each of these times, and such a list at the top
  is the field `t`. A time is ISO 8601 text, or a number of seconds, milliseconds or microseconds since 1970.
* A list of `{"field": "t", "value": 1, "unit": ..., "timestamp": ...}` names its fields itself.
* Numbers become float64; booleans and text stay what they are. null, which is also what NaN and Infinity become on
  their way out of JavaScript, is left out with a warning, and so is what lies deeper than 8 levels or comes after 512
  samples.
* What The Things Stack's `normalizeUplink` returns comes in addition, under its names.
"""

import sys
from datetime import UTC, datetime
from typing import Any

from decoders.contract import Sample

MAX_SAMPLES = 512
MAX_DEPTH = 8
MAX_FIELD_LENGTH = 200  # characters

_EARLIEST_US = 946_684_800_000_000  # 2000-01-01: a device whose clock was never set sends less
_LATEST_US = 4_102_444_800_000_000  # 2100-01-01
_MAX_WARNINGS = 20
_LARGEST_FLOAT = sys.float_info.max
_TIME_KEYS = ("time", "timestamp")
_VALUE_KEYS = frozenset(("value", "unit", *_TIME_KEYS))
_NAMED_KEYS = frozenset(("field", *_VALUE_KEYS))


def flatten(data: Any) -> tuple[list[Sample], list[str]]:
    """Samples of a decoded object or list, in its order, and warnings about what was left out."""
    plain = _plain(data)
    if plain is not None:
        return plain, []
    walk = _Walk()
    walk.node("", data, None, 0)
    return walk.samples, walk.warnings


def with_normalized(samples: list[Sample], normalized: Any) -> list[Sample]:
    """What `normalizeUplink` made of the data, an object or a list of them, and the data's own fields beside it.

    Where both have a field at the same time the normalised value counts.
    """
    entries = normalized if isinstance(normalized, list) else [normalized]
    found: list[Sample] = []
    for entry in entries:
        timed = isinstance(entry, dict) and any(key in entry for key in _TIME_KEYS)
        found += flatten([entry] if timed else entry)[0]
    given = {(sample[0], sample[3]) for sample in found}
    both = found + [sample for sample in samples if (sample[0], sample[3]) not in given]
    return list({(sample[0], sample[3]): sample for sample in both}.values())[:MAX_SAMPLES]


def _plain(data: Any) -> list[Sample] | None:
    """The short way for an object of numbers, booleans and texts, which most decoders return; None for any other."""
    if type(data) is not dict or len(data) > MAX_SAMPLES:
        return None
    samples: list[Sample] = []
    for field, value in data.items():
        kind = type(value)
        if not field or len(field) > MAX_FIELD_LENGTH:
            return None
        if kind is float or kind is int:
            if not -_LARGEST_FLOAT <= value <= _LARGEST_FLOAT:
                return None
            samples.append((field, float(value), None, None))
        elif kind is bool or kind is str:
            samples.append((field, value, None, None))
        else:
            return None
    return samples


def time_us(value: Any) -> int | None:
    """Microseconds since 1970 of a device's time; None where it is no time between 2000 and 2100."""
    if isinstance(value, str):
        us = _iso_us(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < _LATEST_US:
        us = _number_us(value)
    else:
        us = None
    return us if us is not None and _EARLIEST_US <= us < _LATEST_US else None


def _number_us(value: float) -> int:
    """The unit of a number of seconds, ms or us since 1970 follows from its size: the three ranges do not meet."""
    if value < 1e11:
        return round(value * 1_000_000)
    return round(value * 1000) if value < 1e14 else round(value)


def _iso_us(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000_000)


def is_measurement(field: str, node: dict[str, Any]) -> bool:
    """Whether an object is one measurement of a field: `{value, unit, time}`. What is at the top is none."""
    return bool(field) and "value" in node and _VALUE_KEYS.issuperset(node)


def names_itself(entry: dict[str, Any]) -> bool:
    """Whether an entry of a list is one measurement that has its field's name: `{field, value, unit, time}`."""
    return "value" in entry and isinstance(entry.get("field"), str) and _NAMED_KEYS.issuperset(entry)


def own_time(node: dict[str, Any]) -> tuple[str | None, int | None]:
    """The key of an object's time, None: it has none; and that time, None: it cannot be used."""
    for key in _TIME_KEYS:
        if key in node:
            return key, time_us(node[key])
    return None, None


class _Walk:
    """One walk over decoded data; `at` is the time that an enclosing list entry or value object gave."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.warnings: list[str] = []
        self._seen: set[tuple[str, int | None]] = set()

    def node(self, field: str, node: Any, at: int | None, depth: int) -> None:
        if isinstance(node, dict):
            if depth >= MAX_DEPTH:
                self._warn(f"{field} is nested deeper than {MAX_DEPTH} levels")
            elif is_measurement(field, node):
                self._value_object(field, node, at)
            else:
                self._members(field, node, at, depth)
        elif isinstance(node, list):
            if depth >= MAX_DEPTH:
                self._warn(f"{field} is nested deeper than {MAX_DEPTH} levels")
            else:
                self._entries(field, node, at, depth)
        else:
            self._sample(field, node, None, at)

    def _members(self, field: str, node: dict[str, Any], at: int | None, depth: int) -> None:
        for key, value in node.items():
            self.node(f"{field}.{key}" if field else key, value, at, depth + 1)

    def _entries(self, field: str, entries: list[Any], at: int | None, depth: int) -> None:
        for index, entry in enumerate(entries):
            if isinstance(entry, dict):
                if names_itself(entry):
                    self._value_object(f"{field}.{entry['field']}" if field else entry["field"], entry, at)
                    continue
                key, own = own_time(entry)
                if key is not None and own is not None:
                    rest = {name: value for name, value in entry.items() if name != key}
                    self._timed(field, rest, own, depth)
                    continue
            self.node(f"{field}.{index}" if field else str(index), entry, at, depth + 1)

    def _timed(self, field: str, entry: dict[str, Any], at: int, depth: int) -> None:
        if is_measurement(field, entry):
            self._value_object(field, entry, at)
        else:
            self._members(field, entry, at, depth + 1)

    def _value_object(self, field: str, node: dict[str, Any], at: int | None) -> None:
        key, own = own_time(node)
        if own is not None:
            at = own
        elif key is not None:
            self._warn(f"{field} has no usable {key}: {node[key]!r:.40}")
        unit = node.get("unit")
        value = node["value"]
        if isinstance(value, (dict, list)):
            self._warn(f"{field}.value is neither number, boolean nor text")
        else:
            self._sample(field, value, unit if isinstance(unit, str) and unit else None, at)

    def _sample(self, field: str, value: Any, unit: str | None, at: int | None) -> None:
        if not field or len(field) > MAX_FIELD_LENGTH:
            self._warn(f"a field name has {len(field)} characters, 1 to {MAX_FIELD_LENGTH} fit")
        elif not _storable(value):
            self._warn(f"{field} has no value: null, NaN or Infinity")
        elif (field, at) in self._seen:
            self._warn(f"{field} comes twice for the same time")
        elif len(self.samples) >= MAX_SAMPLES:
            self._warn(f"more than {MAX_SAMPLES} samples: the rest is left out")
        else:
            self._seen.add((field, at))
            kept = value if isinstance(value, (bool, str)) else float(value)
            self.samples.append((field, kept, unit, at))

    def _warn(self, text: str) -> None:
        if len(self.warnings) < _MAX_WARNINGS and text not in self.warnings:
            self.warnings.append(text)


def _storable(value: Any) -> bool:
    if isinstance(value, (bool, str)):
        return True
    return isinstance(value, (int, float)) and -_LARGEST_FLOAT <= value <= _LARGEST_FLOAT
