"""`lns replay`: decode stored uplinks again and correct what is stored of them. The server does it, this watches."""

from typing import Annotated

import typer

from lns.cli.command import Call, column, command, examples, given, with_server
from lns.cli.connection import path
from lns.cli.devices import find
from lns.cli.jobs import Job, Kind, instant, is_open, pace, value_text
from lns.cli.outcome import CommandError, Exit
from lns.cli.times import local

app = typer.Typer(help="Decode stored uplinks again, after a codec was mended.")

_SAMPLES = 10

Id = Annotated[str, typer.Argument(metavar="ID", help="From `lns replay list`.")]


def start(
    call: Call,
    context: typer.Context,
    codec: Annotated[
        str | None,
        typer.Option(help="Uplinks of the devices it decodes, with the version in use now; lht65@2: with that one."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Received since: 7d before now, or a time as 2026-01-31T08:00.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Received before: 1d before now, or a time.")] = None,
    devices: Annotated[
        list[str] | None,
        typer.Option("--devices", "--device", help="Only these devices: DevEUI or name; may be repeated."),
    ] = None,
    failures: Annotated[bool, typer.Option("--failures", help="Only uplinks whose decode had failed.")] = False,
    keep_lost: Annotated[
        bool, typer.Option("--keep-lost", help="Keep measurements that the codec does not give any more.")
    ] = False,
    outlets: Annotated[
        bool, typer.Option("--outlets", help="Send corrections to outlets too, marked as a replay.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing, only report.")] = False,
    max_per_s: Annotated[
        float | None, typer.Option("--max-per-s", min=1, help="Uplinks a second; live ones go first in any case.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Show how far it is until it is done.")] = True,
) -> None:
    """Decode stored uplinks again and correct what is stored of them; doing it twice changes nothing.

    Ctrl-C stops watching, not the replay: it goes on at the server, also after a restart. `lns replay cancel` ends it.
    """
    if context.invoked_subcommand is not None:
        return
    if not (codec or since or devices or failures):
        raise CommandError("say what to decode again: --codec, --since, --devices or --failures", Exit.USAGE)
    body = {
        **given(codec=codec, since=instant(call, "--since", since), until=instant(call, "--until", until)),
        **given(devices=[find(call, device) for device in devices] if devices else None, max_per_s=max_per_s),
        "failures": failures,
        "keep_lost": keep_lost,
        "outlets": outlets,
        "dry_run": dry_run,
    }
    job = call.server.post(path("replays"), body)
    if wait:
        _KIND.watch(call, job)
    else:
        call.show(job, f"replay {job['id']} has begun: lns replay show {job['id']}")


app.callback(
    invoke_without_command=True,
    epilog=examples(
        "lns replay --codec lht65 --since 7d --dry-run",
        "lns replay --codec lht65 --since 2026-01-31T08:00 --devices cellar",
        "lns replay --failures --since 30d",
    ),
)(with_server(start))


@command(app, "list", "lns replay list")
def list_(call: Call) -> None:
    """List replays, newest first."""
    columns = [
        *(column(name) for name in ("id", "state")),
        ("codec", _codec),
        ("done", lambda row: f"{100 * row['done']:.0f} %"),
        ("uplinks", lambda row: str(row["report"]["uplinks"])),
        ("corrected", lambda row: str(row["report"]["corrected"])),
        column("dry_run"),
        ("begun", lambda row: local(row["created_at"])),
    ]
    call.show_list(call.server.pages(path("replays")), columns)


@command(app, "show", "lns replay show 3f9c2a51d07e4b68", "lns replay show 3f9c2a51d07e4b68 --follow")
def show(
    call: Call,
    id: Id,
    wait: Annotated[bool, typer.Option("--follow", help="Show how far it is until it is done.")] = False,
) -> None:
    """Show how far a replay is and what it has done."""
    _KIND.show(call, id, wait=wait)


@command(app, "cancel", "lns replay cancel 3f9c2a51d07e4b68")
def cancel(call: Call, id: Id) -> None:
    """End a replay that is not done; what it has corrected stays."""
    _KIND.cancel(call, id)


def _share(job: Job) -> tuple[float, str]:
    return job["done"], f"{job['report']['uplinks']} uplinks{pace(job)}"


def _draw(call: Call, job: Job) -> None:
    report = job["report"]
    share = f" at {100 * job['done']:.0f} %" if is_open(job) else ""
    told = [f"replay {job['id']} of {_what(job)} is {job['state']}{share}"]
    if job["error"] is not None:
        told.append(f"{'it waits' if is_open(job) else 'why'}: {job['error']}")
    failed = ", ".join(f"{reason} {count}" for reason, count in report["failed"].items())
    verb = "would be corrected, nothing was written" if job["dry_run"] else "corrected"
    told.append(
        f"{report['uplinks']} uplinks: {report['corrected']} {verb}; {report['unchanged']} as they were, "
        f"{report['skipped']} without codec or payload, {sum(report['failed'].values())} not decodable"
        + (f" ({failed})" if failed else "")
        + f", {report['mended']} that had failed before"
    )
    for line in told:
        call.console.print(line, markup=False, soft_wrap=True)
    fields = [{"field": name, **counts} for name, counts in report["fields"].items()]
    if fields:
        call.show_list(fields, [column(name) for name in ("field", "added", "changed", "removed")])
    samples = [{**sample, **sample["difference"]} for sample in report["examples"][:_SAMPLES]]
    if samples:
        call.show_list(samples, _COLUMNS)


_COLUMNS = [
    ("device", lambda row: row["dev_eui"]),
    ("fcnt", lambda row: str(row["fcnt_up"])),
    *(column(name) for name in ("payload", "field")),
    ("before", lambda row: value_text(row["before"])),
    ("after", lambda row: value_text(row["after"])),
]


def _what(job: Job) -> str:
    codec = f"codec {_codec(job)}" if job["codec"] else "all codecs"
    only = ", failed decodes only" if job["failures"] else ""
    devices = f", {len(job['devices'])} device(s)" if job["devices"] else ""
    return f"{codec}{devices}{only}"


def _codec(row: Job) -> str:
    return (row["codec"] or "-") + (f"@{row['version']}" if row["version"] else "")


_KIND = Kind("replay", _share, _draw)
