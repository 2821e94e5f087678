"""`lns codec`: upload codecs, switch between their versions, see where they failed.

`codec_run`, `codec_tests`, `codec_examples`, `codec_quarantine` and `trial` add themselves to `app`.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from lns.cli.command import Call, column, command, given
from lns.cli.connection import path
from lns.cli.devices import find
from lns.cli.outcome import CommandError, Exit
from lns.cli.times import local

app = typer.Typer(
    no_args_is_help=True,
    help="Write, test and upload JavaScript codecs, switch versions, see and retry failed decodes.",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the codec.")]
Version = Annotated[int, typer.Argument(min=1, metavar="VERSION", help="Version number.")]
File = Annotated[Path, typer.Argument(metavar="FILE.js", help="The script, or the folder of it and its examples.")]
ForceReason = Annotated[
    str | None, typer.Option(metavar="REASON", help="Use it although examples fail; the reason is kept.")
]


@command(app, "list", "lns codec list")
def list_(call: Call) -> None:
    """List codecs with the version in use."""
    columns = [column("name"), column("active_version"), column("versions"), column("convention")]
    call.show_list(call.server.pages(path("codecs")), columns)


@command(app, "show", "lns codec show lht65", "lns codec show lht65 --version 1 > lht65.js")
def show(
    call: Call,
    name: Name,
    version: Annotated[int | None, typer.Option(min=1, help="Version to show; else the one in use.")] = None,
) -> None:
    """Print the source of a codec, of the version in use; `lns codec versions` lists them."""
    value = call.server.get(path("codecs", name), version=version)
    if call.as_json:
        call.show(value)
    else:
        typer.echo(value["source"], nl=not value["source"].endswith("\n"))


@command(app, "versions", "lns codec versions lht65")
def versions(call: Call, name: Name) -> None:
    """List the versions of a codec, and when which of them was put in use."""
    value = call.server.get(path("codecs", name))
    if call.as_json:
        call.show({field: value[field] for field in ("name", "active_version", "versions", "activations")})
        return
    columns = [
        *(column(field) for field in ("version", "state", "convention", "author", "note")),
        ("examples", _examples),
        ("sha256", lambda row: row["sha256"][:12]),
        ("created", lambda row: local(row["created_at"])),
    ]
    call.show_list(value["versions"], columns)
    if value["activations"]:
        history = [("in use since", lambda row: local(row["at"])), column("version"), column("author")]
        call.show_list(value["activations"], [*history, ("", _why)])


@command(
    app,
    "add",
    "lns codec add lht65.js --note 'from the vendor'",
    "lns codec add lht65/ --name dragino --note 'fixed humidity' --no-activate",
    "lns codec add lht65.js --force-reason 'example 3 is of the old firmware'",
)
def add(
    call: Call,
    file: File,
    name: Annotated[str | None, typer.Option(help="Name of the codec; else the file's or its folder's.")] = None,
    note: Annotated[str | None, typer.Option(help="What is new in this version.")] = None,
    activate: Annotated[bool, typer.Option("--activate/--no-activate", help="Use this version at once.")] = True,
    force_reason: ForceReason = None,
    convention: Annotated[str | None, typer.Option(help="The form of the script, where it is not told.")] = None,
    example_files: Annotated[
        list[Path] | None,
        typer.Option("--examples", metavar="FILE", help="Examples, in the place of those beside it; may be repeated."),
    ] = None,
) -> None:
    """Upload a codec with its examples, or a new version of one; devices use it through `--codec` or their template.

    The examples that lie beside the script are run, without any those of the version before. When one fails the
    version stays a draft and the exit code is 1. A draft is tried with `lns codec trial`, then used with `activate`.
    """
    from lns.cli.codec_files import one_script  # the decoders are only loaded where they are needed
    from lns.library.example_json import to_ts013

    script = one_script(file, example_files or ())
    name = name or (file.resolve().name if file.is_dir() else file.stem)
    body = {"source": script.source, "activate": activate}
    body |= given(note=note, convention=convention, force_reason=force_reason)
    if script.examples:
        body["examples"] = [to_ts013(example) for example in script.examples]
    if _is_new(call, name):
        answer = call.server.post(path("codecs"), {"name": name, **body})
    else:
        answer = call.server.post(path("codecs", name, "versions"), body)
    call.show(answer, _added(answer))
    if answer["refused"]:
        raise typer.Exit(Exit.REFUSED)


@command(app, "activate", "lns codec activate lht65 2", "lns codec activate lht65 2 --force-reason 'no time'")
def activate(call: Call, name: Name, version: Version, force_reason: ForceReason = None) -> None:
    """Use another version of a codec, an older one too, from the next uplink on; its examples have to pass."""
    body = {"version": version} | given(force_reason=force_reason)
    answer = call.server.post(path("codecs", name, "activate"), body)
    call.show(answer, f"codec {name} uses version {version} from now on")


@command(app, "rollback", "lns codec rollback lht65")
def rollback(call: Call, name: Name) -> None:
    """Use again the version that the one in use has replaced; once more goes back one more."""
    answer = call.server.post(path("codecs", name, "rollback"))
    call.show(answer, f"codec {name} uses version {answer['version']} again")


@command(app, "retire", "lns codec retire lht65 3")
def retire(call: Call, name: Name, version: Version) -> None:
    """Set a version aside that nobody is to use; activating it brings it back."""
    answer = call.server.post(path("codecs", name, "retire"), {"version": version})
    call.show(answer, f"version {version} of codec {name} is retired")


@command(app, "failures", "lns codec failures", "lns codec failures --device a84041000181c061")
def failures(
    call: Call,
    device: Annotated[str | None, typer.Option(help="Only this device's: DevEUI or name.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many.")] = 100,
) -> None:
    """List decodes that failed, with reason, line and column in the codec's file."""
    columns = [
        ("at", lambda row: local(row["at"])),
        column("dev_eui"),
        column("uplink_seq"),
        column("reason"),
        ("where", lambda row: "-" if row.get("line") is None else f"line {row['line']}, column {row['column']}"),
        column("message"),
    ]
    chosen = find(call, device) if device else None
    call.show_list(call.server.pages(path("decode-failures"), limit, device=chosen), columns)


@command(app, "retry", "lns codec retry --codec lht65", "lns codec retry --uplink 1042 --uplink 1043")
def retry(
    call: Call,
    device: Annotated[str | None, typer.Option(help="Only this device's: DevEUI or name.")] = None,
    codec: Annotated[str | None, typer.Option(help="Only failures of this codec.")] = None,
    uplinks: Annotated[
        list[int] | None, typer.Option("--uplink", help="Only this uplink_seq; may be repeated.")
    ] = None,
) -> None:
    """Decode failed uplinks again with the codec in use now; without options all of them."""
    body: dict[str, Any] = {"device": find(call, device)} if device else {}
    body |= ({"codec": codec} if codec else {}) | ({"uplink_seqs": uplinks} if uplinks else {})
    answer = call.server.post(path("decode-failures", "retry"), body)
    call.show(answer, f"{answer['retried']} decoded now, {answer['failed']} failed again")
    if answer["failed"]:
        raise typer.Exit(Exit.REFUSED)


def _is_new(call: Call, name: str) -> bool:
    try:
        call.server.get(path("codecs", name))
    except CommandError as error:
        if error.code != Exit.NOT_FOUND:
            raise
        return True
    return False


def _added(answer: dict[str, Any]) -> str:
    name, version, passed, failed = (answer[key] for key in ("codec", "version", "examples_passed", "examples_failed"))
    told = f"codec {name} {'added, ' if version == 1 else 'has '}version {version}"
    if answer["refused"]:
        return f"{told}, which stays a draft: {answer['refused']}"
    told += ", in use from now on" if answer["active"] else ", a draft"
    if failed:
        return f"{told}; {failed} of {passed + failed} examples fail: `lns codec test` shows which"
    return f"{told}; {passed} example{'s' * (passed != 1)} passed" if passed else told


def _examples(row: dict[str, Any]) -> str:
    passed, failed = row["examples_passed"], row["examples_failed"]
    return f"{passed} passed" + (f", {failed} failed" if failed else "") if passed or failed else "-"


def _why(row: dict[str, Any]) -> str:
    """How a version came to be used."""
    if row["reason"] is not None:
        return f"although examples failed: {row['reason']}"
    return f"back from version {row['replaced']}" if row["rollback"] else ""
