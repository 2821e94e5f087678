"""Store on change: which samples of a device are worth keeping. Pure; the caller says what time it is.

A sample is kept when its field is new, when it differs from the last kept one by at least the field's dead-band, when
the last kept one is older than the heartbeat, and always when a boolean or a text changes. A field without a rule is
kept whole. A sample with a time of its own is history and is kept, without becoming the value others are compared with.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum

import msgspec

from decoders.contract import Sample, Value

MAX_INTERVAL_S = 2_592_000
MAX_PER_HOUR = 1_000_000


class Reason(IntEnum):
    """Why a sample was held back; the number is its place in `Held`."""

    UNCHANGED = 0
    DEAD_BAND = 1
    MIN_INTERVAL = 2
    MAX_PER_HOUR = 3
    DEVICE_MAX_PER_HOUR = 4

    @property
    def slug(self) -> str:
        """The reason as metrics and people read it."""
        return self.name.lower()


Held = Sequence[int]
"""How many samples were held back, by reason; empty: none. What is missing at the end is 0."""

_NONE: Held = ()


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a field counts as changed. Without a dead-band any difference counts; with both, the wider one rules.

    `deadband_abs` is in the field's unit, `deadband_rel` a fraction of the last kept value (0.05 is 5 %);
    `heartbeat_s` 0 means that an unchanged value is never repeated; `on_change` false: every value counts as changed.
    `min_interval_s` and `max_per_hour` limit what is left, see `decoders.limits`; 0: no limit.
    """

    deadband_abs: float = 0.0
    deadband_rel: float = 0.0
    heartbeat_s: float = 3600.0
    on_change: bool = True
    min_interval_s: float = 0.0
    max_per_hour: int = 0

    def __post_init__(self) -> None:
        for name in ("deadband_abs", "deadband_rel", "heartbeat_s"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} is {value}, it has to be 0 or more")
        for name, most in (("min_interval_s", MAX_INTERVAL_S), ("max_per_hour", MAX_PER_HOUR)):
            value = getattr(self, name)
            if not 0 <= value <= most:
                raise ValueError(f"{name} is {value}, 0 (no limit) to {most} is allowed")
        for name in ("deadband_abs", "deadband_rel"):
            if not self.on_change and getattr(self, name):
                raise ValueError(f"{name} is {getattr(self, name)}, but on_change is false: it would never count")


Rules = Mapping[str, Rule]


class OnChange:
    """Remembers the last kept value of each ruled field of each device."""

    def __init__(self) -> None:
        self._kept: dict[int, dict[str, tuple[Value, int]]] = {}

    def filter(self, device_id: int, rules: Rules, samples: Sequence[Sample], now_us: int) -> tuple[list[Sample], Held]:
        """The samples to keep of an uplink received at `now_us`, and how many were held back."""
        if not rules:
            return list(samples), _NONE
        last = self._kept.setdefault(device_id, {})
        kept = []
        near = 0
        for sample in samples:
            field, value, _, own_time_us = sample
            rule = rules.get(field)
            if rule is not None and own_time_us is None:
                before = last.get(field)
                if before is not None and (verdict := _verdict(rule, before, value, now_us)):
                    if verdict == _NEAR:
                        near += 1
                    continue
                last[field] = (value, now_us)
            kept.append(sample)
        held = len(samples) - len(kept)
        return kept, (held - near, near) if held else _NONE

    def why_not(self, device_id: int, rule: Rule, sample: Sample, now_us: int) -> Reason | None:
        """Why a sample of an uplink received at `now_us` is not worth keeping; None: it is. Nothing is noted."""
        before = self._kept.get(device_id, {}).get(sample[0])
        return None if before is None else _REASONS[_verdict(rule, before, sample[1], now_us)]

    def note(self, device_id: int, field: str, value: Value, at_us: int) -> None:
        """A value that is stored already: what comes after is compared with it."""
        self._kept.setdefault(device_id, {})[field] = (value, at_us)

    def forget(self, device_id: int) -> None:
        """Drop what is known of a device: its next samples are kept."""
        self._kept.pop(device_id, None)


_WORTH, _SAME, _NEAR = 0, 1, 2
_REASONS = (None, Reason.UNCHANGED, Reason.DEAD_BAND)


def _verdict(rule: Rule, before: tuple[Value, int], value: Value, now_us: int) -> int:
    """One of the three above, as a plain number: this runs for every ruled value of every uplink."""
    old, kept_at_us = before
    # the common cases first
    if rule.heartbeat_s and now_us - kept_at_us >= rule.heartbeat_s * 1_000_000:
        return _WORTH
    if type(value) is not type(old):
        return _WORTH
    if value == old:
        return _SAME
    if type(value) is float and type(old) is float:
        difference = abs(value - old)
        if not (difference >= rule.deadband_abs and difference >= rule.deadband_rel * abs(old)):
            return _NEAR
    return _WORTH
