"""`lns latest`: what a device said last, and whether it is there."""

from datetime import datetime
from typing import Annotated, Any

import typer

from lns.cli.command import Call
from lns.cli.connection import path
from lns.cli.devices import find
from lns.cli.measured import measured
from lns.cli.times import ago, span


def latest(call: Call, device: Annotated[str, typer.Argument(metavar="DEVICE", help="DevEUI or name.")]) -> None:
    """Show the last value of every field of a device; no series store is asked."""
    value = call.server.get(path("devices", find(call, device), "latest"))
    if call.as_json:
        call.show(value)
        return
    call.console.print(health_text(value["health"], call.now), markup=False, soft_wrap=True)
    rows = [{"field": field, **last} for field, last in value["values"].items()]
    columns = [
        ("field", lambda row: str(row["field"])),
        ("value", lambda row: measured(row["value"], row["unit"])),
        ("when", lambda row: ago(row["at"], call.now)),
    ]
    call.show_list(rows, columns)


def health_text(health: dict[str, Any] | None, now: datetime) -> str:
    """A health as one line."""
    if health is None:
        return "never heard"
    parts = [f"{health['state']} since {ago(health['since'], now)}", f"heard {ago(health['last_seen_at'], now)}"]
    if health["expected_interval_s"] is not None:
        parts.append(f"expected every {span(health['expected_interval_s'])}")
    parts.append(f"up {health['uptime']:.1%}")
    return ", ".join(parts)
