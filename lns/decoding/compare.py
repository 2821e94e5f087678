"""Two codec versions on the same uplinks: what differs, counted by field and with samples. Pure."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from decoders.contract import Error, Sample
from lns.exchange.records import Uplink, Value

MAX_SAMPLES = 5  # kept of each kind of difference of each field, and of each kind of failure
MAX_FIELDS = 500

Kind = Literal["added", "lost", "changed"]


class Reading(msgspec.Struct, frozen=True):
    """What a version made of an uplink: samples as they would be stored, or the error."""

    samples: Sequence[Sample] = ()
    error: Error | None = None
    duration_us: int = 0


class Difference(msgspec.Struct, frozen=True):
    """A field of one uplink that differs. Values are text with their unit where units differ; None: not given."""

    kind: Kind
    uplink_seq: int
    dev_eui: str
    fcnt_up: int
    fport: int | None
    payload: str
    time_us: int
    before: Value | None
    after: Value | None


class FieldChange(msgspec.Struct):
    """A field over all uplinks: in how many it is the same, added, lost, changed."""

    same: int = 0
    added: int = 0
    lost: int = 0
    changed: int = 0
    samples: list[Difference] = []


class Failed(msgspec.Struct, frozen=True):
    """An uplink that one version decodes and the other does not, or that both do not."""

    uplink_seq: int
    dev_eui: str
    fcnt_up: int
    fport: int | None
    payload: str
    before: Error | None
    after: Error | None


class Failures(msgspec.Struct):
    """How many, and some of them."""

    count: int = 0
    samples: list[Failed] = []


class Comparison(msgspec.Struct):
    """The draft (after) beside the version in use (before).

    `uplinks` = same + different + new_failures + fixed_failures + still_failing. Durations are microseconds per uplink.
    """

    uplinks: int = 0
    same: int = 0
    different: int = 0
    fields: dict[str, FieldChange] = {}
    new_failures: Failures = msgspec.field(default_factory=Failures)
    fixed_failures: Failures = msgspec.field(default_factory=Failures)
    still_failing: Failures = msgspec.field(default_factory=Failures)
    before_us: float = 0.0
    after_us: float = 0.0

    def add(self, seq: int, uplink: Uplink, before: Reading, after: Reading) -> None:
        """Compare what both versions made of an uplink."""
        self.before_us += (before.duration_us - self.before_us) / (self.uplinks + 1)
        self.after_us += (after.duration_us - self.after_us) / (self.uplinks + 1)
        self.uplinks += 1
        if before.error is None and after.error is None:
            self._compare(seq, uplink, before, after)
            return
        if before.error is None:
            kind = self.new_failures
        else:
            kind = self.fixed_failures if after.error is None else self.still_failing
        kind.count += 1
        if len(kind.samples) < MAX_SAMPLES:
            who = (seq, uplink.dev_eui, uplink.fcnt_up, uplink.fport, uplink.data.hex())
            kind.samples.append(Failed(*who, before.error, after.error))

    def _compare(self, seq: int, uplink: Uplink, before: Reading, after: Reading) -> None:
        old, new = _by_key(before.samples, uplink), _by_key(after.samples, uplink)
        differs = False
        for key in dict.fromkeys((*old, *new)):
            field = self._field(key[0])
            was, now = old.get(key), new.get(key)
            if was is not None and now is not None and type(was[0]) is type(now[0]) and was == now:
                field.same += 1
                continue
            differs = True
            kind = _count(field, was is not None, now is not None)
            if sum(sample.kind == kind for sample in field.samples) < MAX_SAMPLES:
                who = (seq, uplink.dev_eui, uplink.fcnt_up, uplink.fport, uplink.data.hex(), key[1])
                units_differ = was is not None and now is not None and was[1] != now[1]
                field.samples.append(Difference(kind, *who, _shown(was, units_differ), _shown(now, units_differ)))
        if differs:
            self.different += 1
        else:
            self.same += 1

    def _field(self, name: str) -> FieldChange:
        field = self.fields.get(name)
        if field is None:
            field = FieldChange()
            if len(self.fields) < MAX_FIELDS:
                self.fields[name] = field
        return field


_Given = tuple[Value, str | None]


def _by_key(samples: Sequence[Sample], uplink: Uplink) -> dict[tuple[str, int], _Given]:
    return {(f, uplink.received_at_us if at is None else at): (value, unit) for f, value, unit, at in samples}


def _count(field: FieldChange, was: bool, now: bool) -> Kind:
    if was and now:
        field.changed += 1
        return "changed"
    if now:
        field.added += 1
        return "added"
    field.lost += 1
    return "lost"


def _shown(given: _Given | None, with_unit: bool) -> Value | None:
    if given is None:
        return None
    value, unit = given
    if not with_unit:
        return value
    text = f"{value:.10g}" if type(value) is float else str(value)
    return f"{text} {unit or ''}".rstrip()
