"""`lns status` and `lns exchange status`: is it well, and does everything keep up."""

from collections.abc import Mapping
from typing import Any

import typer

from lns.cli.command import Call, column, command, fields
from lns.cli.connection import path
from lns.cli.times import error_text

exchange = typer.Typer(no_args_is_help=True, help="Look at the durable log and its consumers.")


def status(call: Call) -> None:
    """Show the server's version, addresses and counters, and what a person should look at."""
    value = call.server.get(path("status"))
    if call.as_json:
        call.show(value)
    else:
        call.console.print(fields({**value, "alerts": "\n".join(map(_alert, value["alerts"])) or None}))


def _alert(alert: Mapping[str, Any]) -> str:
    """`default/hook dead: 3 deliveries failed for good`; without an outlet it is about the log."""
    about = "log" if alert["outlet"] is None else f"{alert['application']}/{alert['outlet']}"
    return f"{about} {alert['kind']}: {alert['text']}"


@command(exchange, "status", "lns exchange status", "lns exchange status --json | jq '.consumers[] | {name, lag}'")
def exchange_status(call: Call) -> None:
    """Show how far each consumer (decoder, series store, Kafka) is behind the head of the log, and its last error.

    `waiting` counts uplinks that the decoder has passed and decodes later, for their codec does not answer in time.
    """
    value = call.server.get(path("exchange"))
    if call.as_json:
        call.show(value)
        return
    call.console.print(fields({name: item for name, item in value.items() if name not in ("consumers", "notices")}))
    columns = [
        *(column(name) for name in ("name", "state", "position", "lag", "waiting")),
        ("rate", lambda row: f"{row['rate_per_s']:.0f}/s"),
        ("last error", lambda row: error_text(row, row["state"] == "running", call.now)),
    ]
    call.show_list(value["consumers"], columns)
    if value["notices"]:
        call.show_list(value["notices"], [column(name) for name in ("at", "kind", "first_seq", "last_seq", "text")])
