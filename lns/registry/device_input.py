"""A device as people describe it, in JSON or in a CSV row, checked into one value."""

from collections.abc import Mapping
from typing import Any

import msgspec

from lns.lorawan.ids import parse_dev_addr, parse_eui, parse_key
from lns.registry.errors import invalid
from lns.registry.fields import MAX_DEVICE_NAME, check_pairs, check_range, check_text, parsed

MAX_FCNT = 0xFFFF_FFFF
NO_FCNT = -1


class AbpSession(msgspec.Struct, frozen=True):
    """The fixed session of an ABP device. `fcnt_up` is the last one heard (-1: none), `fcnt_down` the next to use."""

    dev_addr: str
    nwk_s_key: bytes
    app_s_key: bytes
    fcnt_up: int = NO_FCNT
    fcnt_down: int = 0


class NewDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device to create; applications, templates and codecs by name."""

    dev_eui: str
    name: str
    application: str = "default"
    template: str = "default"
    activation: str
    join_eui: str | None = None
    app_key: bytes | None = None
    codec: str | None = None
    fcnt_reset_allowed: bool | None = None
    disabled: bool = False
    tags: dict[str, str] = {}
    variables: dict[str, str] = {}
    abp: AbpSession | None = None


def parse_device(values: Mapping[str, Any]) -> NewDevice:
    """Check a new device; what is absent takes its default. RegistryError names the field and the value."""
    dev_eui = values.get("dev_eui")
    if not dev_eui:
        raise invalid("dev_eui is missing: 16 hex digits are needed")
    given = {"application": "default", "template": "default", **values}
    activation = values.get("activation") or ("abp" if values.get("abp") else "otaa")
    checked = {**parse_settings(given), "dev_eui": parsed("dev_eui", parse_eui, dev_eui), "activation": activation}
    checked["name"] = checked.get("name") or checked["dev_eui"]
    _check_activation(activation, checked)
    return NewDevice(**checked)


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
    if "app_key" in values:
        checked["app_key"] = parsed("app_key", parse_key, values["app_key"]) if values["app_key"] else None
    for field in ("tags", "variables"):
        if field in values:
            checked[field] = check_pairs(field, values[field] or {})
    if "abp" in values:
        checked["abp"] = parse_abp(values["abp"]) if values["abp"] else None
    return checked


def parse_abp(values: Mapping[str, Any]) -> AbpSession:
    """Check the session of an ABP device."""
    for field in ("dev_addr", "nwk_s_key", "app_s_key"):
        if not values.get(field):
            raise invalid(f"{field} is missing: an abp device needs dev_addr, nwk_s_key and app_s_key")
    fcnt_up = values.get("fcnt_up")
    return AbpSession(
        parsed("dev_addr", parse_dev_addr, values["dev_addr"]),
        parsed("nwk_s_key", parse_key, values["nwk_s_key"]),
        parsed("app_s_key", parse_key, values["app_s_key"]),
        NO_FCNT if fcnt_up is None else check_range("fcnt_up", fcnt_up, NO_FCNT, MAX_FCNT),
        check_range("fcnt_down", values.get("fcnt_down") or 0, 0, MAX_FCNT),
    )


def _check_activation(activation: str, values: Mapping[str, Any]) -> None:
    if activation == "otaa":
        if values.get("abp"):
            raise invalid("activation is 'otaa' but a session is given: leave it out, or say 'abp'")
        if not values.get("app_key"):
            raise invalid("app_key is missing: an otaa device joins with it (abp: give dev_addr and session keys)")
    elif activation == "abp":
        if not values.get("abp"):
            raise invalid("dev_addr is missing: an abp device needs dev_addr, nwk_s_key and app_s_key")
        if values.get("app_key"):
            raise invalid("activation is 'abp' but an app_key is given: leave it out, or say 'otaa'")
    else:
        raise invalid(f"activation is {activation!r}, otaa and abp are known")
