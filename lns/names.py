"""What people call devices, for outlets and scripts: they name every message and must not ask the database."""

from lns.decoding.context import Who
from lns.network.devices import Devices
from lns.outlets.formats.inflight import DeviceInfo
from lns.outlets.formats.outgoing import Described
from lns.registry.rows import NetworkSnapshot

_NO_TAGS: dict[str, str] = {}


class Names:
    """Names of devices and applications; tags are kept for the devices that have some."""

    def __init__(self, devices: Devices) -> None:
        self._devices = devices
        self._applications: dict[int, str] = {}
        self._tags: dict[int, dict[str, str]] = {}

    def take(self, snapshot: NetworkSnapshot) -> None:
        """Devices were loaded."""
        self._applications = snapshot.applications
        for row in snapshot.devices:
            if row.tags:
                self._tags[row.id] = row.tags
            else:
                self._tags.pop(row.id, None)

    def forget(self, device_id: int) -> None:
        """A device is gone."""
        self._tags.pop(device_id, None)

    def of(self, device_id: int) -> DeviceInfo | None:
        """The names of a device; None for one that is gone."""
        device = self._devices.by_id.get(device_id)
        if device is None:
            return None
        application = self._applications.get(device.application_id, "")
        return DeviceInfo(device.name, application, self._tags.get(device_id, _NO_TAGS))

    def described(self, device_id: int) -> Described | None:
        """The same for all formats, as it is now: nobody has to forget it when the device joins or is changed."""
        device = self._devices.by_id.get(device_id)
        if device is None:
            return None
        session = device.session
        return Described(  # by position: by keyword it takes six times as long
            device.name,
            self._applications.get(device.application_id, ""),
            self._tags.get(device_id, _NO_TAGS),
            device.join_eui or "",
            session.dev_addr if session is not None else "",
            device.settings.device_class,
            "",
            device.region.name,
        )

    def described_eui(self, dev_eui: str) -> Described | None:
        """The same by the DevEUI."""
        device = self._devices.by_eui.get(dev_eui)
        return None if device is None else self.described(device.id)

    def application(self, application_id: int) -> str:
        """The name of an application; empty for one that has no devices yet."""
        return self._applications.get(application_id, "")

    def who(self, device_id: int) -> Who | None:
        """The same for scripts, with the JoinEUI."""
        device = self._devices.by_id.get(device_id)
        if device is None:
            return None
        tags = self._tags.get(device_id, _NO_TAGS)
        return Who(device.name, tags, self._applications.get(device.application_id, ""), device.join_eui or "")
