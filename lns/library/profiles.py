"""Profiles of other libraries as fields of a device template. Regions are left out: a template follows the server's."""

import math
from typing import Any

import msgspec

from lns.library.files import LibraryError

_VERSIONS = {
    "1.0": "1.0.0",
    "1.0.0": "1.0.0",
    "1.0.1": "1.0.1",
    "1.0.2": "1.0.2",
    "1.0.3": "1.0.3",
    "1.0.4": "1.0.4",
    "1.1": "1.1",
    "1.1.0": "1.1",
}
PREFERRED_REGIONS = ("EU863-870", "EU868", "US902-928", "US915")
"""Whose profile is taken where regions differ: what is left of it here is the same in all of them."""


class TtnProfile(msgspec.Struct, frozen=True):
    """A profile file of The Things Network's device repository; frequencies are in MHz, the delay in s."""

    version: str | float = msgspec.field(name="macVersion")
    supports_join: bool = msgspec.field(name="supportsJoin", default=True)
    class_b: bool | None = msgspec.field(name="supportsClassB", default=None)
    class_c: bool | None = msgspec.field(name="supportsClassC", default=None)
    rx1_delay: int | None = msgspec.field(name="rx1Delay", default=None)
    rx1_dr_offset: int | None = msgspec.field(name="rx1DataRateOffset", default=None)
    rx2_dr: int | None = msgspec.field(name="rx2DataRateIndex", default=None)
    rx2_freq: float | None = msgspec.field(name="rx2Frequency", default=None)
    channels: list[float] | None = msgspec.field(name="factoryPresetFrequencies", default=None)


class ChirpstackAbp(msgspec.Struct, frozen=True):
    """Receive windows of a device without a join; frequencies are in Hz, the delay in s."""

    rx1_delay: int | None = None
    rx1_dr_offset: int | None = None
    rx2_dr: int | None = None
    rx2_freq: int | None = None


class ChirpstackProfile(msgspec.Struct, frozen=True):
    """The table [profile] of a file of ChirpStack's device profiles."""

    mac_version: str
    region: str = ""
    supports_otaa: bool = True
    supports_class_b: bool = False
    supports_class_c: bool = False
    abp: ChirpstackAbp = ChirpstackAbp()


def lorawan_version(given: object) -> str:
    """A version of LoRaWAN as a template has it."""
    version = _VERSIONS.get(str(given))
    if version is None:
        raise LibraryError(f"LoRaWAN version {given!r} is not known")
    return version


def of_ttn(profile: TtnProfile) -> dict[str, Any]:
    """The fields of a template that a profile file sets."""
    network = _classes(profile.class_b, profile.class_c)
    if not profile.supports_join:
        network |= _given(
            rx1_delay_s=profile.rx1_delay,
            rx1_dr_offset=profile.rx1_dr_offset,
            rx2_dr=profile.rx2_dr,
            rx2_freq_hz=None if profile.rx2_freq is None else _hz(profile.rx2_freq),
            factory_channels_hz=[_hz(mhz) for mhz in profile.channels or ()] or None,
        )
    return _template(profile.version, profile.supports_join, network)


def of_chirpstack(profile: ChirpstackProfile) -> dict[str, Any]:
    """The fields of a template that a profile sets."""
    network = _classes(profile.supports_class_b, profile.supports_class_c)
    if not profile.supports_otaa:
        abp = profile.abp
        network |= _given(
            rx1_delay_s=abp.rx1_delay,
            rx1_dr_offset=abp.rx1_dr_offset,
            rx2_dr=abp.rx2_dr,
            rx2_freq_hz=abp.rx2_freq,
        )
    return _template(profile.mac_version, profile.supports_otaa, network)


def _template(version: object, joins: bool, network: dict[str, Any]) -> dict[str, Any]:
    return {"lorawan_version": lorawan_version(version), "supports_join": joins, "network": network}


def _classes(class_b: object, class_c: object) -> dict[str, Any]:
    return {"device_class": "C"} if class_c else {"device_class": "B"} if class_b else {}


def _given(**values: Any) -> dict[str, Any]:
    """The fields that have a value; 0 as a delay or frequency stands for none."""
    return {
        name: value
        for name, value in values.items()
        if value is not None and not (value == 0 and name in ("rx1_delay_s", "rx2_freq_hz"))
    }


def _hz(mhz: float) -> int:
    # .nan and .inf are numbers in YAML
    return round(mhz * 1e6) if math.isfinite(mhz) else 0
