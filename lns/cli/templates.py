"""`lns template`: what all devices of one model have in common."""

from typing import Annotated, Any

import typer

from lns.cli.command import Call, column, command, json_object
from lns.cli.connection import path
from lns.cli.outcome import CommandError, Exit
from lns.registry.codec_names import split_version

app = typer.Typer(no_args_is_help=True, help="Describe device models: codec, LoRaWAN version, rules of what is stored.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the device template.")]
Codec = Annotated[
    str | None, typer.Option(help="Codec that decodes its uplinks: lht65 in its active version, lht65@2 in that one.")
]
Region = Annotated[str | None, typer.Option(help="A region such as EU868 or AS923-1; else the server's own.")]
Version = Annotated[str | None, typer.Option("--lorawan-version", help="1.0.0 to 1.0.4 or 1.1; decides which keys.")]
Reset = Annotated[
    bool | None, typer.Option("--fcnt-reset/--no-fcnt-reset", help="ABP devices may start their counter again at 0.")
]
DeviceClass = Annotated[str | None, typer.Option(help="A, B or C: the highest one its devices may use.")]
Network = Annotated[
    str | None,
    typer.Option(help='MAC settings as JSON, merged into what is set: {"rx1_delay_s": 5, "adr": {"max_dr": 4}}.'),
]
Rules = Annotated[
    str | None,
    typer.Option(
        help='Which values are stored and sent, JSON by field: {"humidity": {"deadband_abs": 0.5, "max_per_hour": 6}}'
    ),
]
PerHour = Annotated[
    str | None,
    typer.Option(
        "--max-per-hour", metavar="N", help="Most measurements of a device stored per hour; none: as by default."
    ),
]


@command(app, "list", "lns template list")
def list_(call: Call) -> None:
    """List device templates; `default` is always there."""
    columns = [column(name) for name in ("name", "codec", "lorawan_version", "region", "fcnt_reset_allowed")]
    call.show_list(call.server.pages(path("device-templates")), columns)


@command(app, "show", "lns template show dragino-lht65")
def show(call: Call, name: Name) -> None:
    """Show one device template."""
    call.show(call.server.get(path("device-templates", name)))


@command(app, "add", "lns template add dragino-lht65 --codec lht65 --lorawan-version 1.0.3")
def add(
    call: Call,
    name: Name,
    codec: Codec = None,
    lorawan_version: Version = None,
    region: Region = None,
    fcnt_reset: Reset = None,
    device_class: DeviceClass = None,
    network: Network = None,
    rules: Rules = None,
    per_hour: PerHour = None,
) -> None:
    """Add a device template."""
    body = {"name": name, **_codec(codec), **_given(lorawan_version=lorawan_version, region=region)}
    body |= _given(fcnt_reset_allowed=fcnt_reset, **_objects(rules, device_class, network))
    body |= max_per_hour(per_hour)
    call.show(call.server.post(path("device-templates"), body), f"device template {name} added")


@command(
    app,
    "set",
    "lns template set default --codec lht65",
    "lns template set dragino-lht65 --codec lht65@2",
    "lns template set street-lamp --device-class C",
    """lns template set dragino-lht65 --network '{"adr": {"algorithm": "static", "static_dr": 3}}'""",
    "lns template set dragino-lht65 --max-per-hour 60",
)
def set_(
    call: Call,
    name: Name,
    codec: Codec = None,
    lorawan_version: Version = None,
    region: Region = None,
    fcnt_reset: Reset = None,
    device_class: DeviceClass = None,
    network: Network = None,
    rules: Rules = None,
    per_hour: PerHour = None,
) -> None:
    """Change a device template, and with it all devices that use it."""
    body = _given(lorawan_version=lorawan_version, region=region, fcnt_reset_allowed=fcnt_reset)
    body |= _codec(codec) | _objects(rules, device_class, network) | max_per_hour(per_hour)
    call.show(call.server.patch(path("device-templates", name), body), f"device template {name} changed")


@command(app, "remove", "lns template remove dragino-lht65")
def remove(call: Call, name: Name) -> None:
    """Remove a device template; refused while devices use it."""
    call.server.delete(path("device-templates", name))
    call.show({"removed": name}, f"device template {name} removed")


def _given(**values: Any) -> dict[str, Any]:
    return {field: value for field, value in values.items() if value is not None}


def _codec(named: str | None) -> dict[str, Any]:
    """A codec, and the version that the template stays with."""
    if named is None:
        return {}
    name, which = split_version(named)
    if which == "draft":
        raise CommandError(f"--codec is {named!r}: name the version by its number", Exit.USAGE)
    return {"codec": name, "codec_version": int(which) if which.isdigit() else None}


def _objects(rules: str | None, device_class: str | None, network: str | None) -> dict[str, Any]:
    """The fields that are objects, where they are given."""
    found = {} if rules is None else {"rules": json_object("--rules", rules)}
    settings = network_settings(device_class, network)
    return {**found, "network": settings} if settings else found


def max_per_hour(text: str | None) -> dict[str, Any]:
    """The field of a template or device that limits its measurements, where it is given."""
    if text is None:
        return {}
    if text != "none" and not text.isdecimal():
        raise CommandError(f"--max-per-hour is {text!r}, a number or none is needed", Exit.USAGE)
    return {"max_measurements_per_hour": None if text == "none" else int(text)}


def network_settings(device_class: str | None, network: str | None) -> dict[str, Any]:
    """The `network` object of a template or device from the two options that make it."""
    given = {} if network is None else json_object("--network", network)
    return given if device_class is None else {**given, "device_class": device_class.upper()}
