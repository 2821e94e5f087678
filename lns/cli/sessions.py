"""`lns device export-session` and `import-session`: moving devices between servers without a join."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from lns.cli.command import Call, command, json_object, read_text
from lns.cli.connection import path
from lns.cli.devices import Device, app, find
from lns.cli.outcome import CommandError, Exit


@command(
    app,
    "export-session",
    "lns device export-session a84041000181c061 --to cellar.json --key $KEY_THAT_MAY_READ_KEYS",
    "lns device export-session a84041000181c061 --json",
)
def export_session(
    call: Call,
    device: Device,
    to: Annotated[Path | None, typer.Option(help="File to write, for this user only; else standard output.")] = None,
) -> None:
    """Write a device's session with counters, keys and channels as JSON; needs permission keys:read.

    Disable the device here before the other server has it: two that answer it would use counters twice.
    """
    value = call.server.get(path("devices", find(call, device), "session"))
    text = json.dumps(value, indent=2)
    if to is None:
        typer.echo(text)
        return
    try:
        handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(text + "\n")
    except OSError as error:
        raise CommandError(f"cannot write {to}: {error.strerror}", Exit.USAGE) from None
    call.show({"file": str(to)}, f"session of {device} written to {to}: it holds keys, keep it safe")


@command(app, "import-session", "lns device import-session cellar.json")
def import_session(
    call: Call,
    file: Annotated[Path, typer.Argument(metavar="FILE.json", help="What `lns device export-session` wrote.")],
) -> None:
    """Give a device the session of a file in place of its own, so that it need not join again.

    The device must exist, with the LoRaWAN version and region of the file.
    """
    value = json_object(str(file), read_text(file))
    dev_eui = value.get("dev_eui")
    if not isinstance(dev_eui, str):
        raise CommandError(f"{file} is no session: it has no dev_eui", Exit.USAGE)
    shown = call.server.post(path("devices", find(call, dev_eui), "session"), value)
    session = shown["session"]
    text = f"device {dev_eui} has the session: DevAddr {session['dev_addr']}, FCntUp {session['fcnt_up']}"
    call.show(shown, text)
