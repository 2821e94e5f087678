"""`lns outlet replay`: what is stored of a time once more to an outlet. The server does it, this watches."""

from typing import Annotated, Any

import typer

from lns.cli.command import Call, column, command
from lns.cli.jobs import Job, follow
from lns.cli.outcome import CommandError, Exit
from lns.cli.outlets import Outlet, Yes, app, at, confirm, find_outlet, instant, where
from lns.cli.times import local


@command(
    app,
    "replay",
    "lns outlet replay alerts --since 2d --dry-run",
    "lns outlet replay alerts --since 2026-01-31T08:00 --until 2026-01-31T09:00 --max-per-s 50",
    "lns outlet replay alerts --list",
)
def replay(
    call: Call,
    outlet: Outlet,
    since: Annotated[
        str | None, typer.Option(help="Stored since: 2d before now, or a time; else all there is.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Stored before: 1d before now, or a time; else up to now.")] = None,
    max_per_s: Annotated[float | None, typer.Option(min=0.1, help="Messages a second; else 100.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count the messages.")] = False,
    yes: Yes = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Show how far it is until it is done.")] = True,
    list_: Annotated[bool, typer.Option("--list", help="List the replays to this outlet.")] = False,
    cancel: Annotated[str | None, typer.Option(metavar="ID", help="End this replay.")] = None,
) -> None:
    """Send what is stored of a time once more, under the same message ids; messages are counted first.

    Ctrl-C stops watching, not the replay: it goes on at the server, also after a restart.
    """
    row = find_outlet(call, outlet)
    if list_:
        _list(call, row)
        return
    if cancel is not None:
        job = call.server.delete(where(row, "replays", cancel))
        call.show(job, f"replay {cancel} is {job['state']}: {job['messages']} messages were added")
        return
    body = {"since": instant(call, "--since", since), "until": instant(call, "--until", until), "max_per_s": max_per_s}
    body = {name: value for name, value in body.items() if value is not None}
    if dry_run or not yes:
        counted = _watch(call, row, call.server.post(where(row, "replays"), {**body, "dry_run": True}))
        if dry_run:
            text = f"{counted['messages']} messages of {counted['records']} records would be sent"
            call.show(counted, text + _but(counted))
            return
        if not call.as_json and (told := _but(counted)):
            typer.echo(told.lstrip(), err=True)
        confirm(call, yes, f"send {counted['messages']} messages to {row['application']}/{row['name']} once more?")
    job = call.server.post(where(row, "replays"), body)
    if wait:
        job = _watch(call, row, job)
        call.show(job, f"replay {job['id']} is {job['state']}: {job['messages']} messages are sent again{_but(job)}")
    else:
        call.show(job, f"replay {job['id']} has begun: lns outlet replay {row['name']} --list{_but(job)}")


def _share(job: Job) -> tuple[float, str]:
    waits = "" if job["error"] is None else f", waits: {job['error']}"
    return job["done"], f"{job['messages']} messages{waits}"


def _but(job: Job) -> str:
    """What a replay cannot send, a line for each reason."""
    told = []
    if job["begins_at"] is not None:
        told.append(f"what is stored begins at {local(job['begins_at'])}: nothing is known of before")
    if job["archived"]:
        told.append(f"{job['archived']} uplinks come from the archive, which has no joins and other events")
    if job["lost"]:
        told.append(f"{job['lost']} records of the log were dropped before they were read or archived")
    return "".join(f"\n{line}" for line in told)


def _list(call: Call, row: dict[str, Any]) -> None:
    columns = [
        *(column(name) for name in ("id", "state", "dry_run", "records", "messages", "archived", "lost")),
        ("done", lambda job: f"{100 * job['done']:.0f} %"),
        at("created_at"),
        column("error"),
    ]
    call.show_list(call.server.pages(where(row, "replays")), columns)


def _watch(call: Call, row: dict[str, Any], job: Job) -> Job:
    try:
        job = follow(call, where(row, "replays", job["id"]), job, _share)
    except KeyboardInterrupt:
        typer.echo(f"replay {job['id']} goes on at the server: lns outlet replay {row['name']} --list", err=True)
        raise typer.Exit(Exit.OK) from None
    if job["state"] != "done":
        raise CommandError(f"replay {job['id']} is {job['state']}: {job['error']}")
    return job
