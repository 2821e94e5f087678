"""`lns template`: what all devices of one model have in common."""

from typing import Annotated, Any

import msgspec
import typer

from lns.cli.command import Call, column, command
from lns.cli.connection import path
from lns.cli.outcome import CommandError, Exit

app = typer.Typer(no_args_is_help=True, help="Describe device models: codec, LoRaWAN version, store-on-change rules.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the device template.")]
Codec = Annotated[str | None, typer.Option(help="Codec that decodes its uplinks.")]
Region = Annotated[str | None, typer.Option(help="EU868 or US915; else the server's own.")]
Version = Annotated[str | None, typer.Option("--lorawan-version", help="1.0.0 to 1.0.4; decides the DevNonce rule.")]
Reset = Annotated[
    bool | None, typer.Option("--fcnt-reset/--no-fcnt-reset", help="ABP devices may start their counter again at 0.")
]
Rules = Annotated[
    str | None,
    typer.Option(
        help='Store-on-change rules as JSON, by field: {"temperature": {"deadband_abs": 0.2, "heartbeat_s": 3600}}.'
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
    rules: Rules = None,
) -> None:
    """Add a device template."""
    body = {"name": name, **_body(codec, lorawan_version, region, fcnt_reset, rules)}
    call.show(call.server.post(path("device-templates"), body), f"device template {name} added")


@command(app, "set", "lns template set default --codec lht65")
def set_(
    call: Call,
    name: Name,
    codec: Codec = None,
    lorawan_version: Version = None,
    region: Region = None,
    fcnt_reset: Reset = None,
    rules: Rules = None,
) -> None:
    """Change a device template, and with it all devices that use it."""
    body = _body(codec, lorawan_version, region, fcnt_reset, rules)
    call.show(call.server.patch(path("device-templates", name), body), f"device template {name} changed")


@command(app, "remove", "lns template remove dragino-lht65")
def remove(call: Call, name: Name) -> None:
    """Remove a device template; refused while devices use it."""
    call.server.delete(path("device-templates", name))
    call.show({"removed": name}, f"device template {name} removed")


def _body(
    codec: str | None, lorawan_version: str | None, region: str | None, fcnt_reset: bool | None, rules: str | None
) -> dict[str, Any]:
    given = {
        "codec": codec,
        "lorawan_version": lorawan_version,
        "region": region,
        "fcnt_reset_allowed": fcnt_reset,
        "rules": None if rules is None else _parse_rules(rules),
    }
    return {field: value for field, value in given.items() if value is not None}


def _parse_rules(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise CommandError(f"--rules is not JSON: {error}", Exit.USAGE) from None
