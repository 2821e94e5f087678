"""`lns device import`: many devices from a CSV file, each row on its own."""

import csv
import io
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from lns.cli.command import Call, column, command, console
from lns.cli.connection import path
from lns.cli.devices import app
from lns.cli.outcome import CommandError, Exit

_ROWS_PER_REQUEST = 1000
_ROWS_SHOWN = 40


@command(
    app,
    "import",
    "lns device import devices.csv --dry-run",
    "lns device import devices.csv",
)
def import_(
    call: Call,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="First line: the columns' names.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
) -> None:
    """Add devices from a CSV file; a bad row is refused with its reason and never stops the good ones.

    Columns: dev_eui, name, application, template, codec, and join_eui, app_key (OTAA) or
    dev_addr, nwk_s_key, app_s_key, fcnt_up, fcnt_down (ABP). The exit code is 1 when a row was refused.
    """
    header, rows = _read(file)
    results: list[dict[str, Any]] = []
    # A dry run goes in one request, so that the server sees a DevEUI that stands twice in the file.
    step = max(len(rows), 1) if dry_run else _ROWS_PER_REQUEST
    with Progress(console=console(stderr=True), transient=True, disable=call.as_json) as progress:
        task = progress.add_task("checking" if dry_run else "adding", total=len(rows))
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            results += _send(call, header, part, dry_run)
            progress.advance(task, len(part))
    _report(call, results, dry_run)


def _read(file: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and (line number, cells) of each row that is not empty."""
    try:
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror}", Exit.USAGE) from None
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is not UTF-8 text: {error.reason} at byte {error.start}", Exit.USAGE) from None
    reader = csv.reader(io.StringIO(text, newline=""))
    header = next(reader, None)
    if header is None:
        raise CommandError(f"{file} is empty", Exit.USAGE)
    rows = []
    line = reader.line_num
    for cells in reader:
        if any(cells):
            rows.append((line + 1, cells))
        line = reader.line_num
    return header, rows


def _send(call: Call, header: list[str], rows: list[tuple[int, list[str]]], dry_run: bool) -> list[dict[str, Any]]:
    """The server's result of each row, with the line number it has in the user's file."""
    text = io.StringIO()
    csv.writer(text).writerows([header, *(cells for _, cells in rows)])
    answer = call.server.post_csv(path("devices", "import"), text.getvalue(), dry_run=str(dry_run).lower())
    return [{**result, "line": line} for (line, _), result in zip(rows, answer["rows"], strict=True)]


def _report(call: Call, results: list[dict[str, Any]], dry_run: bool) -> None:
    failed = [row for row in results if not row["ok"]]
    good = len(results) - len(failed)
    if call.as_json:
        call.show({"dry_run": dry_run, "created": 0 if dry_run else good, "failed": len(failed), "rows": results})
    else:
        shown = results if len(results) <= _ROWS_SHOWN else failed
        if shown:
            done = "would be added" if dry_run else "added"
            outcome = ("outcome", lambda row: done if row["ok"] else f"refused: {row['error']}")
            call.show_list(shown, [column("line"), column("dev_eui"), outcome])
        verb = "would be added" if dry_run else "added"
        call.console.print(f"{good} {verb}, {len(failed)} refused", highlight=False)
    if failed:
        raise typer.Exit(Exit.REFUSED)
