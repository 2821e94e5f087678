"""What is kept of the samples of an uplink: store on change first, then the limits. Pure."""

from collections.abc import Sequence

from decoders.change import Held, OnChange, Reason
from decoders.contract import Sample
from decoders.limits import Limits, Policy

_NONE: Held = ()
_NOWHERE: Sequence[int] = ()
_LIMITS = frozenset((Reason.MIN_INTERVAL, Reason.MAX_PER_HOUR, Reason.DEVICE_MAX_PER_HOUR))


class Sieve:
    """Remembers of devices what their next samples are judged by. A sample that is held back leaves no trace in it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.on_change = OnChange()
        self.limits = Limits() if limits is None else limits

    def filter(
        self, device_id: int, policy: Policy, samples: Sequence[Sample], now_us: int
    ) -> tuple[list[Sample], Held, Sequence[int]]:
        """The samples to keep of an uplink received at `now_us`, how many were held back, and which of them by limits.

        These are told by their places. Where a policy is not limited, `on_change.filter` keeps the same and costs a
        third.
        """
        kept = []
        held = [0] * len(Reason)
        limited: list[int] = []
        for place, sample in enumerate(samples):
            reason = self._why_not(device_id, policy, sample, now_us)
            if reason is None:
                kept.append(sample)
            else:
                held[reason] += 1
                if reason in _LIMITS:
                    limited.append(place)
        return (kept, held, limited) if len(kept) < len(samples) else (kept, _NONE, _NOWHERE)

    def _why_not(self, device_id: int, policy: Policy, sample: Sample, now_us: int) -> Reason | None:
        """Why a sample is held back. None: it is kept, and noted."""
        field, value, _, own_us = sample
        rule = policy.rules.get(field) if own_us is None else None
        reason = None if rule is None else self.on_change.why_not(device_id, rule, sample, now_us)
        time_us = now_us if own_us is None else own_us
        if reason is None:
            reason = self.limits.why_not(device_id, policy, field, time_us)
        if reason is None:
            if rule is not None:
                self.on_change.note(device_id, field, value, now_us)
            self.limits.note(device_id, field, time_us)
        return reason

    def forget(self, device_id: int) -> None:
        """A device is gone."""
        self.on_change.forget(device_id)
        self.limits.forget(device_id)
