"""Latest values and healths in memory: the default. They are gone with the process and made again at its start."""

from collections import defaultdict
from collections.abc import Collection

from lns.latest.health import Health
from lns.latest.store import Changes, Subject
from lns.latest.values import FieldKey, Latest


class MemoryLatest:
    """`LatestStore` in dictionaries."""

    def __init__(self) -> None:
        self._values: defaultdict[int, dict[str, Latest]] = defaultdict(dict)
        self._healths: dict[Subject, Health] = {}
        self._position: int | None = None

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def position(self) -> int | None:
        return self._position

    async def renew(self) -> None:
        self._position = None

    async def save(self, changes: Changes) -> None:
        for (device_id, field), latest in changes.values.items():
            if latest is None:
                self._values[device_id].pop(field, None)
            else:
                self._values[device_id][field] = latest
        self._healths.update(changes.healths)
        if changes.position is not None:
            self._position = changes.position

    async def known(self, keys: Collection[FieldKey]) -> dict[FieldKey, Latest]:
        found = {}
        for key in keys:
            device_id, field = key
            device = self._values.get(device_id)
            if device is not None and field in device:
                found[key] = device[field]
        return found

    async def values(self, device_id: int) -> dict[str, Latest]:
        return dict(sorted(self._values.get(device_id, {}).items()))

    async def healths(self) -> dict[Subject, Health]:
        return dict(self._healths)

    async def forget(self, subject: Subject) -> None:
        self._healths.pop(subject, None)
        if subject.kind == "device":
            self._values.pop(int(subject.id), None)
