"""`lns status` and `lns exchange status`: is it well, and does everything keep up."""

import typer

from lns.cli.command import Call, column, command, fields
from lns.cli.connection import path

exchange = typer.Typer(no_args_is_help=True, help="Look at the durable log and its consumers.")


def status(call: Call) -> None:
    """Show the server's version, addresses and counters."""
    call.show(call.server.get(path("status")))


@command(exchange, "status", "lns exchange status", "lns exchange status --json | jq '.consumers[] | {name, lag}'")
def exchange_status(call: Call) -> None:
    """Show how far each consumer (decoder, series store, Kafka) is behind the head of the log, and its last error.

    `waiting` counts uplinks that the decoder has passed and decodes later, for their codec does not answer in time.
    """
    value = call.server.get(path("exchange"))
    if call.as_json:
        call.show(value)
        return
    call.console.print(fields({name: item for name, item in value.items() if name != "consumers"}))
    columns = [
        *(column(name) for name in ("name", "state", "position", "lag", "waiting")),
        ("rate", lambda row: f"{row['rate_per_s']:.0f}/s"),
        column("last_error"),
    ]
    call.show_list(value["consumers"], columns)
