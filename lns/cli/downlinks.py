"""`lns downlink`: a device's queue of downlinks."""

import json
from typing import Annotated, Any

import typer

from lns.cli.command import Call, column, command, duration_s, given, instant_text, json_object, parse_hex
from lns.cli.connection import path
from lns.cli.devices import Device, find
from lns.cli.outcome import CommandError, Exit
from lns.cli.times import local

app = typer.Typer(
    no_args_is_help=True, help="Queue downlinks for a device; a class A device takes them after its uplinks."
)

Fport = Annotated[int, typer.Option(min=1, max=223, help="FPort of the downlink.")]
Payload = Annotated[str, typer.Option("--hex", metavar="HEX", help="Payload before encryption.")]
AnyFport = Annotated[
    int | None, typer.Option("--fport", min=1, max=223, help="FPort; with --object the codec may name it.")
]
AnyPayload = Annotated[str | None, typer.Option("--hex", metavar="HEX", help="Payload before encryption.")]
Object = Annotated[
    str | None,
    typer.Option("--object", metavar="JSON", help="What the device's codec is to encode, in place of --hex."),
]
Confirmed = Annotated[bool, typer.Option(help="Ask the device to acknowledge it.")]
Priority = Annotated[int, typer.Option(min=-100, max=100, help="What has a higher one goes first.")]
At = Annotated[str | None, typer.Option(help="Not before this time (local where it names no zone).")]
ExpiresIn = Annotated[str | None, typer.Option(help="Give up after this long, such as 30m or 1d.")]


@command(
    app,
    "send",
    "lns downlink send a84041000181c061 --fport 2 --hex 0100003c",
    """lns downlink send cellar --object '{"interval": 600}'""",
    "lns downlink send a84041000181c061 --fport 2 --hex 01 --confirmed --expires-in 1h",
    "lns downlink send valve --fport 2 --hex 01 --priority 10 --at 2026-12-31T18:00:00",
)
def send(
    call: Call,
    device: Device,
    fport: AnyFport = None,
    payload: AnyPayload = None,
    value: Object = None,
    confirmed: Confirmed = False,
    priority: Priority = 0,
    at: At = None,
    expires_in: ExpiresIn = None,
) -> None:
    """Queue a downlink for a device, behind those of the same priority.

    An --object is encoded by `encodeDownlink` of the device's codec; `lns downlink list --decode` shows what waits so.
    """
    body = _body(fport, payload, value) | _when(at, expires_in) | {"confirmed": confirmed, "priority": priority}
    item = call.server.post(path("devices", find(call, device), "downlinks"), body)
    encoded = "" if value is None else f" as FPort {item['fport']}, {item['payload']}"
    text = f"downlink {item['id']} queued{encoded}: it leaves when the device listens next, see `lns downlink list`"
    call.show(item, text)


@command(app, "replace", "lns downlink replace valve 0190b6f2-7c1e-7000-8000-0123456789ab --fport 2 --hex 00")
def replace(
    call: Call,
    device: Device,
    id: Annotated[str, typer.Argument(metavar="ID")],
    fport: AnyFport = None,
    payload: AnyPayload = None,
    value: Object = None,
    confirmed: Confirmed = False,
    priority: Priority = 0,
    at: At = None,
    expires_in: ExpiresIn = None,
) -> None:
    """Let another downlink take the place of a waiting one."""
    body = _body(fport, payload, value) | _when(at, expires_in) | {"confirmed": confirmed, "priority": priority}
    item = call.server.put(path("devices", find(call, device), "downlinks", id), body)
    call.show(item, f"downlink {id} replaced")


@command(app, "list", "lns downlink list a84041000181c061", "lns downlink list cellar --past --limit 20")
def list_(
    call: Call,
    device: Device,
    past: Annotated[
        bool, typer.Option("--past", help="Those of the last 30 days in every state, newest first.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="With --past: at most this many.")] = 100,
    decode: Annotated[
        bool, typer.Option("--decode", help="Show what waits as `decodeDownlink` of the device's codec sees it.")
    ] = False,
) -> None:
    """List what waits for a device, or with --past what became of its downlinks."""
    if past and decode:
        raise CommandError("--decode shows what waits: leave out --past", Exit.USAGE)
    names = ("id", "fport", "payload", "confirmed", "priority", "state", "reason", "attempts", "fcnt_down")
    columns = [*(column(name) for name in names), ("enqueued", lambda row: local(row["enqueued_at"]))]
    if decode:
        columns.insert(3, ("object", _object))
    where = path("devices", find(call, device), "downlinks")
    found = call.server.pages(f"{where}/past", limit) if past else call.server.pages(where, decode=decode or None)
    call.show_list(found, columns)


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


def downlink_body(fport: int, payload: str, at: str | None, expires_in: str | None) -> dict[str, Any]:
    """What the options of one downlink say, for the API."""
    return {"fport": fport, "payload": parse_hex(payload).hex()} | _when(at, expires_in)


def _body(fport: int | None, payload: str | None, value: str | None) -> dict[str, Any]:
    """A payload or an object."""
    if (payload is None) == (value is None):
        raise CommandError("give either --hex or --object", Exit.USAGE)
    if value is not None:
        return {"object": json_object("--object", value)} | given(fport=fport)
    if fport is None:
        raise CommandError("--fport is missing: only a codec can name it, for an --object", Exit.USAGE)
    return {"fport": fport, "payload": parse_hex(payload or "").hex()}


def _when(at: str | None, expires_in: str | None) -> dict[str, Any]:
    return given(
        at=None if at is None else instant_text("--at", at),
        expires_in_s=None if expires_in is None else duration_s("--expires-in", expires_in),
    )


def _object(row: dict[str, Any]) -> str:
    if row["object_error"] is not None:
        return f"({row['object_error']})"
    return json.dumps(row["object"], ensure_ascii=False)
