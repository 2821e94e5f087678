"""`lns template import`: a whole library of device profiles and codecs from a folder. The server tries every codec."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lns.cli.command import Call, column, command, console
from lns.cli.connection import path
from lns.cli.outcome import CommandError, Exit
from lns.cli.templates import app
from lns.library.files import LibraryError
from lns.library.item import CodecSource, Found, by_source, slug
from lns.library.layouts import LAYOUTS, layout_of, read_library
from lns.library.own import ORIGIN

_ITEMS_PER_REQUEST = 200
_CODECS_PER_REQUEST = 12  # of hostile ones each takes a second or two: a request has 60
_OCTETS_PER_REQUEST = 8_000_000
_DIGESTS_PER_REQUEST = 20_000
_ROWS_SHOWN = 30
_REPORT = ("id", "outcome", "passed", "failed", "error")


@command(
    app,
    "import",
    "lns template import lorawan-devices --dry-run",
    "lns template import chirpstack-device-profiles --report report.csv",
    "lns template import our-devices --as ours",
)
def import_(
    call: Call,
    folder: Annotated[Path, typer.Argument(metavar="PATH", help="Folder of a library.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Try everything, store nothing.")] = False,
    layout: Annotated[str | None, typer.Option(help=f"{', '.join(LAYOUTS)}; else recognised.")] = None,
    name: Annotated[str | None, typer.Option("--as", help="Name of the library; else the layout's.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Also what is stored already and has not changed.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write what became of each device: FILE.csv or .json.")] = None,
) -> None:
    """Import a library of device profiles and codecs; every codec is tried with its examples.

    Layouts: the device repository of The Things Network, ChirpStack's device profiles, folders of TS013 packages,
    Milesight's SensorDecoders, and vendor/family folders as ours. Run again, it goes on where it stopped: what is
    stored and has not changed is skipped. The exit code is 1 when a device was refused.
    """
    errors = console(stderr=True)
    hidden = call.as_json or not errors.is_terminal
    with Progress(*_columns(), console=errors, transient=True, disable=hidden) as progress:
        found = _read(folder, layout, name, progress)
        known = set() if again else _known(call, found)
        run = Run(dry_run, [row for one in found if (row := _told_here(one, known)) is not None])
        to_send = [one for one in found if one.item.problem is None and one.digest not in known]
        failure = _send(call, run, to_send, progress)
    run.rows.sort(key=lambda row: str(row["id"]))
    if report is not None:
        _write(report, run.rows)
    if run.rows or failure is None:
        _tell(call, run)
    if failure is not None:
        raise failure
    if run.outcomes["refused"]:
        raise typer.Exit(Exit.REFUSED)


class Run:
    """What became of each device so far. `codecs` has the answer for one device of each codec."""

    def __init__(self, dry_run: bool, rows: list[dict[str, Any]]) -> None:
        self.dry_run, self.rows = dry_run, rows
        self.codecs: dict[str, dict[str, Any]] = {}

    def add(self, part: Sequence[Found], answers: Sequence[dict[str, Any]]) -> None:
        """Count a part that the server has answered for."""
        self.rows += answers
        for one, answer in zip(part, answers, strict=True):
            if one.item.codec_sha256 is not None and answer["ok"]:
                self.codecs[one.item.codec_sha256] = answer

    @property
    def outcomes(self) -> Counter[str]:
        """How many devices were added, changed, unchanged or refused."""
        return Counter(row["outcome"] for row in self.rows)

    def summary(self) -> dict[str, Any]:
        """All counts; those of codecs and examples are of what was tried in this run."""
        answers = self.codecs.values()
        return {
            "dry_run": self.dry_run,
            "devices": {
                "total": len(self.rows),
                **{name: self.outcomes[name] for name in ("added", "changed", "unchanged", "refused")},
            },
            "codecs": {"tried": len(answers), "failed": sum(not answer["codec_runs"] for answer in answers)},
            "examples": {name: sum(answer[name] for answer in answers) for name in ("passed", "failed")},
        }


class Part(msgspec.Struct, frozen=True):
    """Devices for one request, and the codecs they name."""

    items: list[Found] = []
    codecs: list[CodecSource] = []

    def body(self) -> dict[str, Any]:
        """As the API takes it: through JSON, because TOML has dates and numbers that are none."""
        items = [{"item": one.item, "digest": one.digest} for one in self.items]
        body: dict[str, Any] = msgspec.json.decode(msgspec.json.encode({"items": items, "codecs": self.codecs}))
        return body


def parts(found: Sequence[Found]) -> Iterator[Part]:
    """Devices of one codec together, so that it is sent and tried once."""
    codecs = by_source(one.codec for one in found if one.codec is not None)
    groups: dict[str | None, list[Found]] = {}
    for one in found:
        groups.setdefault(one.item.codec_sha256, []).append(one)
    part, octets = Part(), 0
    for sha256, group in groups.items():
        codec = [] if sha256 is None else [codecs[sha256]]
        size = len(msgspec.json.encode(codec))
        if part.items and (len(part.codecs) == _CODECS_PER_REQUEST or octets + size > _OCTETS_PER_REQUEST):
            yield part
            part, octets = Part(), 0
        part, octets = Part(part.items, part.codecs + codec), octets + size
        for one in group:
            if len(part.items) == _ITEMS_PER_REQUEST:
                yield part
                part, octets = Part([], codec), size
            part.items.append(one)
    if part.items:
        yield part


def _columns() -> tuple[Any, ...]:
    return TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()


def _read(folder: Path, layout: str | None, name: str | None, progress: Progress) -> list[Found]:
    if layout is not None and layout not in LAYOUTS:
        raise CommandError(f"--layout is {layout!r}, there are {', '.join(LAYOUTS)}", Exit.USAGE)
    if name is not None and (name != slug(name) or name == ORIGIN):
        raise CommandError(f"--as is {name!r}: lower case letters, digits, dots and dashes, not {ORIGIN}", Exit.USAGE)
    try:
        layout = layout or layout_of(folder)
        if layout == ORIGIN and name is None:
            name = _own_name(folder)
        reading = read_library(folder, layout, name)
        return list(progress.track(reading, description="reading"))
    except LibraryError as error:
        raise CommandError(str(error), Exit.USAGE) from None


def _own_name(folder: Path) -> str:
    """A folder as ours is called as the folder is."""
    name = slug(folder.resolve().name)
    return "imported" if name in (ORIGIN, *LAYOUTS, "codecs") else name


def _known(call: Call, found: Sequence[Found]) -> set[str]:
    digests = [one.digest for one in found if one.item.problem is None]
    known: set[str] = set()
    for at in range(0, len(digests), _DIGESTS_PER_REQUEST):
        asked = {"digests": digests[at : at + _DIGESTS_PER_REQUEST]}
        known.update(call.server.post(path("template-library", "known"), asked)["known"])
    return known


def _told_here(one: Found, known: set[str]) -> dict[str, Any] | None:
    """A row for what the server need not be asked about."""
    if one.item.problem is not None:
        outcome, problem = "refused", one.item.problem
    elif one.digest in known:
        outcome, problem = "unchanged", None
    else:
        return None
    return {
        "id": one.item.id,
        "ok": problem is None,
        "outcome": outcome,
        "codec_runs": False,
        "passed": 0,
        "failed": 0,
        "error": problem,
    }


def _send(call: Call, run: Run, found: Sequence[Found], progress: Progress) -> CommandError | None:
    """Send all parts; the first that fails ends it, and says why."""
    task = progress.add_task("trying" if run.dry_run else "importing", total=len(found))
    for part in parts(found):
        try:
            answer = call.server.post(path("template-library", "import"), part.body(), dry_run=str(run.dry_run).lower())
        except CommandError as error:
            return error
        run.add(part.items, answer["items"])
        progress.advance(task, len(part.items))
    return None


def _write(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    try:
        with file.open("w", encoding="utf-8", newline="") as out:
            if file.suffix == ".json":
                json.dump(list(rows), out, indent=2, ensure_ascii=False)
            else:
                table = csv.DictWriter(out, _REPORT, extrasaction="ignore")
                table.writeheader()
                table.writerows(rows)
    except OSError as error:
        raise CommandError(f"cannot write {file}: {error.strerror}") from None


def _tell(call: Call, run: Run) -> None:
    summary = run.summary()
    if call.as_json:
        call.show({**summary, "items": run.rows})
        return
    troubled = [row for row in run.rows if row["error"]]
    if troubled:
        call.show_list(troubled[:_ROWS_SHOWN], [column(name) for name in _REPORT])
    if len(troubled) > _ROWS_SHOWN:
        call.console.print(f"and {len(troubled) - _ROWS_SHOWN} more: --report FILE.csv has all", style="dim")
    for line in lines(summary):
        call.console.print(line, highlight=False)


def lines(summary: Mapping[str, Any]) -> Iterable[str]:
    """The counts for people."""
    devices, codecs, examples = (summary[name] for name in ("devices", "codecs", "examples"))
    would = "would be " if summary["dry_run"] else ""
    yield (
        f"{devices['total']} devices: {devices['added']} {would}added, {devices['changed']} {would}changed, "
        f"{devices['unchanged']} unchanged, {devices['refused']} refused"
    )
    yield f"{codecs['tried']} codecs tried, {codecs['failed']} cannot run"
    passed, failed = examples["passed"], examples["failed"]
    yield f"{passed + failed} examples: {passed} passed, {failed} failed"
