"""`lns multicast`: groups of devices that hear the same downlinks."""

from typing import Annotated, Any

import typer

from lns.cli.command import Call, column, command, duration_s
from lns.cli.connection import path
from lns.cli.devices import find
from lns.cli.downlinks import At, ExpiresIn, Fport, Payload, downlink_body
from lns.cli.outcome import CommandError, Exit
from lns.cli.times import local, utc_text

app = typer.Typer(no_args_is_help=True, help="Send one downlink to many devices of class B or C.")

Group = Annotated[str, typer.Argument(metavar="GROUP", help="Name or id of the group.")]
Devices = Annotated[list[str], typer.Argument(metavar="DEVICE...", help="DevEUIs or names.")]
Application = Annotated[str | None, typer.Option(help="Application of the group and its members.")]
_KEYS = "Keys; random ones are made where none is given"


def find_group(call: Call, group: str) -> dict[str, Any]:
    """The group with this id, or the one with this name."""
    rows = list(call.server.pages(path("multicast-groups")))
    found = [row for row in rows if str(row["id"]) == group] or [row for row in rows if row["name"] == group]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(f"{row['id']} in {row['application']}" for row in found)
        raise CommandError(f"{len(found)} groups are called {group!r}, say which by its id: {ids}")
    raise CommandError(f"no multicast group has the name or id {group!r}: see `lns multicast list`", Exit.NOT_FOUND)


def _of(call: Call, group: str, *parts: str) -> str:
    return path("multicast-groups", str(find_group(call, group)["id"]), *parts)


@command(app, "list", "lns multicast list")
def list_(call: Call, application: Application = None) -> None:
    """List multicast groups."""
    names = ("id", "name", "application", "device_class", "region", "mc_addr", "dr", "members", "fcnt")
    columns = [*(column(name) for name in names), ("expires", lambda row: local(row["expires_at"]))]
    call.show_list(call.server.pages(path("multicast-groups"), application=application), columns)


@command(app, "show", "lns multicast show lamps")
def show(call: Call, group: Group) -> None:
    """Show one group with its members."""
    found = find_group(call, group)
    members = list(call.server.pages(path("multicast-groups", str(found["id"]), "devices")))
    if call.as_json:
        call.show({**found, "devices": members})
        return
    call.show(found)
    call.show_list(members, [column("dev_eui"), column("name")])


@command(
    app,
    "add",
    "lns multicast add lamps --device-class C --dr 3",
    "lns multicast add meters --device-class B --ping-periodicity 5 --mc-key 2b7e151628aed2a6abf7158809cf4f3c",
)
def add(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="NAME", help="1 to 64 characters without a slash.")],
    application: Application = None,
    device_class: Annotated[str, typer.Option(help="B or C: how its members listen.")] = "C",
    region: Annotated[str | None, typer.Option(help="Region of its members; else the server's own.")] = None,
    dr: Annotated[int | None, typer.Option(min=0, max=15, help="Data rate; else that of RX2 or ping slots.")] = None,
    freq_hz: Annotated[int | None, typer.Option(help="Frequency; else that of RX2 or ping slots.")] = None,
    ping_periodicity: Annotated[int | None, typer.Option(min=0, max=7, help="Class B: a slot each 2**n s.")] = None,
    expires_in: Annotated[str | None, typer.Option(help="Nothing is sent after this long, such as 30d.")] = None,
    mc_addr: Annotated[str | None, typer.Option(help="McAddr, 8 hex digits.", rich_help_panel=_KEYS)] = None,
    mc_key: Annotated[str | None, typer.Option(help="McKey, 32 hex digits.", rich_help_panel=_KEYS)] = None,
    mc_nwk_s_key: Annotated[str | None, typer.Option(help="McNwkSKey.", rich_help_panel=_KEYS)] = None,
    mc_app_s_key: Annotated[str | None, typer.Option(help="McAppSKey.", rich_help_panel=_KEYS)] = None,
    fcnt: Annotated[int, typer.Option(min=0, help="Next frame counter.", rich_help_panel=_KEYS)] = 0,
) -> None:
    """Add a multicast group; `lns multicast keys` shows what its members have to be given."""
    given: dict[str, Any] = {
        "name": name,
        "application": application,
        "device_class": device_class.upper(),
        "region": region,
    }
    given |= {"dr": dr, "freq_hz": freq_hz, "ping_periodicity": ping_periodicity, "mc_addr": mc_addr, "fcnt": fcnt}
    given |= {"mc_key": mc_key, "mc_nwk_s_key": mc_nwk_s_key, "mc_app_s_key": mc_app_s_key}
    if expires_in is not None:
        given["expires_at"] = utc_text(call.now, duration_s("--expires-in", expires_in))
    made = call.server.post(path("multicast-groups"), {key: value for key, value in given.items() if value is not None})
    call.show(made, f"multicast group {name} added: id {made['id']}, McAddr {made['mc_addr']}")


@command(app, "remove", "lns multicast remove lamps")
def remove(call: Call, group: Group) -> None:
    """Remove a group with what waits for it; its members stay devices."""
    call.server.delete(_of(call, group))
    call.show({"removed": group}, f"multicast group {group} removed")


@command(app, "keys", "lns multicast keys lamps --key $KEY_THAT_MAY_READ_KEYS")
def keys(call: Call, group: Annotated[int, typer.Argument(metavar="ID", help="Id of the group.")]) -> None:
    """Show the keys of a group, to write them into devices; needs an API key with permission keys:read."""
    call.show(call.server.get(path("multicast-groups", str(group), "keys")))


@command(app, "join", "lns multicast join lamps lamp-1 lamp-2")
def join(call: Call, group: Group, devices: Devices) -> None:
    """Make devices members of a group."""
    body = {"dev_euis": [find(call, device) for device in devices]}
    shown = call.server.post(_of(call, group, "devices"), body)
    call.show(shown, f"multicast group {group} has {shown['members']} member(s)")


@command(app, "leave", "lns multicast leave lamps lamp-2")
def leave(call: Call, group: Group, devices: Devices) -> None:
    """End the membership of devices."""
    where = _of(call, group, "devices")
    for device in devices:
        call.server.delete(f"{where}/{find(call, device)}")
    call.show({"left": devices}, f"{len(devices)} device(s) left multicast group {group}")


@command(
    app,
    "send",
    "lns multicast send lamps --fport 2 --hex 01",
    "lns multicast send lamps --fport 2 --hex 01 --at 2026-12-31T18:00:00",
)
def send(
    call: Call,
    group: Group,
    fport: Fport,
    payload: Payload,
    at: At = None,
    expires_in: ExpiresIn = None,
) -> None:
    """Send a downlink to all members, through the fewest gateways that reach them."""
    item = call.server.post(_of(call, group, "downlinks"), downlink_body(fport, payload, at, expires_in))
    call.show(item, f"downlink {item['id']} queued for multicast group {group}")


@command(app, "downlinks", "lns multicast downlinks lamps")
def downlinks(call: Call, group: Group) -> None:
    """List the downlinks of a group with what became of them."""
    columns = [
        *(column(name) for name in ("id", "fport", "payload", "state", "reason", "fcnt")),
        ("enqueued", lambda row: local(row["enqueued_at"])),
    ]
    call.show_list(call.server.pages(_of(call, group, "downlinks")), columns)
