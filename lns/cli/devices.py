"""`lns device`: provisioning one by one; `lns.cli.importing` does it from a file."""

from typing import Annotated, Any

import typer

from lns.cli.command import Call, column, command, fields, json_object, pairs
from lns.cli.connection import path
from lns.cli.link_picture import link_picture
from lns.cli.outcome import CommandError, Exit
from lns.cli.templates import DeviceClass, Network, PerHour, Rules, max_per_hour, network_settings
from lns.cli.times import ago
from lns.lorawan.ids import parse_eui

app = typer.Typer(no_args_is_help=True, help="Add, list and change devices.")

Device = Annotated[str, typer.Argument(metavar="DEVICE", help="DevEUI or name of the device.")]
Name = Annotated[str | None, typer.Option(help="A name for people.")]
Application = Annotated[str | None, typer.Option(help="Application it belongs to.")]
Template = Annotated[str | None, typer.Option(help="Device template, or VENDOR/DEVICE of the library.")]
Codec = Annotated[str | None, typer.Option(help="Codec, where it is not the template's.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="NAME=VALUE", help="Tag; may be repeated.")]
Variables = Annotated[
    list[str] | None, typer.Option("--var", metavar="NAME=VALUE", help="Variable its codec reads; may be repeated.")
]
_OTAA, _ABP = "OTAA", "ABP"


def _in(panel: str, text: str, **more: Any) -> Any:
    return typer.Option(help=text, rich_help_panel=panel, **more)


def find(call: Call, device: str) -> str:
    """The DevEUI of a device named by DevEUI or by its name."""
    try:
        return parse_eui(device)
    except ValueError:
        named = [row for row in call.server.pages(path("devices"), search=device) if row["name"] == device]
    if len(named) == 1:
        return str(named[0]["dev_eui"])
    if named:
        euis = ", ".join(row["dev_eui"] for row in named)
        raise CommandError(f"{len(named)} devices are called {device!r}, say which by its DevEUI: {euis}")
    raise CommandError(f"no device has the DevEUI or name {device!r}: see `lns device list`", Exit.NOT_FOUND)


@command(app, "list", "lns device list", "lns device list --application greenhouse --search soil")
def list_(
    call: Call,
    application: Application = None,
    search: Annotated[str | None, typer.Option(help="Part of a DevEUI or name.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Show at most this many.")] = None,
) -> None:
    """List devices."""
    columns = [
        *(column(name) for name in ("dev_eui", "name", "application", "template", "activation")),
        ("dev addr", lambda row: (row.get("session") or {}).get("dev_addr", "-")),
        ("health", lambda row: (row["health"] or {}).get("state", "never heard")),
        ("last seen", lambda row: ago(row.get("last_seen_at"), call.now)),
    ]
    rows = call.server.pages(path("devices"), limit, application=application, search=search)
    call.show_list(rows, columns)


@command(app, "show", "lns device show a84041000181c061")
def show(call: Call, device: Device) -> None:
    """Show one device and how it is heard; keys are shown by `lns device keys`."""
    dev_eui = find(call, device)
    value = call.server.get(path("devices", dev_eui))
    if call.as_json:
        call.show(value)
        return
    call.console.print(fields(value))
    if value["session"] is not None:
        call.console.print()
        call.console.print(link_picture(call.server.get(path("devices", dev_eui, "link")), call.now))


@command(app, "link", "lns device link cellar", "lns device link cellar --json | jq .packet_error_rate")
def link(call: Call, device: Device) -> None:
    """Show how a device is heard: losses, data rates, gateways with their margins, battery."""
    value = call.server.get(path("devices", find(call, device), "link"))
    if call.as_json:
        call.show(value)
    else:
        call.console.print(link_picture(value, call.now))


@command(app, "session", "lns device session a84041000181c061")
def session(call: Call, device: Device) -> None:
    """Show the device's session: DevAddr, frame counters, receive windows."""
    value = call.server.get(path("devices", find(call, device)))["session"]
    if value is None:
        raise CommandError(f"{device} has no session: it has not joined yet", Exit.NOT_FOUND)
    call.show(value)


@command(app, "keys", "lns device keys a84041000181c061 --key $KEY_THAT_MAY_READ_KEYS")
def keys(call: Call, device: Device) -> None:
    """Show the keys of a device and its session; needs an API key with permission keys:read."""
    call.show(call.server.get(path("devices", find(call, device), "keys")))


@command(app, "rejoin", "lns device rejoin cellar", "lns device rejoin cellar --type 2 --dr 3")
def rejoin(
    call: Call,
    device: Device,
    rejoin_type: Annotated[int, typer.Option("--type", help="0, or 2: its radio parameters stay.")] = 0,
    dr: Annotated[int, typer.Option(min=0, max=7, help="Data rate of the rejoin-request.")] = 0,
) -> None:
    """Ask a LoRaWAN 1.1 device for new session keys, with the next downlink."""
    dev_eui = find(call, device)
    call.server.post(path("devices", dev_eui, "rejoin"), {"rejoin_type": rejoin_type, "dr": dr})
    call.show({"asked": dev_eui}, f"device {device} is asked to rejoin with the next downlink")


@command(
    app,
    "add",
    "lns device add a84041000181c061 --join-eui a840410000000100 --app-key 2b7e151628aed2a6abf7158809cf4f3c",
    "lns device add 24e124136b502d10 --template milesight/em300-th --app-key 2b7e151628aed2a6abf7158809cf4f3c",
    "lns device add a84041000181c062 --dev-addr 260b1f22 --nwk-s-key 2b7e...4f3c --app-s-key 3c4f...7e2b",
    "lns device add a84041000181c063 --template lorawan-1-1 --app-key 2b7e...4f3c --nwk-key 3c4f...7e2b",
)
def add(
    call: Call,
    dev_eui: Annotated[str, typer.Argument(metavar="DEV_EUI", help="DevEUI, 16 hex digits.")],
    name: Name = None,
    join_eui: Annotated[str | None, _in(_OTAA, "JoinEUI (AppEUI).")] = None,
    app_key: Annotated[str | None, _in(_OTAA, "AppKey, 32 hex digits.")] = None,
    nwk_key: Annotated[str | None, _in(_OTAA, "NwkKey of LoRaWAN 1.1, 32 hex digits.")] = None,
    gen_app_key: Annotated[str | None, _in(_OTAA, "GenAppKey, for multicast with LoRaWAN 1.0.")] = None,
    dev_addr: Annotated[str | None, _in(_ABP, "DevAddr, 8 hex digits.")] = None,
    nwk_s_key: Annotated[str | None, _in(_ABP, "NwkSKey of LoRaWAN 1.0, 32 hex digits.")] = None,
    f_nwk_s_int_key: Annotated[str | None, _in(_ABP, "FNwkSIntKey of LoRaWAN 1.1.")] = None,
    s_nwk_s_int_key: Annotated[str | None, _in(_ABP, "SNwkSIntKey of LoRaWAN 1.1.")] = None,
    nwk_s_enc_key: Annotated[str | None, _in(_ABP, "NwkSEncKey of LoRaWAN 1.1.")] = None,
    app_s_key: Annotated[str | None, _in(_ABP, "AppSKey, 32 hex digits.")] = None,
    fcnt_up: Annotated[int | None, _in(_ABP, "Last FCntUp heard.", min=0)] = None,
    fcnt_down: Annotated[int | None, _in(_ABP, "Next FCntDown, of 1.1 the NFCntDown.", min=0)] = None,
    afcnt_down: Annotated[int | None, _in(_ABP, "Next AFCntDown of LoRaWAN 1.1.", min=0)] = None,
    application: Application = None,
    template: Template = None,
    codec: Codec = None,
    device_class: DeviceClass = None,
    network: Network = None,
    tags: Tags = None,
    variables: Variables = None,
    rules: Rules = None,
    per_hour: PerHour = None,
) -> None:
    """Add a device: with --app-key it joins over the air (OTAA), with --dev-addr its session is fixed (ABP)."""
    abp = _given(dev_addr=dev_addr, nwk_s_key=nwk_s_key, app_s_key=app_s_key, f_nwk_s_int_key=f_nwk_s_int_key)
    abp |= _given(s_nwk_s_int_key=s_nwk_s_int_key, nwk_s_enc_key=nwk_s_enc_key)
    abp |= _given(fcnt_up=fcnt_up, fcnt_down=fcnt_down, afcnt_down=afcnt_down)
    otaa = _given(join_eui=join_eui, app_key=app_key, nwk_key=nwk_key)
    if bool(abp) == bool(app_key or nwk_key):
        raise CommandError(
            "give either --join-eui and --app-key (OTAA) or --dev-addr and session keys (ABP)", Exit.USAGE
        )
    body = _given(dev_eui=dev_eui, name=name, application=application, template=template, codec=codec)
    body |= otaa | _given(gen_app_key=gen_app_key) | _dictionaries(tags, variables)
    body |= _network(device_class, network) | _kept(rules, per_hour)
    body |= {"activation": "abp", "abp": abp} if abp else {"activation": "otaa"}
    call.show(call.server.post(path("devices"), body), f"device {dev_eui.lower()} added")


@command(
    app,
    "set",
    "lns device set a84041000181c061 --codec lht65",
    "lns device set cellar --disabled",
    "lns device set lamp --device-class C",
    """lns device set cellar --rules '{"temperature": {"min_interval_s": 600}}' --max-per-hour 60""",
)
def set_(
    call: Call,
    device: Device,
    name: Name = None,
    application: Application = None,
    template: Template = None,
    codec: Codec = None,
    disabled: Annotated[bool | None, typer.Option("--disabled/--enabled", help="Refuse or serve its frames.")] = None,
    fcnt_reset: Annotated[
        bool | None, typer.Option("--fcnt-reset/--no-fcnt-reset", help="May start its counter again at 0 (ABP).")
    ] = None,
    join_eui: Annotated[str | None, _in(_OTAA, "JoinEUI (AppEUI); any: every one is accepted.")] = None,
    app_key: Annotated[str | None, _in(_OTAA, "AppKey, 32 hex digits.")] = None,
    nwk_key: Annotated[str | None, _in(_OTAA, "NwkKey of LoRaWAN 1.1, 32 hex digits.")] = None,
    gen_app_key: Annotated[str | None, _in(_OTAA, "GenAppKey, for multicast with LoRaWAN 1.0.")] = None,
    device_class: DeviceClass = None,
    network: Network = None,
    tags: Tags = None,
    variables: Variables = None,
    rules: Rules = None,
    per_hour: PerHour = None,
) -> None:
    """Change a device; what is not named stays."""
    body = _given(name=name, application=application, template=template, codec=codec, disabled=disabled)
    body |= _given(fcnt_reset_allowed=fcnt_reset, app_key=app_key, nwk_key=nwk_key, gen_app_key=gen_app_key)
    body |= _dictionaries(tags, variables) | _network(device_class, network) | _kept(rules, per_hour)
    if join_eui is not None:
        body["join_eui"] = None if join_eui == "any" else join_eui
    call.show(call.server.patch(path("devices", find(call, device)), body), f"device {device} changed")


@command(app, "remove", "lns device remove a84041000181c061")
def remove(call: Call, device: Device) -> None:
    """Remove a device with its session and downlinks; its measurements stay in the series store."""
    dev_eui = find(call, device)
    call.server.delete(path("devices", dev_eui))
    call.show({"removed": dev_eui}, f"device {device} removed")


def _kept(rules: str | None, per_hour: str | None) -> dict[str, Any]:
    """Which of its values are stored and sent, where that is given."""
    return ({} if rules is None else {"rules": json_object("--rules", rules)}) | max_per_hour(per_hour)


def _network(device_class: str | None, network: str | None) -> dict[str, Any]:
    return _given(network=network_settings(device_class, network) or None)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _dictionaries(tags: list[str] | None, variables: list[str] | None) -> dict[str, Any]:
    return _given(tags=pairs(tags) if tags else None, variables=pairs(variables) if variables else None)
