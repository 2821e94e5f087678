"""`lns device import`: many devices from a CSV file. The server reads the rows; this sends them in parts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from lns.cli.command import Call, column, command, console, read_text
from lns.cli.connection import path
from lns.cli.devices import app
from lns.cli.outcome import CommandError, Exit

_LINES_PER_REQUEST = 1000
_ROWS_SHOWN = 40


@command(app, "import", "lns device import devices.csv --dry-run", "lns device import devices.csv")
def import_(
    call: Call,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="First line: the columns' names.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
) -> None:
    """Add devices from a CSV file; a bad row is refused with its reason and never stops the good ones.

    Columns: dev_eui, name, application, template, codec, tags, network, and join_eui, app_key, nwk_key, gen_app_key
    (OTAA) or dev_addr, session keys, fcnt_up, fcnt_down, afcnt_down (ABP). The exit code is 1 when a row was refused.
    """
    text = read_text(file)
    # A dry run goes in one request, so that the server sees a DevEUI that stands twice in the file.
    parts = [(2, text)] if dry_run else list(split(text, _LINES_PER_REQUEST))
    results: list[dict[str, Any]] = []
    failed: CommandError | None = None
    with Progress(console=console(stderr=True), transient=True, disable=call.as_json) as progress:
        task = progress.add_task("checking" if dry_run else "adding", total=len(parts))
        for first_line, part in parts:
            try:
                answer = call.server.post_csv(path("devices", "import"), part, dry_run=str(dry_run).lower())
            except CommandError as error:
                failed = error
                break
            results += [{**row, "line": row["line"] + first_line - 2} for row in answer["rows"]]
            progress.advance(task)
    if results or failed is None:
        _report(call, results, dry_run)
    if failed is not None:
        raise failed
    if not all(row["ok"] for row in results):
        raise typer.Exit(Exit.REFUSED)


def split(text: str, lines: int) -> Iterator[tuple[int, str]]:
    """Parts of about `lines` lines with the header before each; a part's first row stands in the line told with it.

    A part ends only where all quotes are closed, so that a cell with line breaks stays whole.
    """
    header, *rows = text.split("\n")
    start = end = quotes = 0
    while end < len(rows):
        quotes += rows[end].count('"')
        end += 1
        if end == len(rows) or (end - start >= lines and quotes % 2 == 0):
            yield start + 2, "\n".join([header, *rows[start:end]])
            start = end
    if not rows:
        yield 2, header


def _report(call: Call, results: list[dict[str, Any]], dry_run: bool) -> None:
    refused = [row for row in results if not row["ok"]]
    good = len(results) - len(refused)
    if call.as_json:
        call.show({"dry_run": dry_run, "created": 0 if dry_run else good, "failed": len(refused), "rows": results})
        return
    verb = "would be added" if dry_run else "added"
    shown = results if len(results) <= _ROWS_SHOWN else refused
    if shown:
        outcome = ("outcome", lambda row: verb if row["ok"] else f"refused: {row['error']}")
        call.show_list(shown, [column("line"), column("dev_eui"), outcome])
    call.console.print(f"{good} {verb}, {len(refused)} refused", highlight=False)
