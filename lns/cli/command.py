"""What every command that talks to the server shares: its four options, its connection and the form of its output."""

import functools
import inspect
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lns.api.times import parse_duration
from lns.cli.connection import DEFAULT_URL, Connection
from lns.cli.outcome import CommandError, Exit

Column = tuple[str, Callable[[Any], str | Text]]
"""A heading, and the text of a row below it."""

_PIPE_WIDTH = 160


def console(*, stderr: bool = False, markup: bool = True) -> Console:
    """A console that does not fold tables at 80 columns when its output is a pipe or a file.

    Without `markup` text in brackets is text, and `:name:` always is: what a server or a device says is shown whole.
    """
    made = Console(stderr=stderr, highlight=False, markup=markup, emoji=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _PIPE_WIDTH
    return made


def print_json(value: Any) -> None:
    """`value` on standard output, for scripts."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


class Call:
    """One command's run: the server it talks to and how it answers the person or the script."""

    def __init__(self, server: Connection, as_json: bool) -> None:
        self.server, self.as_json = server, as_json
        self.console = console(markup=False)
        self.now = datetime.now(UTC)

    def show_list(self, rows: Iterable[Mapping[str, Any]], columns: Sequence[Column]) -> None:
        """A table with a column per (heading, text of a row); with --json the rows as they came."""
        if self.as_json:
            print_json(list(rows))
            return
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading, _ in columns:
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*(_cell(text(row)) for _, text in columns))
        if table.row_count:
            self.console.print(table)
        else:
            self.console.print("none yet", style="dim")

    def show(self, value: Mapping[str, Any], sentence: str | None = None) -> None:
        """One object, or `sentence` in its place for people."""
        if self.as_json:
            print_json(value)
        elif sentence is not None:
            self.console.print(sentence, markup=False, soft_wrap=True)
        else:
            self.console.print(fields(value))


def fields(value: Mapping[str, Any]) -> Table:
    """An object as two columns; nested objects as dotted names."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, item in _flat(value):
        table.add_row(Text(name), Text(_text(item)))
    return table


def _cell(text: str | Text) -> Text:
    """A cell that is shown as it is, on every console: Rich would read `[/run/x.sock]` as its markup."""
    return text if isinstance(text, Text) else Text(text)


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, item in value.items():
        if isinstance(item, dict) and item:
            yield from _flat(item, f"{prefix}{name}.")
        else:
            yield prefix + name, item


def _text(item: Any) -> str:
    if item is None or item == {} or item == []:
        return "-"
    if isinstance(item, bool):
        return "yes" if item else "no"
    if isinstance(item, list) and all(isinstance(part, str) for part in item):
        return ", ".join(item)
    if isinstance(item, float) and item.is_integer():
        return str(int(item))
    return json.dumps(item, ensure_ascii=False) if isinstance(item, list) else str(item)


def column(name: str) -> tuple[str, Callable[[Any], str]]:
    """A column that shows the field of its own name."""
    return name.replace("_", " "), lambda row: _text(row.get(name))


def pairs(items: Sequence[str]) -> dict[str, str]:
    """`["a=1"]` as `{"a": "1"}`."""
    for item in items:
        if "=" not in item:
            raise CommandError(f"{item!r} is not of the form NAME=VALUE", Exit.USAGE)
    return dict(item.split("=", 1) for item in items)


def given(**values: Any) -> dict[str, Any]:
    """The options that were given, as fields of a body."""
    return {field: value for field, value in values.items() if value is not None}


def read_text(file: Path) -> str:
    """A file of UTF-8 text, its line ends as they are."""
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror}", Exit.USAGE) from None
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is not UTF-8 text: {error.reason} at byte {error.start}", Exit.USAGE) from None


def json_object(option: str, text: str) -> dict[str, Any]:
    """An option's value, which is a JSON object."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise CommandError(f"{option} is not JSON: {error}", Exit.USAGE) from None
    if not isinstance(value, dict):
        raise CommandError(f"{option} is {text[:40]!r}, a JSON object is needed", Exit.USAGE)
    return value


def duration_s(option: str, text: str) -> int:
    """Seconds of an option's value such as 90s, 1h or 7d."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise CommandError(f"{option}: {error}", Exit.USAGE) from None


def instant_text(option: str, text: str) -> str:
    """RFC 3339 in UTC of an option's value, local time where it names no zone."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat().replace("+00:00", "Z")
    except ValueError:
        raise CommandError(f"{option}: {text!r} is not a time such as 2026-01-31T08:00", Exit.USAGE) from None


def parse_hex(text: str) -> bytes:
    """Octets from hex digits, spaces allowed."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise CommandError(f"{text!r} is not hex", Exit.USAGE) from None


Url = Annotated[str, typer.Option(envvar="LNS_URL", help="Server address.", rich_help_panel="Server")]
Key = Annotated[
    str | None, typer.Option(envvar="LNS_API_KEY", help="API key; else <data>/admin.key.", rich_help_panel="Server")
]
Data = Annotated[Path, typer.Option(envvar="LNS_DATA", help="The server's data folder.", rich_help_panel="Server")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]

_OPTIONS = [
    inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, annotation=AsJson, default=False),
    inspect.Parameter("url", inspect.Parameter.KEYWORD_ONLY, annotation=Url, default=DEFAULT_URL),
    inspect.Parameter("key", inspect.Parameter.KEYWORD_ONLY, annotation=Key, default=None),
    inspect.Parameter("data", inspect.Parameter.KEYWORD_ONLY, annotation=Data, default=Path("data")),
]


def examples(*lines: str) -> str:
    """The end of a command's help: commands to copy, one a line."""
    return "\n\n".join(("Example:" if len(lines) == 1 else "Examples:", *(f"  {line}" for line in lines)))


def command(group: typer.Typer, name: str, *shown: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function that takes a Call, then its own options, as a command of a group.

    `shown` are the example command lines that close its help.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        group.command(name, epilog=examples(*shown))(with_server(function))
        return function

    return register


def with_server(function: Callable[..., None]) -> Callable[..., None]:
    """A function that takes a Call, as one that takes --json, --url, --key and --data after its own options."""

    @functools.wraps(function)
    def run(*, as_json: bool, url: str, key: str | None, data: Path, **own: Any) -> None:
        with Connection(url, key, data) as server:
            function(Call(server, as_json), **own)

    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in _own_parameters(function)] + _OPTIONS
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _own_parameters(function: Callable[..., None]) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())[1:]
