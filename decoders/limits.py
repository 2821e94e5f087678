"""Limits of what is kept of a device: a least interval and a most per hour of a field, a most per hour of the device.

Everything is counted on the time of the measurements, never on a clock: late and stored-up samples use up their own
hour, and the same samples in the same order always fare the same. Hours are those of UTC. What is remembered is
bounded: of a field its last `times` kept moments and the last `hours` in which it was kept. What lies further back is
not looked at: in doubt a sample is kept. A moment that is remembered passes again and is not counted, for a device may
repeat itself, and a record may be decoded twice.
"""

from sys import maxsize
from typing import NamedTuple

import msgspec

from decoders.change import Reason, Rule, Rules

HOUR_US = 3_600_000_000


class Limit(NamedTuple):
    """Of a field; 0: none."""

    min_interval_us: int
    max_per_hour: int


class Policy(msgspec.Struct, frozen=True):
    """What is kept of a device: `rules` of the fields that are stored on change, `limits` of those that have a rule.

    `max_per_hour` is of all measurements of the device together, 0: no limit. Where nothing is `limited`, rules are
    all that has to be looked at.
    """

    rules: dict[str, Rule]
    limits: dict[str, Limit]
    max_per_hour: int
    limited: bool

    @classmethod
    def of(cls, rules: Rules, max_per_hour: int = 0) -> "Policy":
        """The policy that rules by field make."""
        limits = {field: Limit(round(rule.min_interval_s * 1e6), rule.max_per_hour) for field, rule in rules.items()}
        on_change = {field: rule for field, rule in rules.items() if rule.on_change}
        return cls(on_change, limits, max_per_hour, bool(max_per_hour) or any(any(limit) for limit in limits.values()))

    def extend(self, field: str, like: str, factor: float = 1.0) -> bool:
        """Rule a field that has no rule as another one, with a dead-band `factor` times as wide; whether it has one."""
        if field in self.limits or like not in self.limits:
            return field in self.limits
        self.limits[field] = self.limits[like]
        if (rule := self.rules.get(like)) is not None:
            self.rules[field] = msgspec.structs.replace(rule, deadband_abs=rule.deadband_abs * factor)
        return True


class Bound(NamedTuple):
    """How much is remembered of each device."""

    times: int
    hours: int
    fields: int


LIVE = Bound(times=16, hours=8, fields=512)
ALL = Bound(maxsize, maxsize, maxsize)


class Moments(msgspec.Struct, array_like=True):
    """When a field was kept, in the order of keeping: times in UTC microseconds, how many by hour."""

    times: list[int] = []
    hours: dict[int, int] = {}

    def has(self, time_us: int) -> bool:
        """Whether it was kept at that time."""
        return time_us in self.times

    def is_near(self, time_us: int, least_us: int) -> bool:
        """Whether it was kept less than `least_us` before or after."""
        newest_us = max(self.times, default=time_us - least_us)
        if time_us > newest_us:  # the usual case: nothing is nearer than the newest
            return time_us - newest_us < least_us
        return any(abs(time_us - kept_us) < least_us for kept_us in self.times)


class Kept(msgspec.Struct, array_like=True):
    """What is remembered of a device."""

    fields: dict[str, Moments] = {}
    hours: dict[int, int] = {}


class Limits:
    """Remembers when fields of devices were kept.

    `changed` are the devices of which there is news; who reads it, clears it.
    """

    def __init__(self, bound: Bound = LIVE, known: dict[int, Kept] | None = None) -> None:
        self._bound = bound
        self._devices = {} if known is None else known
        self.changed: set[int] = set()

    def why_not(self, device_id: int, policy: Policy, field: str, time_us: int) -> Reason | None:
        """Why a sample may not be kept; None: it may. Nothing is noted."""
        kept = self._devices.get(device_id)
        if kept is None:
            return None
        hour = time_us // HOUR_US
        moments = kept.fields.get(field)
        if moments is not None:
            if moments.has(time_us):
                return None
            limit = policy.limits.get(field)
            if limit is not None:
                least_us, most = limit
                if least_us and moments.is_near(time_us, least_us):
                    return Reason.MIN_INTERVAL
                if most and moments.hours.get(hour, 0) >= most:
                    return Reason.MAX_PER_HOUR
        if policy.max_per_hour and kept.hours.get(hour, 0) >= policy.max_per_hour:
            return Reason.DEVICE_MAX_PER_HOUR
        return None

    def note(self, device_id: int, field: str, time_us: int) -> None:
        """A sample of a device is kept."""
        bound = self._bound
        kept = self._devices.get(device_id)
        if kept is None:
            kept = self._devices[device_id] = Kept()
        moments = kept.fields.get(field)
        if moments is None:
            moments = kept.fields[field] = Moments()
            if len(kept.fields) > bound.fields:
                del kept.fields[next(iter(kept.fields))]
        elif moments.has(time_us):
            return
        moments.times.append(time_us)
        if len(moments.times) > bound.times:
            del moments.times[0]
        hour = time_us // HOUR_US
        _count(moments.hours, hour, bound.hours)
        _count(kept.hours, hour, bound.hours)
        self.changed.add(device_id)

    def take_back(self, device_id: int, field: str, time_us: int) -> None:
        """A sample that was kept is removed: it makes room for another."""
        kept = self._devices.get(device_id)
        moments = None if kept is None else kept.fields.get(field)
        if kept is not None and moments is not None and time_us in moments.times:
            moments.times.remove(time_us)
            for hours in (moments.hours, kept.hours):
                hours[time_us // HOUR_US] -= 1

    def of(self, device_id: int) -> Kept | None:
        """All that is remembered of a device."""
        return self._devices.get(device_id)

    def forget(self, device_id: int) -> None:
        """A device is gone."""
        self._devices.pop(device_id, None)
        self.changed.discard(device_id)


def _count(hours: dict[int, int], hour: int, most: int) -> None:
    hours[hour] = hours.pop(hour, 0) + 1
    if len(hours) > most:
        del hours[next(iter(hours))]
