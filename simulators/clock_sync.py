"""The clock of a device that drifts, and how TS003 sets it right: the client of clock synchronisation. Pure."""

from collections.abc import Callable
from typing import Any

from lns.lorawan.packages import clock_sync

FPORT = clock_sync.FPORT
PACKAGE_IDENTIFIER, PACKAGE_VERSION = 1, 1


class DeviceClock:
    """A device's idea of GPS time; "true" times are those of the world around it, in seconds too."""

    def __init__(self, error_s: float = 0.0, drift_ppm: float = 0.0) -> None:
        self._error_s, self._drift_ppm = error_s, drift_ppm
        self._set_at_s: float | None = None

    def gps_s(self, true_gps_s: float) -> float:
        """What the device takes for GPS time."""
        since_s = 0.0 if self._set_at_s is None else true_gps_s - self._set_at_s
        return true_gps_s + self._error_s + since_s * self._drift_ppm / 1e6

    def set(self, gps_s: float, true_gps_s: float) -> None:
        """The device learns that it is `gps_s` now."""
        self._error_s, self._set_at_s = gps_s - true_gps_s, true_gps_s


class ClockSync:
    """One device on FPort 202. `periodicity_s` is what the server asked for, `resyncs` requests are still due."""

    def __init__(self, clock: DeviceClock) -> None:
        self.periodicity_s: int | None = None
        self.resyncs = 0
        self._clock = clock
        self._token = 0

    def request(self, true_gps_s: float, ans_required: bool = False) -> bytes:
        """AppTimeReq: the clock as it is when the uplink ends."""
        self.resyncs = max(0, self.resyncs - 1)
        time = self._device_time(true_gps_s)
        return clock_sync.encode(
            "AppTimeReq", uplink=True, device_time_gps=time, ans_required=ans_required, token=self._token
        )

    def receive(self, payload: bytes, true_gps_s: float) -> bytes:
        """Take a downlink on FPort 202; gives what the device answers, which may be nothing."""
        commands, _ = clock_sync.parse(payload, uplink=False)
        answers: dict[str, Callable[[dict[str, Any], float], bytes]] = {
            "PackageVersionReq": self._version,
            "AppTimeAns": self._correct,
            "DeviceAppTimePeriodicityReq": self._period,
            "ForceDeviceResyncReq": self._resync,
        }
        return b"".join([answers[command.name](command.fields, true_gps_s) for command in commands])

    def _version(self, fields: dict[str, Any], true_gps_s: float) -> bytes:
        return clock_sync.encode(
            "PackageVersionAns",
            uplink=True,
            package_identifier=PACKAGE_IDENTIFIER,
            package_version=PACKAGE_VERSION,
        )

    def _correct(self, fields: dict[str, Any], true_gps_s: float) -> bytes:
        if fields["token"] == self._token:  # else it answers an older request
            self._token = (self._token + 1) % 16
            self._clock.set(self._clock.gps_s(true_gps_s) + fields["time_correction_s"], true_gps_s)
        return b""

    def _period(self, fields: dict[str, Any], true_gps_s: float) -> bytes:
        self.periodicity_s = 128 << fields["period"]
        time = self._device_time(true_gps_s)
        return clock_sync.encode("DeviceAppTimePeriodicityAns", uplink=True, not_supported=False, device_time_gps=time)

    def _resync(self, fields: dict[str, Any], true_gps_s: float) -> bytes:
        self.resyncs = fields["nb_transmissions"]
        return b""

    def _device_time(self, true_gps_s: float) -> int:
        return int(self._clock.gps_s(true_gps_s)) % 2**32
