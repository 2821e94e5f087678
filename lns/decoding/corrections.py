"""What has to change in a store for an uplink that was decoded again. Pure.

The rows that the store holds decide, so that correcting twice changes nothing the second time: a value that is stored
and differs is replaced, one that is missing is added where store-on-change would have kept it after the row before,
and what the codec no longer gives is removed if that is wanted. Link measurements are the server's own and stay.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from decoders.change import OnChange, Rules
from decoders.contract import Sample
from lns.exchange.records import Measurement, Value

LINK = "link."
MAX_FIELDS = 500
MAX_SAMPLES = 20

Held = dict[int, dict[str, tuple[Value, str | None]]]
"""What a store holds of a device: time to field to value and unit."""


class Difference(msgspec.Struct, frozen=True):
    """A measurement before and after; None where there is none."""

    field: str
    time_us: int
    before: Value | None
    after: Value | None


class Correction(NamedTuple):
    """Measurements to write, keys to remove, and how they differ from what was stored."""

    measurements: list[Measurement]
    removed: list[tuple[str, int]]
    differences: list[Difference]


class FieldCount(msgspec.Struct):
    """How many measurements of a field were added, changed and removed."""

    added: int = 0
    changed: int = 0
    removed: int = 0


class Example(msgspec.Struct, frozen=True):
    """One difference with the uplink it is from, to look at."""

    dev_eui: str
    fcnt_up: int
    received_at_us: int
    payload: str
    difference: Difference


class Report(msgspec.Struct):
    """What a replay has done, or would do. `uplinks` = corrected + unchanged + failures + skipped.

    `failed` counts by reason uplinks that could not be decoded: their measurements stay. `skipped` have no payload for
    a codec, or their device has none. `mended` are uplinks whose decode had failed before. `held` are measurements that
    the store had, those among them that have changed. `fields` counts by field.
    """

    uplinks: int = 0
    corrected: int = 0
    unchanged: int = 0
    skipped: int = 0
    mended: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    held: int = 0
    failed: dict[str, int] = {}
    fields: dict[str, FieldCount] = {}
    examples: list[Example] = []

    def copy(self) -> "Report":
        """One that can go on counting without this one."""
        return msgspec.convert(msgspec.to_builtins(self), Report)

    def fail(self, reason: str) -> None:
        """Count an uplink that could not be decoded."""
        self.failed[reason] = self.failed.get(reason, 0) + 1

    def count(self, difference: Difference) -> None:
        """Count a measurement that differs."""
        field = self.fields.get(difference.field)
        if field is None:
            field = FieldCount()
            if len(self.fields) < MAX_FIELDS:
                self.fields[difference.field] = field
        if difference.before is None:
            self.added += 1
            field.added += 1
        elif difference.after is None:
            self.removed += 1
            field.removed += 1
        else:
            self.changed += 1
            field.changed += 1


class Change:
    """Store-on-change as of then: what is stored counts as kept, and for the rest the rules decide."""

    def __init__(self) -> None:
        self._on_change = OnChange()
        self._seeded: set[int] = set()

    def is_new(self, device_id: int) -> bool:
        """Whether `seed` has to be called before this device's next uplink."""
        return device_id not in self._seeded

    def seed(self, device_id: int, rows: Iterable[tuple[str, Value, int]]) -> None:
        """Field, value and time of what is stored from before the device's first uplink, oldest first."""
        self._seeded.add(device_id)
        for field, value, time_us in rows:
            self._on_change.note(device_id, field, value, time_us)

    def differs(self, device_id: int, rules: Rules, sample: Sample, at_us: int) -> bool:
        """Whether a value that is not stored is worth it; it does not count as kept yet."""
        rule = rules.get(sample[0]) if sample[3] is None else None
        return rule is None or self._on_change.why_not(device_id, rule, sample, at_us) is None

    def keeps(self, device_id: int, rules: Rules, sample: Sample, at_us: int) -> bool:
        """Whether a value that is not stored would have been."""
        kept, _ = self._on_change.filter(device_id, rules, [sample], at_us)
        return bool(kept)

    def stored(self, device_id: int, sample: Sample, at_us: int) -> None:
        """A value of the uplink is stored."""
        if sample[3] is None:
            self._on_change.note(device_id, sample[0], sample[1], at_us)


def correct(
    samples: Sequence[Sample],
    held: Held,
    at_us: int,
    former: Iterable[tuple[str, int]],
    keeps: Callable[[Sample, bool], bool],
) -> Correction:
    """Compare samples of an uplink received at `at_us` with what the store holds of its device; `held` is kept current.

    `former` are fields and times that the codec gave before: those it gives no more are removed. `keeps` tells of a
    sample, and whether it is stored already, whether it is to be.
    """
    found = Correction([], [], [])
    given: set[tuple[str, int]] = set()
    for sample in samples:
        field, value, unit, own_us = sample
        time_us = at_us if own_us is None else own_us
        given.add((field, time_us))
        there = held.setdefault(time_us, {})
        before = there.get(field)
        if not keeps(sample, before is not None):
            continue
        if before is None or not _same(before, (value, unit)):
            found.measurements.append(Measurement(field, time_us, value, unit))
            found.differences.append(Difference(field, time_us, None if before is None else before[0], value))
            there[field] = (value, unit)
    for field, time_us in former:
        if (field, time_us) not in given and field in held.get(time_us, ()):
            found.removed.append((field, time_us))
            found.differences.append(Difference(field, time_us, held[time_us].pop(field)[0], None))
    return found


def _same(one: tuple[Value, str | None], other: tuple[Value, str | None]) -> bool:
    return type(one[0]) is type(other[0]) and one == other
