"""`lns archive`: how far the archive of raw uplinks has come, its files, and whether they are whole."""

import asyncio
import os
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn

from lns.cli.command import Call, column, command, console, fields, given
from lns.cli.connection import path
from lns.cli.jobs import follow, instant
from lns.cli.outcome import CommandError, Exit
from lns.cli.serving import load_config
from lns.cli.times import local
from lns.errors import StoreError

app = typer.Typer(no_args_is_help=True, help="Look at the archive of raw uplinks, and verify it.")

_SHOWN = 50  # sentences of what is wrong; --json has them all

From = Annotated[str | None, typer.Option("--from", help="With uplinks since: 7d before now, or a time.")]
To = Annotated[str | None, typer.Option("--to", help="With uplinks from before: 1d before now, or a time.")]


@command(app, "status", "lns archive status", "lns archive status --json | jq .lag")
def status(call: Call) -> None:
    """Show how far the archive has come, how much it holds, and its last error."""
    call.show(call.server.get(path("archive")))


@command(app, "list", "lns archive list --from 7d")
def list_(call: Call, since: From = None, until: To = None) -> None:
    """List the files of uplinks, oldest first."""
    times = given(**{"from": instant(call, "--from", since), "to": instant(call, "--to", until)})
    columns = [
        column("name"),
        *((name, lambda row, name=name: str(row[name])) for name in ("uplinks", "bytes", "first_seq", "last_seq")),
        ("from", lambda row: local(row["first_at"])),
        ("to", lambda row: local(row["last_at"])),
    ]
    call.show_list(call.server.pages(path("archive", "files"), **times), columns)


@command(
    app,
    "verify",
    "lns archive verify",
    "lns archive verify --config /etc/inflight.toml   # without the server: the folder or bucket that the file names",
)
def verify(
    call: Call,
    file: Annotated[
        Path | None, typer.Option("--config", help="Read the archive of this configuration, not through the server.")
    ] = None,
) -> None:
    """Read every file of the archive back and compare it with its manifest, and the manifests with each other.

    Exit code 1, with a list of what is wrong, unless everything that was archived is there, unchanged.
    """
    found = _offline(call, file) if file is not None else _at_server(call)
    if call.as_json:
        call.show(found)
    else:
        _draw(call, found)
    if not found["whole"]:
        raise typer.Exit(Exit.REFUSED)


def _at_server(call: Call) -> dict[str, Any]:
    where = path("archive", "verify")
    found = follow(call, where, call.server.post(where), lambda check: (_share(check), _words(check)))
    if found["state"] == "failed":
        raise CommandError(found["error"])
    return found


def _offline(call: Call, file: Path) -> dict[str, Any]:
    """The same answer as the server's, from the storage itself."""
    try:
        from lns.archive.settings import storage
        from lns.archive.verify import Verdict
        from lns.archive.verify import verify as verify_storage
    except ImportError as error:
        raise CommandError(f"this needs {error.name}: pip install 'inflight-lns[archive]'") from None
    config = load_config(file, None)
    bar = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    screen = console(stderr=True)
    with Progress(*bar, console=screen, transient=True, disable=call.as_json or not screen.is_terminal) as progress:
        task = progress.add_task("", total=None)

        def tell(verdict: Verdict, files: int) -> None:
            words = f"{verdict.uplinks} uplinks, {len(verdict.faults)} faults"
            progress.update(task, advance=1, total=files, description=words)

        try:
            verdict = asyncio.run(verify_storage(storage(config.archive, Path(config.data_dir), os.environ), tell))
        except StoreError as error:
            raise CommandError(str(error)) from None
    return {**msgspec.to_builtins(verdict), "whole": verdict.is_whole}


def _draw(call: Call, found: dict[str, Any]) -> None:
    for name in ("faults", "gaps", "overlaps", "orphans"):
        for one in found[name][:_SHOWN]:
            call.console.print(_sentence(name, one), markup=False, soft_wrap=True)
        if len(found[name]) > _SHOWN:
            call.console.print(f"... and {len(found[name]) - _SHOWN} more {name}", markup=False)
    verdict = "the archive is whole" if found["whole"] else "the archive is NOT whole"
    counts = {name: found[name] for name in ("files", "uplinks", "bytes")}
    counts |= {name: len(found[name]) for name in ("faults", "gaps", "overlaps", "orphans")}
    call.console.print(fields(counts))
    call.console.print(verdict, markup=False)


def _sentence(kind: str, one: Any) -> str:
    if kind == "faults":
        return f"{one['name']}: {one['text']}"
    if kind == "gaps":
        return f"seqs {one['first_seq']} to {one['last_seq']}: a file is missing, or the log had dropped them before"
    if kind == "overlaps":
        return f"{one[0]} and {one[1]} hold the same seqs; each uplink is read once"
    return f"{one}: has no manifest and does not count"


def _share(check: dict[str, Any]) -> float:
    return check["behind"] / check["files"] if check["files"] else 0.0


def _words(check: dict[str, Any]) -> str:
    return f"{check['behind']} of {check['files']} files, {len(check['faults'])} faults"
