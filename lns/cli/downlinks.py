"""`lns downlink`: a device's queue of downlinks."""

from typing import Annotated

import typer

from lns.cli.command import Call, column, command, duration_s, parse_hex
from lns.cli.connection import path
from lns.cli.devices import Device, find
from lns.cli.times import local

app = typer.Typer(
    no_args_is_help=True, help="Queue downlinks for a device; a class A device takes them after its uplinks."
)


@command(
    app,
    "send",
    "lns downlink send a84041000181c061 --fport 2 --hex 0100003c",
    "lns downlink send a84041000181c061 --fport 2 --hex 01 --confirmed --expires-in 1h",
)
def send(
    call: Call,
    device: Device,
    fport: Annotated[int, typer.Option(min=1, max=223, help="FPort of the downlink.")],
    payload: Annotated[str, typer.Option("--hex", metavar="HEX", help="Payload before encryption.")],
    confirmed: Annotated[bool, typer.Option(help="Ask the device to acknowledge it.")] = False,
    expires_in: Annotated[str | None, typer.Option(help="Give up after this long, such as 30m or 1d.")] = None,
) -> None:
    """Add a downlink to the end of the device's queue."""
    body: dict[str, object] = {"fport": fport, "payload": parse_hex(payload).hex(), "confirmed": confirmed}
    if expires_in is not None:
        body["expires_in_s"] = duration_s("--expires-in", expires_in)
    item = call.server.post(path("devices", find(call, device), "downlinks"), body)
    call.show(item, f"downlink {item['id']} queued: it leaves after the device's next uplink")


@command(app, "list", "lns downlink list a84041000181c061")
def list_(call: Call, device: Device) -> None:
    """List the device's downlinks with their state: queued, sent, acked, nacked, expired or failed."""
    columns = [
        *(column(name) for name in ("id", "fport", "payload", "confirmed", "state", "reason", "fcnt_down")),
        ("enqueued", lambda row: local(row["enqueued_at"])),
    ]
    call.show_list(call.server.pages(path("devices", find(call, device), "downlinks")), columns)


@command(app, "delete", "lns downlink delete a84041000181c061 0190b6f2-7c1e-7000-8000-0123456789ab")
def delete(call: Call, device: Device, id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Take one downlink out of the queue."""
    call.server.delete(path("devices", find(call, device), "downlinks", id))
    call.show({"deleted": id}, f"downlink {id} deleted")


@command(app, "flush", "lns downlink flush a84041000181c061")
def flush(call: Call, device: Device) -> None:
    """Take every queued downlink of the device out of its queue."""
    answer = call.server.delete(path("devices", find(call, device), "downlinks"))
    call.show(answer or {}, f"downlink queue of {device} is empty")
