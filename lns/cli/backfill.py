"""`lns backfill`: fill what a store lacks from archived uplinks. The server does it, this watches."""

from typing import Annotated, Any

import typer

from lns.cli.command import Call, column, command, examples, given, with_server
from lns.cli.connection import path
from lns.cli.devices import find
from lns.cli.jobs import Job, Kind, instant, is_open, pace
from lns.cli.outcome import CommandError, Exit
from lns.cli.times import local

app = typer.Typer(help="Fill what a store or an outlet lacks, from archive and log.")

_DEVICES = 20

Id = Annotated[str, typer.Argument(metavar="ID", help="From `lns backfill list`.")]
Rate = Annotated[
    float | None,
    typer.Option("--rate", min=1, help="Measurements a second that are looked at; live ones go first in any case."),
]


def start(
    call: Call,
    context: typer.Context,
    into: Annotated[
        str | None, typer.Option(help="The store, such as sqlite or postgres, or the outlet, as APPLICATION/OUTLET.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="Received since: 7d before now, or a time as 2026-01-31T08:00.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Received before: 1d before now, or a time.")] = None,
    devices: Annotated[
        list[str] | None,
        typer.Option("--devices", "--device", help="Only these: DevEUIs or names, with commas or repeated."),
    ] = None,
    application: Annotated[str | None, typer.Option(help="Only uplinks received for this application.")] = None,
    codec_version: Annotated[
        str, typer.Option(help="then: as each uplink was decoded last; current: with the version of now.")
    ] = "then",
    rate: Rate = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing, only tell how much is missing.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait until it is done.")] = False,
) -> None:
    """Put into a store what it lacks of a time, made from archived uplinks; doing it twice changes nothing.

    Ctrl-C stops watching, not the backfill: it goes on at the server, also after a restart.
    """
    if context.invoked_subcommand is not None:
        return
    if into is None:
        raise CommandError("say what to fill: --into sqlite, postgres, ... or APPLICATION/OUTLET", Exit.USAGE)
    wanted = [name for item in devices or () for name in item.split(",") if name]
    times = {"from": instant(call, "--from", since), "to": instant(call, "--to", until)}
    body = {
        "into": into,
        **given(**times, application=application, rate=rate),
        **given(devices=[find(call, device) for device in wanted] if wanted else None),
        "codec_version": codec_version,
        "dry_run": dry_run,
    }
    job = call.server.post(path("backfills"), body)
    if detach:
        call.show(job, f"backfill {job['id']} has begun: lns backfill show {job['id']}")
    else:
        _KIND.watch(call, job)


app.callback(
    invoke_without_command=True,
    epilog=examples(
        "lns backfill --into postgres --from 2026-01-31T08:00 --to 2026-01-31T09:00 --dry-run",
        "lns backfill --into postgres --from 2026-01-31T08:00 --to 2026-01-31T09:00",
        "lns backfill --into influxdb --from 365d --application greenhouse --rate 5000 --detach",
    ),
)(with_server(start))


@command(app, "list", "lns backfill list")
def list_(call: Call) -> None:
    """List backfills, newest first."""
    columns = [
        *(column(name) for name in ("id", "state", "into")),
        ("done", lambda row: f"{100 * row['done']:.0f} %"),
        *((name, lambda row, name=name: str(row["found"][name])) for name in ("uplinks", "missing", "present")),
        column("dry_run"),
        ("begun", lambda row: local(row["created_at"])),
    ]
    call.show_list(call.server.pages(path("backfills")), columns)


@command(app, "show", "lns backfill show 3f9c2a51d07e4b68", "lns backfill show 3f9c2a51d07e4b68 --follow")
def show(
    call: Call,
    id: Id,
    wait: Annotated[bool, typer.Option("--follow", help="Show how far it is until it is done.")] = False,
) -> None:
    """Show how far a backfill is and what it has found."""
    _KIND.show(call, id, wait=wait)


@command(app, "pause", "lns backfill pause 3f9c2a51d07e4b68")
def pause(call: Call, id: Id) -> None:
    """Lay a backfill aside until it is resumed, also over a restart of the server."""
    call.show(call.server.post(path("backfills", id, "pause")), f"backfill {id} is paused")


@command(app, "resume", "lns backfill resume 3f9c2a51d07e4b68")
def resume(call: Call, id: Id) -> None:
    """Let a paused backfill go on where it was."""
    call.show(call.server.post(path("backfills", id, "resume")), f"backfill {id} goes on")


@command(app, "rate", "lns backfill rate 3f9c2a51d07e4b68 500")
def rate(
    call: Call, id: Id, per_s: Annotated[float, typer.Argument(metavar="PER_S", min=1, help="Measurements a second.")]
) -> None:
    """Make a backfill slower or faster while it runs."""
    call.show(call.server.patch(path("backfills", id), {"rate": per_s}), f"backfill {id} does {per_s:g} a second")


@command(app, "cancel", "lns backfill cancel 3f9c2a51d07e4b68")
def cancel(call: Call, id: Id) -> None:
    """End a backfill that is not done; what it has written stays."""
    _KIND.cancel(call, id)


def _share(job: Job) -> tuple[float, str]:
    found = job["found"]
    why = f", waits: {job['error']}" if job["error"] else ""
    return job["done"], f"{found['missing']} missing of {found['missing'] + found['present']}{pace(job)}{why}"


def _draw(call: Call, job: Job) -> None:
    for line in _told(job):
        call.console.print(line, markup=False, soft_wrap=True)
    found = job["found"]
    _table(call, "field", found["fields"].items())
    devices = sorted(found["devices"].items(), key=lambda item: -item[1]["count"])
    _table(call, "device", devices[:_DEVICES])
    if len(devices) > _DEVICES:
        call.console.print(f"... and {len(devices) - _DEVICES} more devices: --json has them", markup=False)
    _table(call, "range", [(str(number), one) for number, one in enumerate(found["ranges"], 1)])


def _told(job: Job) -> list[str]:
    found = job["found"]
    share = f" at {100 * job['done']:.0f} %" if is_open(job) or job["state"] == "paused" else ""
    told = [f"backfill {job['id']} into {job['into']} is {job['state']}{share}"]
    if job["error"] is not None:
        told.append(f"{'it waits' if is_open(job) else 'why'}: {job['error']}")
    if found["messages"]:
        return [*told, f"{found['messages']} messages {'would be sent' if job['dry_run'] else 'sent'} again"]
    verb = "missing, nothing was written" if job["dry_run"] else "missing and there now"
    aside = f" ({found['rejected']} set aside by the store)" if found["rejected"] else ""
    told.append(
        f"measurements: {found['missing']} {verb}{aside}; {found['present']} were there, "
        f"{found['differing']} are there with another value, which stays"
    )
    failed = ", ".join(f"{reason} {count}" for reason, count in found["failed"].items())
    told.append(
        f"{found['uplinks']} uplinks: {found['skipped']} without codec or payload, "
        f"{sum(found['failed'].values())} not decodable" + (f" ({failed})" if failed else "")
    )
    if found["otherwise"]:
        told.append(f"{found['otherwise']} were decoded with the version of now: that of then is not known")
    return told


def _table(call: Call, heading: str, items: Any) -> None:
    rows = [{"name": name or "(others)", **gained} for name, gained in items]
    columns = [
        (heading, lambda row: str(row["name"])),
        ("missing", lambda row: str(row["count"])),
        ("from", lambda row: local(row["first_at"])),
        ("to", lambda row: local(row["last_at"])),
    ]
    if rows:
        call.show_list(rows, columns)


_KIND = Kind("backfill", _share, _draw)
