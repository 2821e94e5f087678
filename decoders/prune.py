"""A decoded object without some of its values, so that what is held back stands nowhere in it. Pure.

`normalise.flatten` makes of the rest what it made of the whole, without these samples. So objects and lists stay, if
need be empty: who reads `air.temperature` finds nothing there and does not fail. What goes is the value with its unit
and time, and a list's entry that has a time or a name of its own. null takes its place where the others of a list are
numbered, and where the rest would read as something else: `{value, quality}` without `quality` is one measurement.
"""

from collections.abc import Container, Sequence
from typing import Any

import msgspec

from decoders.contract import Result, Sample
from decoders.naming import Naming
from decoders.normalise import MAX_DEPTH, is_measurement, names_itself, own_time

Key = tuple[str, int | None]
"""Field, and time in UTC microseconds or None for the uplink's own: what `flatten` gives one sample for at most."""

TOO_DEEP = "the object is nested so deep that no values can be left out: it is left out whole"

_GONE: Any = object()
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def without(result: Result, naming: Naming, flags: Sequence[str], places: Sequence[int]) -> tuple[bytes, list[str]]:
    """The decoded object as JSON, and `naming`'s flags, without what they tell of the samples at these places.

    `flags` are of all samples; places beyond them are of others, which are not in the object.
    """
    told = list(flags)
    gone = [result.samples[place] for place in places if place < len(result.samples)]
    if not gone:
        return result.data_json, told
    if flags:
        for sample in gone:
            for flag in naming.apply([sample])[1]:
                told.remove(flag)
    try:
        return _pruned_text(result.data_json, gone), told
    except RecursionError:  # the worker that has read it had less of its stack in use
        return b"{}", [*told, TOO_DEEP]


def _pruned_text(text: bytes, gone: Sequence[Sample]) -> bytes:
    return _encode(pruned(_decode(text), {(field, at) for field, _, _, at in gone}))


def pruned(data: Any, gone: Container[Key]) -> Any:
    """A decoded object or list without the values of these samples; the given one is not changed."""
    return _Pruning(gone).node("", data, None, 0)


class _Pruning:
    """One walk over decoded data, as `flatten` walks; what is left of each part, or `_GONE`."""

    def __init__(self, gone: Container[Key]) -> None:
        self._gone = gone

    def node(self, field: str, node: Any, at: int | None, depth: int) -> Any:
        if isinstance(node, (dict, list)):
            if depth >= MAX_DEPTH:
                return node
            if isinstance(node, list):
                return self._entries(field, node, at, depth)
            if not is_measurement(field, node):
                return self._members(field, node, at, depth)
            at = self._time_in(node, at)
        return _GONE if (field, at) in self._gone else node

    def _members(self, field: str, node: dict[str, Any], at: int | None, depth: int) -> dict[str, Any]:
        left = {key: self.node(_joined(field, key), value, at, depth + 1) for key, value in node.items()}
        return _rest(left, is_measurement(field, _present(left)))

    def _entries(self, field: str, entries: list[Any], at: int | None, depth: int) -> list[Any]:
        left: list[Any] = []
        is_numbered = False
        for index, entry in enumerate(entries):
            if isinstance(entry, dict):
                if names_itself(entry):
                    key = _joined(field, entry["field"]), self._time_in(entry, at)
                    left.append(_GONE if key in self._gone else entry)
                    continue
                name, own = own_time(entry)
                if name is not None and own is not None:
                    left.append(self._timed(field, entry, name, own, depth))
                    continue
            is_numbered = True
            left.append(self._numbered(_joined(field, str(index)), entry, at, depth + 1))
        if is_numbered:
            return [None if entry is _GONE else entry for entry in left]
        return [entry for entry in left if entry is not _GONE]

    def _numbered(self, field: str, entry: Any, at: int | None, depth: int) -> Any:
        """An entry that must not read as one with a time or a name of its own afterwards."""
        left = self.node(field, entry, at, depth)
        if not isinstance(left, dict) or len(left) == len(entry):
            return left
        if names_itself(left) or own_time(left)[1] is not None:
            return {key: left.get(key) for key in entry}
        return left

    def _timed(self, field: str, entry: dict[str, Any], name: str, at: int, depth: int) -> Any:
        others = {key: value for key, value in entry.items() if key != name}
        if is_measurement(field, others):
            return _GONE if (field, self._time_in(others, at)) in self._gone else entry
        left = {key: self.node(_joined(field, key), value, at, depth + 2) for key, value in others.items()}
        rest = _present(left)
        if others and not rest:
            return _GONE
        left = {key: entry[name] if key == name else left[key] for key in entry}
        return _rest(left, is_measurement(field, rest) or names_itself(_present(left)))

    def _time_in(self, node: dict[str, Any], at: int | None) -> int | None:
        own = own_time(node)[1]
        return at if own is None else own


def _joined(field: str, key: str) -> str:
    return f"{field}.{key}" if field else key


def _present(left: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in left.items() if value is not _GONE}


def _rest(left: dict[str, Any], would_mislead: bool) -> dict[str, Any]:
    """What is left of an object that was no measurement, so that it still is none."""
    return {key: None if value is _GONE else value for key, value in left.items()} if would_mislead else _present(left)
