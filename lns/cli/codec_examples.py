"""`lns codec example`: the examples that are stored with a version of a codec."""

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from lns.cli.codecs import app as codecs_app
from lns.cli.command import Call, command, given
from lns.cli.connection import path
from lns.cli.devices import find
from lns.cli.outcome import CommandError, Exit
from lns.registry.codec_names import split_version

app = typer.Typer(no_args_is_help=True, help="Examples of a codec: inputs with what has to come out.")
codecs_app.add_typer(app, name="example")

_NUMBERS = re.compile(r"\[\s+(\d[\d,\s]*?)\s+\]")

Codec = Annotated[
    str, typer.Argument(metavar="CODEC", help="Its version in use, or one named as in lht65@2 or lht65@draft.")
]


@command(
    app,
    "add",
    "lns codec example add lht65 --uplink 1042 --description frost",
    "lns codec example add lht65@draft --device cellar",
)
def add(
    call: Call,
    codec: Codec,
    uplink: Annotated[
        int | None, typer.Option(min=1, metavar="SEQ", help="A stored uplink, by its place in the log.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="The newest uplink of this device: DevEUI or name.")] = None,
    description: Annotated[str | None, typer.Option(help="What the uplink shows.")] = None,
) -> None:
    """Make an example from an uplink that came in, with what the version makes of it now: look whether that is right.

    The place in the log is shown by `lns codec failures` and `lns codec trial`.
    """
    if (uplink is None) == (device is None):
        raise CommandError("give either --uplink or --device", Exit.USAGE)
    name, which = split_version(codec)
    body = given(uplink_seq=uplink, description=description) | ({"device": find(call, device)} if device else {})
    answer = call.server.post(path("codecs", name, "versions", which, "examples"), body)
    if call.as_json:
        call.show(answer)
        return
    typer.echo(_file(answer["examples"][-1:]))
    typer.echo(
        f"{_counted(answer)}; keep them beside the script: lns codec example list {codec} --json > examples.json"
    )


@command(app, "list", "lns codec example list lht65@2", "lns codec example list lht65 --json > examples.json")
def list_(call: Call, codec: Codec) -> None:
    """List the examples of a version; with --json as a file of examples that can be read again."""
    examples = _stored(call, codec)
    if call.as_json:
        typer.echo(_file(examples))
        return
    columns = [
        ("type", lambda row: str(row.get("type", "uplink"))),
        ("description", lambda row: str(row.get("description") or "-")),
        ("input", lambda row: _input(row.get("input", {}))),
        ("output", lambda row: json.dumps(row.get("output"), ensure_ascii=False)),
    ]
    call.show_list(examples, columns)


@command(app, "set", "lns codec example set lht65@draft examples.json")
def set_(
    call: Call,
    codec: Codec,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="In any format of `lns codec test`.")],
) -> None:
    """Replace the examples of a version by those of files, and run them. Exit code 1 when one fails."""
    from lns.cli.codec_files import read_examples  # the decoders are only loaded where they are needed
    from lns.library.example_json import to_ts013

    name, which = split_version(codec)
    body = {"examples": [to_ts013(example) for example in read_examples(files)]}
    answer = call.server.put(path("codecs", name, "versions", which, "examples"), body)
    call.show(answer, _counted(answer))
    if answer["failed"]:
        raise typer.Exit(Exit.REFUSED)


def _stored(call: Call, codec: str) -> list[dict[str, Any]]:
    name, which = split_version(codec)
    found: dict[str, Any] = call.server.get(path("codecs", name), version=which if which.isdigit() else None)
    if which == "draft":
        drafts = [row["version"] for row in found["versions"] if row["state"] == "draft"]
        if not drafts:
            raise CommandError(f"codec {name!r} has no draft version", Exit.NOT_FOUND)
        found = call.server.get(path("codecs", name), version=drafts[-1])
    examples: list[dict[str, Any]] = found["examples"]
    return examples


def _file(examples: list[dict[str, Any]]) -> str:
    """A file of examples, the octets of each on one line."""
    text = json.dumps(examples, indent=2, ensure_ascii=False)
    return _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text)


def _input(given_to: dict[str, Any]) -> str:
    octets = given_to.get("bytes")
    if isinstance(octets, list):
        return f"fPort {given_to.get('fPort', 1)}, {bytes(octets).hex(' ')}"
    return json.dumps(given_to, ensure_ascii=False)


def _counted(answer: dict[str, Any]) -> str:
    count = len(answer["examples"])
    return f"{count} example{'s' * (count != 1)}, {answer['passed']} passed, {answer['failed']} failed"
