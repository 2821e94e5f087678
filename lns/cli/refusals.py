"""`lns refusals`: frames that were not taken and downlinks that did not go, with what to do."""

from typing import Annotated, Any

import typer
from rich.text import Text

from lns.cli.command import Call, Column, column
from lns.cli.connection import path
from lns.cli.devices import find
from lns.cli.times import local


def refusals(
    call: Call,
    reason: Annotated[str | None, typer.Option(help="Only of this reason, such as mic_failed.")] = None,
    device: Annotated[str | None, typer.Option(help="Only of this device, by DevEUI or name.")] = None,
    dev_addr: Annotated[str | None, typer.Option(help="Only with this DevAddr.")] = None,
    gateway: Annotated[str | None, typer.Option(help="Only heard by this gateway, by EUI.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Show at most this many.")] = 20,
) -> None:
    """List the newest frames that were refused and downlinks that did not go, with what to do about each."""
    dev_eui = None if device is None else find(call, device)
    found = call.server.pages(
        path("refusals"), limit, reason=reason, dev_eui=dev_eui, dev_addr=dev_addr, gateway=gateway
    )
    columns: list[Column] = [
        ("at", lambda row: local(row["at"])),
        column("reason"),
        ("who", _who),
        ("what, and what to do", _what),
    ]
    call.show_list(found, columns)


def _what(row: dict[str, Any]) -> Text:
    text = Text(row["text"])
    return text.append(f"\n{row['hint']}", style="dim") if row["hint"] else text


def _who(row: dict[str, Any]) -> str:
    return str(row.get("device") or row.get("dev_eui") or row.get("dev_addr") or "-")
