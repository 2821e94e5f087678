"""`lns device`: provisioning one by one; `lns.cli.importing` does it from a file."""

from typing import Annotated, Any

import typer

from lns.cli.command import Call, column, command, pairs
from lns.cli.connection import path
from lns.cli.outcome import CommandError, Exit
from lns.cli.times import ago
from lns.lorawan.ids import parse_eui

app = typer.Typer(no_args_is_help=True, help="Add, list and change devices.")

Device = Annotated[str, typer.Argument(metavar="DEVICE", help="DevEUI or name of the device.")]
Name = Annotated[str | None, typer.Option(help="A name for people.")]
Application = Annotated[str | None, typer.Option(help="Application it belongs to.")]
Template = Annotated[str | None, typer.Option(help="Device template it follows.")]
Codec = Annotated[str | None, typer.Option(help="Codec, where it is not the template's.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="NAME=VALUE", help="Tag; may be repeated.")]
Variables = Annotated[
    list[str] | None, typer.Option("--var", metavar="NAME=VALUE", help="Variable its codec reads; may be repeated.")
]
_OTAA, _ABP = "OTAA", "ABP"


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
        ("last seen", lambda row: ago(row.get("last_seen_at"), call.now)),
    ]
    rows = call.server.pages(path("devices"), limit, application=application, search=search)
    call.show_list(rows, columns)


@command(app, "show", "lns device show a84041000181c061")
def show(call: Call, device: Device) -> None:
    """Show one device; keys are never shown."""
    call.show(call.server.get(path("devices", find(call, device))))


@command(app, "session", "lns device session a84041000181c061")
def session(call: Call, device: Device) -> None:
    """Show the device's session: DevAddr, frame counters, receive windows."""
    value = call.server.get(path("devices", find(call, device)))["session"]
    if value is None:
        raise CommandError(f"{device} has no session: it has not joined yet", Exit.NOT_FOUND)
    call.show(value)


@command(
    app,
    "add",
    "lns device add a84041000181c061 --join-eui a840410000000100 --app-key 2b7e151628aed2a6abf7158809cf4f3c",
    "lns device add a84041000181c062 --dev-addr 260b1f22 --nwk-s-key 2b7e...4f3c --app-s-key 3c4f...7e2b",
)
def add(
    call: Call,
    dev_eui: Annotated[str, typer.Argument(metavar="DEV_EUI", help="DevEUI, 16 hex digits.")],
    name: Name = None,
    join_eui: Annotated[str | None, typer.Option(help="JoinEUI (AppEUI).", rich_help_panel=_OTAA)] = None,
    app_key: Annotated[str | None, typer.Option(help="AppKey, 32 hex digits.", rich_help_panel=_OTAA)] = None,
    dev_addr: Annotated[str | None, typer.Option(help="DevAddr, 8 hex digits.", rich_help_panel=_ABP)] = None,
    nwk_s_key: Annotated[str | None, typer.Option(help="NwkSKey, 32 hex digits.", rich_help_panel=_ABP)] = None,
    app_s_key: Annotated[str | None, typer.Option(help="AppSKey, 32 hex digits.", rich_help_panel=_ABP)] = None,
    fcnt_up: Annotated[int | None, typer.Option(min=0, help="Last FCntUp heard.", rich_help_panel=_ABP)] = None,
    fcnt_down: Annotated[int | None, typer.Option(min=0, help="Next FCntDown.", rich_help_panel=_ABP)] = None,
    application: Application = None,
    template: Template = None,
    codec: Codec = None,
    tags: Tags = None,
    variables: Variables = None,
) -> None:
    """Add a device: with --app-key it joins over the air (OTAA), with --dev-addr its session is fixed (ABP)."""
    abp = _given(dev_addr=dev_addr, nwk_s_key=nwk_s_key, app_s_key=app_s_key, fcnt_up=fcnt_up, fcnt_down=fcnt_down)
    if bool(abp) == bool(app_key):
        raise CommandError(
            "give either --join-eui and --app-key (OTAA) or --dev-addr and session keys (ABP)", Exit.USAGE
        )
    body = _given(dev_eui=dev_eui, name=name, join_eui=join_eui, app_key=app_key, application=application)
    body |= _given(template=template, codec=codec) | _dictionaries(tags, variables)
    body |= {"activation": "abp", "abp": abp} if abp else {"activation": "otaa"}
    call.show(call.server.post(path("devices"), body), f"device {dev_eui.lower()} added")


@command(
    app,
    "set",
    "lns device set a84041000181c061 --codec lht65",
    "lns device set cellar --disabled",
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
    tags: Tags = None,
    variables: Variables = None,
) -> None:
    """Change a device; what is not named stays."""
    body = _given(name=name, application=application, template=template, codec=codec, disabled=disabled)
    body |= _given(fcnt_reset_allowed=fcnt_reset) | _dictionaries(tags, variables)
    call.show(call.server.patch(path("devices", find(call, device)), body), f"device {device} changed")


@command(app, "remove", "lns device remove a84041000181c061")
def remove(call: Call, device: Device) -> None:
    """Remove a device with its session and downlinks; its measurements stay in the series store."""
    dev_eui = find(call, device)
    call.server.delete(path("devices", dev_eui))
    call.show({"removed": dev_eui}, f"device {device} removed")


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _dictionaries(tags: list[str] | None, variables: list[str] | None) -> dict[str, Any]:
    return _given(tags=pairs(tags) if tags else None, variables=pairs(variables) if variables else None)
