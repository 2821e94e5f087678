"""`lns codec`: upload, switch and try payload codecs, and see where they failed."""

import asyncio
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lns.cli.command import Call, column, command, examples, pairs, parse_hex, print_json, read_text
from lns.cli.connection import path
from lns.cli.devices import find
from lns.cli.outcome import CommandError, Exit
from lns.cli.times import local

if TYPE_CHECKING:
    from decoders.contract import Result

app = typer.Typer(
    no_args_is_help=True, help="Upload JavaScript codecs, try them by hand, see and retry failed decodes."
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the codec.")]
File = Annotated[Path, typer.Argument(metavar="FILE.js", help="JavaScript with decodeUplink, Decoder or Decode.")]


@command(app, "list", "lns codec list")
def list_(call: Call) -> None:
    """List codecs with the version in use."""
    columns = [column("name"), column("active_version"), column("versions"), column("convention")]
    call.show_list(call.server.pages(path("codecs")), columns)


@command(app, "show", "lns codec show lht65")
def show(call: Call, name: Name) -> None:
    """Show a codec's versions and the source of the one in use."""
    value = call.server.get(path("codecs", name))
    if call.as_json:
        call.show(value)
        return
    in_use = ("in use", lambda row: "yes" if row["version"] == value["active_version"] else "")
    columns = [column("version"), in_use, column("convention"), column("note"), column("sha256")]
    call.show_list(value["versions"], [*columns, ("created", lambda row: local(row["created_at"]))])
    typer.echo(value["source"])


@command(
    app, "add", "lns codec add lht65.js", "lns codec add lht65.js --name dragino --note 'fixed humidity' --no-activate"
)
def add(
    call: Call,
    file: File,
    name: Annotated[str | None, typer.Option(help="Name of the codec; else the file's.")] = None,
    note: Annotated[str | None, typer.Option(help="What is new in this version.")] = None,
    activate: Annotated[bool, typer.Option("--activate/--no-activate", help="Use this version at once.")] = True,
) -> None:
    """Upload a codec, or a new version of one; devices use it through `--codec` or their template."""
    name = name or file.stem
    body = {"source": read_text(file)} | ({"note": note} if note else {})
    try:
        call.server.get(path("codecs", name))
    except CommandError as error:
        if error.code != Exit.NOT_FOUND:
            raise
        call.show(call.server.post(path("codecs"), {"name": name, **body}), f"codec {name} added, version 1 is in use")
        return
    answer = call.server.post(path("codecs", name, "versions"), {**body, "activate": activate})
    call.show(answer, f"codec {name} has a new version" + (", in use from now on" if activate else ""))


@command(app, "activate", "lns codec activate lht65 2")
def activate(
    call: Call, name: Name, version: Annotated[int, typer.Argument(min=1, metavar="VERSION", help="Version number.")]
) -> None:
    """Use another version of a codec, an older one too, from the next uplink on."""
    answer = call.server.post(path("codecs", name, "activate"), {"version": version})
    call.show(answer, f"codec {name} uses version {version} from now on")


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


@app.command(epilog=examples("lns codec run lht65.js --fport 2 --hex cbf60b0d037601ad017fff"))
def run(
    file: File,
    fport: Annotated[int, typer.Option(min=0, max=255, help="FPort the codec is told.")],
    payload: Annotated[str, typer.Option("--hex", metavar="HEX", help="Decrypted payload.")],
    variables: Annotated[
        list[str] | None, typer.Option("--var", metavar="NAME=VALUE", help="Device variable; may be repeated.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print data, warnings, errors, logs and duration_us.")
    ] = False,
) -> None:
    """Run a codec on one payload, here and now: needs no server, changes nothing. Exit code 1 when it fails."""
    from decoders.runner import run_once  # the decoder workers are only loaded where they are needed

    source, data = read_text(file), parse_hex(payload)
    result = asyncio.run(run_once(source, data, fport, time.time_ns() // 1000, pairs(variables or [])))
    decoded = json.loads(result.data_json) if result.error is None and result.data_json else None
    errors = [] if result.error is None else [result.error.text()]
    if as_json:
        print_json(
            {
                "data": decoded,
                "warnings": result.warnings,
                "errors": errors,
                "logs": result.logs,
                "duration_us": result.duration_us,
            }
        )
    else:
        _print_run(result, decoded, errors)
    if errors:
        raise typer.Exit(Exit.REFUSED)


def _print_run(result: "Result", decoded: Any, errors: list[str]) -> None:
    for line in result.logs:
        typer.echo(f"log: {line}")
    for line in result.warnings:
        typer.echo(f"warning: {line}")
    for line in errors:
        typer.echo(f"lns: {line}", err=True)
    if not errors:
        print_json(decoded)
        typer.echo(f"took {result.duration_us} us", err=True)
