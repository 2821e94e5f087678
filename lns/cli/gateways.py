"""`lns gateway`: which gateways are heard, and which of them are served."""

from typing import Annotated, Any

import typer

from lns.cli.command import Call, column, command
from lns.cli.connection import path
from lns.cli.times import ago

app = typer.Typer(no_args_is_help=True, help="List gateways, and accept the ones to serve.")

Eui = Annotated[str, typer.Argument(metavar="EUI", help="Gateway EUI, 16 hex digits.")]
Name = Annotated[str | None, typer.Option(help="A name for people.")]


@command(app, "list", "lns gateway list", "lns gateway list --json | jq '.[] | select(.state == \"seen\") | .eui'")
def list_(call: Call) -> None:
    """List every gateway that was heard or added, with its state: seen (not served yet), accepted or blocked."""
    columns = [
        column("eui"),
        column("name"),
        column("state"),
        ("health", lambda row: (row["health"] or {}).get("state", "-")),
        ("last seen", lambda row: ago(row.get("last_seen_at"), call.now)),
        ("address", lambda row: str(row.get("address") or "-")),
        ("round trip", _round_trip),
    ]
    call.show_list(call.server.pages(path("gateways")), columns)


@command(app, "show", "lns gateway show a84041ffff1e8f2c")
def show(call: Call, eui: Eui) -> None:
    """Show everything known of one gateway."""
    call.show(call.server.get(path("gateways", eui)))


@command(app, "accept", "lns gateway accept a84041ffff1e8f2c")
def accept(call: Call, eui: Eui) -> None:
    """Serve a gateway: from now on its uplinks count and it may send downlinks."""
    call.show(call.server.post(path("gateways", eui, "accept")), f"gateway {eui.lower()} is served from now on")


@command(app, "add", "lns gateway add a84041ffff1e8f2c --name roof --region EU868")
def add(
    call: Call,
    eui: Eui,
    name: Name = None,
    region: Annotated[
        str | None, typer.Option(help="A region such as EU868 or AS923-1; else the server's own.")
    ] = None,
) -> None:
    """Add a gateway before it was ever heard; it is accepted at once."""
    given: dict[str, Any] = {"eui": eui, "name": name, "region": region, "accepted": True}
    body = {field: value for field, value in given.items() if value is not None}
    call.show(call.server.post(path("gateways"), body), f"gateway {eui.lower()} added and accepted")


@command(app, "remove", "lns gateway remove a84041ffff1e8f2c")
def remove(call: Call, eui: Eui) -> None:
    """Forget a gateway; when it is heard again it is only listed as seen."""
    call.server.delete(path("gateways", eui))
    call.show({"removed": eui.lower()}, f"gateway {eui.lower()} removed")


def _round_trip(row: dict[str, Any]) -> str:
    value = row.get("round_trip_ms")
    return "-" if value is None else f"{value:.0f} ms"
