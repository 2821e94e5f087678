"""What the limits of a device leave room for in a store: a replay is judged by what is stored, not by live uplinks."""

from collections.abc import AsyncIterator, Iterable

from decoders.limits import ALL, HOUR_US, Limits, Policy
from lns.series.store import Key, Row, SeriesReader

_PAGE = 500


async def rows_of(store: SeriesReader, device_id: int, from_us: int, to_us: int) -> AsyncIterator[Row]:
    """All rows of a device in a range. StoreError."""
    after = Key(device_id, "", 0)
    while True:
        found = [row for row in await store.scan(from_us, to_us, _PAGE, after) if row.device_id == device_id]
        for row in found:
            yield row
        if len(found) < _PAGE:
            return
        after = Key(device_id, found[-1].field, found[-1].time_us)


class Room:
    """Counts what is stored, and what is added and removed meanwhile; for one page of a replay."""

    def __init__(self, store: SeriesReader) -> None:
        self._store = store
        self._limits = Limits(ALL)

    async def read(self, device_id: int, policy: Policy, times_us: Iterable[int]) -> None:
        """Learn what is stored of a device as far around these times as its limits look. StoreError."""
        if not policy.limited:
            return
        for from_us, to_us in _ranges(policy, times_us):
            async for row in rows_of(self._store, device_id, from_us, to_us):
                self._limits.note(device_id, row.field, row.time_us)

    def has(self, device_id: int, policy: Policy, field: str, time_us: int) -> bool:
        """Whether a measurement that is not stored fits."""
        return not policy.limited or self._limits.why_not(device_id, policy, field, time_us) is None

    def add(self, device_id: int, field: str, time_us: int) -> None:
        """A measurement will be stored."""
        self._limits.note(device_id, field, time_us)

    def remove(self, device_id: int, field: str, time_us: int) -> None:
        """A measurement will be removed."""
        self._limits.take_back(device_id, field, time_us)


def _ranges(policy: Policy, times_us: Iterable[int]) -> list[tuple[int, int]]:
    """The whole hours that limits look at for measurements of these times, without overlaps."""
    around_us = max((limit.min_interval_us for limit in policy.limits.values()), default=0)
    found: list[tuple[int, int]] = []
    for time_us in sorted(set(times_us)):
        from_us = (time_us - around_us) // HOUR_US * HOUR_US
        to_us = (time_us + around_us) // HOUR_US * HOUR_US + HOUR_US
        if found and from_us <= found[-1][1]:
            found[-1] = (found[-1][0], to_us)
        else:
            found.append((from_us, to_us))
    return found
