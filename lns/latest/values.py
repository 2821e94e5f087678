"""The last value of every field of every device. Pure.

Invariant: a field holds the value with the newest time, of equal times the one with the highest seq, in whatever order
and however often records come.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from lns.exchange.records import Value
from lns.series.store import Removal, Rows


class FieldKey(NamedTuple):
    """A field of a device."""

    device_id: int
    field: str


class Latest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A field's last value; `time_us` is UTC microseconds, `seq` the exchange position of its record."""

    value: Value
    unit: str | None
    time_us: int
    seq: int


def keys_of(rows: Rows, removals: Iterable[Removal]) -> set[FieldKey]:
    """The fields that a batch may change."""
    keys: set[FieldKey] = set(zip(rows.device_ids, rows.fields, strict=True))  # type: ignore[arg-type]  # equal tuples
    keys.update(FieldKey(r.device_id, r.field) for r in removals)
    return keys


def merge(known: Mapping[FieldKey, Latest], rows: Rows, removals: Iterable[Removal]) -> dict[FieldKey, Latest | None]:
    """What a batch changes; None: the last value was taken back, and what stood before it is not known here."""
    changed = _newest(known, rows)
    for removal in removals:
        key = FieldKey(removal.device_id, removal.field)
        last = changed[key] if key in changed else known.get(key)
        if last is not None and last.time_us == removal.time_us and last.seq < removal.seq:
            changed[key] = None
    return changed


def _newest(known: Mapping[FieldKey, Latest], rows: Rows) -> dict[FieldKey, Latest | None]:
    changed: dict[FieldKey, Latest | None] = {}
    keys: Iterable[FieldKey] = zip(rows.device_ids, rows.fields, strict=True)  # type: ignore[assignment]  # equal tuples
    for key, value, unit, time_us, seq in zip(keys, rows.values, rows.units, rows.times_us, rows.seqs, strict=True):
        held = changed.get(key) or known.get(key)
        if held is None or time_us > held.time_us or (time_us == held.time_us and seq > held.seq):
            changed[key] = Latest(value, unit, time_us, seq)
    return changed
