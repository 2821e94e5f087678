"""`lns outlet log`, `failures`, `retry` and `drop`: what outlets have sent, and what they could not."""

from typing import Annotated, Any

import typer

from lns.cli.command import Call, column, command, given
from lns.cli.connection import path
from lns.cli.devices import find
from lns.cli.outcome import CommandError, Exit
from lns.cli.outlets import Yes, app, at, confirm, instant

Named = Annotated[str | None, typer.Option("--outlet", help="Only of this outlet: NAME or APPLICATION/NAME.")]
Device = Annotated[str | None, typer.Option(help="Only of this device: DevEUI or name.")]
Event = Annotated[str | None, typer.Option(help="Only of this event, such as measurements.")]
Since = Annotated[str | None, typer.Option(help="Made since: 2h before now, or a time.")]
Until = Annotated[str | None, typer.Option(help="Made before: 1h before now, or a time.")]
Text = Annotated[str | None, typer.Option(help="Only with this in an attempt's error.")]
Limit = Annotated[int, typer.Option(min=1, help="Show at most this many.")]
Ids = Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="Ids from `lns outlet failures`.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count them.")]

_COLUMNS = [
    *(column(name) for name in ("id", "application", "outlet", "device", "event", "status", "attempts", "reason")),
    at("created_at"),
    at("changed_at"),
]


@command(
    app,
    "log",
    "lns outlet log --outlet alerts --status delivered --since 1h",
    "lns outlet log --device cellar",
    "lns outlet log --id 1042",
)
def log(
    call: Call,
    outlet: Named = None,
    device: Device = None,
    status: Annotated[str | None, typer.Option(help="pending, waiting, delivered, dead or dropped.")] = None,
    event: Event = None,
    since: Since = None,
    until: Until = None,
    text: Text = None,
    id_: Annotated[int | None, typer.Option("--id", help="This one, with every attempt.")] = None,
    limit: Limit = 100,
) -> None:
    """List what outlets have sent and have to send, newest first; with --id one delivery with every attempt."""
    if id_ is not None:
        _one(call, id_)
        return
    chosen = _chosen(call, outlet, device, event, text)
    times = {"from": instant(call, "--since", since), "to": instant(call, "--until", until)}
    call.show_list(call.server.pages(path("deliveries"), limit, **chosen, **times, status=status), _COLUMNS)


@command(app, "failures", "lns outlet failures", "lns outlet failures --outlet alerts --text 'status 500'")
def failures(
    call: Call,
    outlet: Named = None,
    device: Device = None,
    event: Event = None,
    text: Text = None,
    limit: Limit = 100,
) -> None:
    """List deliveries that have failed for good, newest first; `lns outlet log --id` shows request and answer."""
    chosen = _chosen(call, outlet, device, event, text)
    call.show_list(call.server.pages(path("deliveries"), limit, **chosen, status="dead"), _COLUMNS)


@command(
    app, "retry", "lns outlet retry 1042 1043", "lns outlet retry --outlet alerts --dry-run", "lns outlet retry --all"
)
def retry(
    call: Call,
    ids: Ids = None,
    outlet: Named = None,
    device: Device = None,
    event: Event = None,
    since: Since = None,
    until: Until = None,
    text: Text = None,
    all_: All = False,
    dry_run: DryRun = False,
) -> None:
    """Try deliveries that have failed again, with all attempts ahead of them."""
    body = _body(call, ids, {"outlet": outlet, "device": device, "event": event, "text": text}, (since, until), all_)
    told = call.server.post(path("deliveries", "retry"), {**body, "dry_run": dry_run})
    call.show(told, f"{told['count']} deliveries {'would be' if dry_run else 'are'} tried again")


@command(
    app, "drop", "lns outlet drop 1042", "lns outlet drop --outlet alerts --text 'status 404'", "lns outlet drop --all"
)
def drop(
    call: Call,
    ids: Ids = None,
    outlet: Named = None,
    device: Device = None,
    event: Event = None,
    since: Since = None,
    until: Until = None,
    text: Text = None,
    status: Annotated[str, typer.Option(help="dead, pending or waiting.")] = "dead",
    all_: All = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Give deliveries up: their messages are not sent any more."""
    body = _body(call, ids, {"outlet": outlet, "device": device, "event": event, "text": text}, (since, until), all_)
    body |= {"status": status}
    counted = call.server.post(path("deliveries", "drop"), {**body, "dry_run": True})
    if dry_run:
        call.show(counted, f"{counted['count']} deliveries would be dropped")
        return
    if counted["count"]:
        confirm(call, yes, f"drop {counted['count']} deliveries?")
    told = call.server.post(path("deliveries", "drop"), {**body, "dry_run": False})
    call.show(told, f"{told['count']} deliveries dropped")


def _one(call: Call, id_: int) -> None:
    whole = call.server.get(path("deliveries", str(id_)))
    if call.as_json:
        call.show(whole)
        return
    call.show({name: value for name, value in whole.items() if name != "tries"})
    for one in whole["tries"]:
        status = "" if one["status"] is None else f", status {one['status']}"
        told = f"attempt {one['number']} at {one['at']}, {one['ms']} ms: {one['verdict']}{status}"
        call.console.print(told + (f": {one['error']}" if one["error"] else ""), markup=False, soft_wrap=True)
        for text in (one["request"], one["response"]):
            if text:
                call.console.print(text.rstrip(), markup=False, soft_wrap=True, style="dim")


def _chosen(call: Call, outlet: str | None, device: str | None, event: str | None, text: str | None) -> dict[str, str]:
    application, _, name = (outlet or "").rpartition("/")
    found = given(application=application or None, outlet=name or None, device=find(call, device) if device else None)
    return found | given(event=event, text=text)


def _body(
    call: Call, ids: list[int] | None, filters: dict[str, Any], times: tuple[str | None, str | None], all_: bool
) -> dict[str, Any]:
    chosen = _chosen(call, filters["outlet"], filters["device"], filters["event"], filters["text"])
    chosen |= given(since=instant(call, "--since", times[0]), until=instant(call, "--until", times[1]))
    if not (ids or chosen or all_):
        raise CommandError(
            "say which deliveries: ids, --outlet, --device, --event, --since, --text, or --all", Exit.USAGE
        )
    return {**chosen, "ids": ids or [], "all": all_}
