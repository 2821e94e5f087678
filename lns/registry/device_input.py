"""A device as people describe it, in JSON or in a CSV row, checked into one value."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from lns.lorawan.ids import parse_dev_addr, parse_eui, parse_key
from lns.registry.errors import invalid
from lns.registry.fields import MAX_DEVICE_NAME, check_pairs, check_range, check_text, parsed
from lns.registry.key_blobs import NO_KEYS, SESSION_KEYS, DeviceKeys, session_minor
from lns.registry.network_settings import Network, changed
from lns.registry.rules import check_per_hour, check_rules

MAX_FCNT = 0xFFFF_FFFF
NO_FCNT = -1
ROOT_KEYS = ("nwk_key", "app_key", "gen_app_key")


class AbpSession(msgspec.Struct, frozen=True):
    """The fixed session of an ABP device. `fcnt_up` is the last one heard (-1: none), the others the next to use.

    `keys` are those of a session in their stored order; how many there are says whether it is of LoRaWAN 1.0 or 1.1.
    """

    dev_addr: str
    keys: bytes
    fcnt_up: int = NO_FCNT
    fcnt_down: int = 0
    afcnt_down: int = 0


class NewDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device to create; applications, templates and codecs by name."""

    dev_eui: str
    name: str
    application: str = "default"
    template: str = "default"
    activation: str
    join_eui: str | None = None
    keys: DeviceKeys = NO_KEYS
    codec: str | None = None
    fcnt_reset_allowed: bool | None = None
    disabled: bool = False
    tags: dict[str, str] = {}
    variables: dict[str, str] = {}
    network: Network = {}
    abp: AbpSession | None = None
    rules: dict[str, Any] = {}
    max_measurements_per_hour: int | None = None


def parse_device(values: Mapping[str, Any]) -> NewDevice:
    """Check a new device; what is absent takes its default. RegistryError names the field and the value.

    Whether its keys are those of its LoRaWAN version is checked where the template is known: `missing_keys`.
    """
    dev_eui = values.get("dev_eui")
    if not dev_eui:
        raise invalid("dev_eui is missing: 16 hex digits are needed")
    given = {"application": "default", "template": "default", **values}
    activation = values.get("activation") or ("abp" if values.get("abp") else "otaa")
    checked = {**parse_settings(given), "dev_eui": parsed("dev_eui", parse_eui, dev_eui), "activation": activation}
    checked["name"] = checked.get("name") or checked["dev_eui"]
    checked["network"] = changed({}, checked.get("network", {}))
    keys = DeviceKeys(**{name: checked.pop(name, None) for name in ROOT_KEYS})
    _check_activation(activation, keys, checked.get("abp"))
    return NewDevice(**checked, keys=keys)


def parse_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check those fields of a device that may be changed; gives only the ones that are in `values`."""
    checked = {
        field: values[field]
        for field in ("application", "template", "codec", "fcnt_reset_allowed", "disabled")
        if field in values
    }
    if "name" in values:
        checked["name"] = check_text("name", values["name"] or "", MAX_DEVICE_NAME)
    if "join_eui" in values:
        checked["join_eui"] = parsed("join_eui", parse_eui, values["join_eui"]) if values["join_eui"] else None
    for field in ROOT_KEYS:
        if field in values:
            checked[field] = parsed(field, parse_key, values[field]) if values[field] else None
    for field in ("tags", "variables"):
        if field in values:
            checked[field] = check_pairs(field, values[field] or {})
    if "network" in values:
        checked["network"] = values["network"] or {}
    if "rules" in values:
        checked["rules"] = check_rules(values["rules"] or {})
    if "max_measurements_per_hour" in values:
        checked["max_measurements_per_hour"] = check_per_hour(values["max_measurements_per_hour"])
    if "abp" in values:
        checked["abp"] = parse_abp(values["abp"]) if values["abp"] else None
    return checked


def parse_abp(values: Mapping[str, Any]) -> AbpSession:
    """Check the session of an ABP device: the keys given say whether it is of LoRaWAN 1.0 or 1.1."""
    names = SESSION_KEYS[any(values.get(name) for name in SESSION_KEYS[1][:-1])]
    for field in ("dev_addr", *names):
        if not values.get(field):
            raise invalid(f"{field} is missing: an abp device needs {_needed(names)}")
    for name in SESSION_KEYS[0]:
        if name not in names and values.get(name):
            raise invalid(f"{name} is given beside f_nwk_s_int_key: an abp device needs {_needed(names)}")
    if len(names) == 2 and values.get("afcnt_down"):
        raise invalid(f"afcnt_down is {values['afcnt_down']}, only a session with the keys of lorawan 1.1 has one")
    fcnt_up = values.get("fcnt_up")
    return AbpSession(
        parsed("dev_addr", parse_dev_addr, values["dev_addr"]),
        b"".join([parsed(name, parse_key, values[name]) for name in names]),
        NO_FCNT if fcnt_up is None else check_range("fcnt_up", fcnt_up, NO_FCNT, MAX_FCNT),
        check_range("fcnt_down", values.get("fcnt_down") or 0, 0, MAX_FCNT),
        check_range("afcnt_down", values.get("afcnt_down") or 0, 0, MAX_FCNT),
    )


def missing_keys(version: str, keys: DeviceKeys, session_keys: bytes | None) -> str | None:
    """What an otaa device (`session_keys` None) or an abp one lacks to be one of this LoRaWAN version."""
    if session_keys is None:
        if version == "1.1" and keys.nwk_key is None:
            return "nwk_key is missing: an otaa device of lorawan 1.1 joins with nwk_key and app_key"
        return None
    minor = 1 if version == "1.1" else 0
    if session_minor(session_keys) == minor:
        return None
    needed = _needed(SESSION_KEYS[minor])
    return f"the session has keys of another version: an abp device of lorawan {version} needs {needed}"


def _needed(names: Sequence[str]) -> str:
    return ", ".join(["dev_addr", *names[:-1]]) + f" and {names[-1]}"


def _check_activation(activation: str, keys: DeviceKeys, abp: AbpSession | None) -> None:
    if activation == "otaa":
        if abp is not None:
            raise invalid("activation is 'otaa' but a session is given: leave it out, or say 'abp'")
        if keys.app_key is None and keys.nwk_key is not None:
            raise invalid(
                "app_key is missing: what other servers call the nwk_key of a lorawan 1.0 device is its app_key"
            )
        if keys.app_key is None:
            raise invalid("app_key is missing: an otaa device joins with it (abp: give dev_addr and session keys)")
    elif activation == "abp":
        if abp is None:
            raise invalid(f"dev_addr is missing: an abp device needs {_needed(SESSION_KEYS[0])}")
        for name in ("app_key", "nwk_key"):
            if getattr(keys, name) is not None:
                raise invalid(f"activation is 'abp' but an {name} is given: leave it out, or say 'otaa'")
    else:
        raise invalid(f"activation is {activation!r}, otaa and abp are known")
