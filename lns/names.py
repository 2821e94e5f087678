"""What people call devices, in memory for outlets: they name every message and must not ask the database."""

from lns.outlets.formats.inflight import DeviceInfo
from lns.registry.rows import NetworkSnapshot


class Names:
    """Device names, tags and application names by device id."""

    def __init__(self) -> None:
        self._devices: dict[int, DeviceInfo] = {}

    def take(self, snapshot: NetworkSnapshot) -> None:
        """Devices were loaded."""
        for row in snapshot.devices:
            self._devices[row.id] = DeviceInfo(row.name, snapshot.applications[row.application_id])

    def of(self, device_id: int) -> DeviceInfo | None:
        """The names of a device; None for one that is gone."""
        return self._devices.get(device_id)
