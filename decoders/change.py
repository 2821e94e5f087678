"""Store on change: which samples of a device are worth keeping. Pure; the caller says what time it is.

A sample is kept when its field is new, when it differs from the last kept one by at least the field's dead-band, when
the last kept one is older than the heartbeat, and always when a boolean or a text changes. A field without a rule is
kept whole. A sample with a time of its own is history and is kept, without becoming the value others are compared with.
"""

from collections.abc import Mapping, Sequence

import msgspec

from decoders.contract import Sample, Value


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a field counts as changed. Without a dead-band any difference counts; with both, the wider one rules.

    `deadband_abs` is in the field's unit, `deadband_rel` a fraction of the last kept value (0.05 is 5 %);
    `heartbeat_s` 0 means that an unchanged value is never repeated.
    """

    deadband_abs: float = 0.0
    deadband_rel: float = 0.0
    heartbeat_s: float = 3600.0

    def __post_init__(self) -> None:
        for name in ("deadband_abs", "deadband_rel", "heartbeat_s"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} is {value}, it has to be 0 or more")


Rules = Mapping[str, Rule]


class OnChange:
    """Remembers the last kept value of each ruled field of each device."""

    def __init__(self) -> None:
        self._kept: dict[int, dict[str, tuple[Value, int]]] = {}

    def filter(self, device_id: int, rules: Rules, samples: Sequence[Sample], now_us: int) -> tuple[list[Sample], int]:
        """The samples to keep of an uplink received at `now_us`, and how many were withheld."""
        if not rules:
            return list(samples), 0
        last = self._kept.setdefault(device_id, {})
        kept = []
        for sample in samples:
            field, value, _, own_time_us = sample
            rule = rules.get(field)
            if rule is not None and own_time_us is None:
                before = last.get(field)
                if before is not None and not _worth(rule, before, value, now_us):
                    continue
                last[field] = (value, now_us)
            kept.append(sample)
        return kept, len(samples) - len(kept)

    def note(self, device_id: int, field: str, value: Value, at_us: int) -> None:
        """A value that is stored already: what comes after is compared with it."""
        self._kept.setdefault(device_id, {})[field] = (value, at_us)

    def forget(self, device_id: int) -> None:
        """Drop what is known of a device: its next samples are kept."""
        self._kept.pop(device_id, None)


def _worth(rule: Rule, before: tuple[Value, int], value: Value, now_us: int) -> bool:
    old, kept_at_us = before
    # the common cases first: this runs for every ruled value of every uplink
    if rule.heartbeat_s and now_us - kept_at_us >= rule.heartbeat_s * 1_000_000:
        return True
    if type(value) is not type(old):
        return True
    if value == old:
        return False
    if type(value) is float and type(old) is float:
        difference = abs(value - old)
        return difference >= rule.deadband_abs and difference >= rule.deadband_rel * abs(old)
    return True
