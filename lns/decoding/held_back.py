"""How many measurements were held back since the start of the server, by reason: of each device, and in the metrics."""

from decoders.change import Held, Reason
from lns import metrics

_SLUGS = tuple(reason.slug for reason in Reason)


class HeldBack:
    """Counts of the devices of which something was held back."""

    def __init__(self) -> None:
        self._devices: dict[int, list[int]] = {}
        self._all = [0] * len(_SLUGS)

    def add(self, device_id: int, held: Held) -> int:
        """So many were held back of an uplink; returns their sum."""
        counts = self._devices.get(device_id)
        if counts is None:
            counts = self._devices[device_id] = [0] * len(_SLUGS)
        if len(held) > 2:
            return self._add_all(counts, held)
        unchanged, near = held  # the usual case, which has to cost little
        if unchanged:
            counts[0] += unchanged
            self._all[0] += unchanged
        if near:
            counts[1] += near
            self._all[1] += near
        return unchanged + near

    def _add_all(self, counts: list[int], held: Held) -> int:
        for reason, count in enumerate(held):
            counts[reason] += count
            self._all[reason] += count
        return sum(held)

    def tell(self) -> None:
        """Hand what was added since the last time to the metrics."""
        for reason, count in enumerate(self._all):
            if count:
                metrics.measurements_suppressed.inc(_SLUGS[reason], n=count)
                self._all[reason] = 0

    def of(self, device_id: int) -> dict[str, int]:
        """Counts of a device by reason."""
        return dict(zip(_SLUGS, self._devices.get(device_id, [0] * len(_SLUGS)), strict=True))

    def forget(self, device_id: int) -> None:
        """A device is gone."""
        self._devices.pop(device_id, None)
