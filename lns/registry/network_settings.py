"""The `network` object of device templates and devices: which fields of MacSettings they set, as JSON.

A device's fields lie over its template's, those of `adr` too; what neither gives has the default of MacSettings.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from lns.lorawan.regions import region
from lns.mac.fitting import misfits
from lns.mac.settings import DEFAULT, MacSettings
from lns.registry.errors import invalid
from lns.registry.explain import explained

Network = dict[str, Any]

_decode: Any = msgspec.json.Decoder(Network).decode


def changed(old: Mapping[str, Any], change: Mapping[str, Any]) -> Network:
    """`old` with the fields of `change`, where null takes a field away (JSON merge patch, RFC 7396).

    RegistryError names field, value and limit.
    """
    new = _patched(old, change)
    return _plain(_converted(new), new)


def _patched(old: Mapping[str, Any], change: Mapping[str, Any]) -> Network:
    new = dict(old)
    for name, value in change.items():
        if isinstance(value, Mapping):
            known = new.get(name)
            value = _patched(known if isinstance(known, Mapping) else {}, value) or None
        if value is None:
            new.pop(name, None)
        else:
            new[name] = value
    return new


@lru_cache(4096)
def effective(template_json: str, device_json: str) -> MacSettings:
    """The settings of a device by the texts of the two columns. Equal texts give one object: devices share it."""
    if template_json == device_json == "{}":
        return DEFAULT
    return msgspec.convert(_over(_decode(template_json), _decode(device_json)), MacSettings)


def check_fits(template: Mapping[str, Any], own: Mapping[str, Any], region_name: str) -> None:
    """Refuse settings that a device's region does not have. RegistryError names field, value and limit."""
    for text in misfits(_converted(_over(template, own)), region(region_name)).values():
        raise invalid(f"network.{text}")


def _over(template: Mapping[str, Any], own: Mapping[str, Any]) -> Network:
    return {**template, **own, "adr": {**template.get("adr", {}), **own.get("adr", {})}}


def _converted(given: Mapping[str, Any]) -> MacSettings:
    try:
        settings = msgspec.convert(dict(given), MacSettings)
    except msgspec.ValidationError as error:
        raise invalid(explained(str(error), given, MacSettings, "network")) from error
    adr = settings.adr
    if adr.min_dr is not None and adr.max_dr is not None and adr.min_dr > adr.max_dr:
        raise invalid(f"network.adr.min_dr is {adr.min_dr}, at most the max_dr {adr.max_dr} is allowed")
    return settings


def _plain(settings: msgspec.Struct, given: Mapping[str, Any]) -> Network:
    """The fields that were given, as JSON values of the type that the field has."""
    fields = {name: getattr(settings, name) for name in given}
    return {
        name: _plain(value, given[name]) if isinstance(value, msgspec.Struct) else msgspec.to_builtins(value)
        for name, value in fields.items()
    }
