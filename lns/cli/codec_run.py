"""`lns codec run`: a script on one payload, without a server."""

import asyncio
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lns.cli.codecs import app
from lns.cli.command import console, examples, json_object, pairs, parse_hex, print_json, read_text
from lns.cli.outcome import CommandError, Exit

if TYPE_CHECKING:
    from decoders.contract import Context, Request

Convention = Annotated[
    str | None, typer.Option(help="The form of the script, where it is not told by itself: ts013, ttn2, ...")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


@app.command(
    epilog=examples(
        "lns codec run lht65.js --fport 2 --hex cbf60b0d037601ad017fff",
        """lns codec run tank.js --fport 2 --hex 2b --context '{"name": "tank", "previous": {"level": 3}}'""",
    )
)
def run(
    file: Annotated[Path, typer.Argument(metavar="FILE.js", help="The script.")],
    fport: Annotated[int, typer.Option(min=0, max=255, help="FPort the codec is told.")],
    payload: Annotated[str, typer.Option("--hex", metavar="HEX", help="Decrypted payload.")],
    variables: Annotated[
        list[str] | None, typer.Option("--var", metavar="NAME=VALUE", help="Device variable; may be repeated.")
    ] = None,
    context: Annotated[
        str | None,
        typer.Option(metavar="JSON", help="What is known of uplink and device: name, tags, dr, gateways, previous..."),
    ] = None,
    recv_time: Annotated[
        str | None,
        typer.Option("--recv-time", metavar="TIME", help="The script's clock, as 2026-01-31T08:00; else now."),
    ] = None,
    convention: Convention = None,
    as_json: AsJson = False,
) -> None:
    """Run a codec on one payload, here and now: needs no server, changes nothing. Exit code 1 when it fails."""
    from decoders.runner import run_request  # the decoder workers are only loaded where they are needed
    from lns.api.outcomes import run_reply

    source, data = read_text(file), parse_hex(payload)
    request = _request(data, fport, pairs(variables or []), context, recv_time)
    reply = run_reply(asyncio.run(run_request(source, request, known(convention))), source)
    if as_json:
        print_json(reply)
    else:
        _print_run(reply, data, fport)
    if reply["errors"]:
        raise typer.Exit(Exit.REFUSED)


def known(convention: str | None) -> str | None:
    """A form of scripts that is known."""
    from decoders.conventions import CONVENTIONS

    if convention is not None and convention not in CONVENTIONS:
        raise CommandError(f"--convention is {convention!r}, known are {', '.join(CONVENTIONS)}", Exit.USAGE)
    return convention


def _request(
    payload: bytes, fport: int, variables: dict[str, str], context: str | None, recv_time: str | None
) -> "Request":
    from decoders.contract import Request
    from lns.api.times import parse_instant

    try:
        at_us = time.time_ns() // 1000 if recv_time is None else parse_instant(recv_time)
    except ValueError as error:
        raise CommandError(f"--recv-time: {error}", Exit.USAGE) from None
    if context is None:
        return Request(payload, fport, at_us, "0" * 16, 0, variables)
    dev_eui, fcnt, told, state = _context(context)
    return Request(payload, fport, at_us, dev_eui, fcnt, variables, told, state)


def _context(text: str) -> tuple[str, int, "Context", str | None]:
    """DevEUI, counter, context and state of --context, which has what the API takes as `context`."""
    from pydantic import ValidationError

    from lns.api.routes.bench_shapes import ContextBody

    try:
        body = ContextBody.model_validate(json_object("--context", text))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CommandError(f"--context: {where}: {first['msg'].lower()}", Exit.USAGE) from None
    return body.dev_eui, body.fcnt, body.told(), body.state


def _print_run(reply: dict[str, Any], payload: bytes, fport: int) -> None:
    from lns.cli.codec_picture import cost, measurements

    for line in reply["logs"]:
        typer.echo(f"log: {line}")
    for line in reply["warnings"]:
        typer.echo(f"warning: {line}")
    if reply["error"] is not None:
        typer.echo(f"lns: {reply['errors'][0]}", err=True)
        if reply["error"]["excerpt"]:
            typer.echo(reply["error"]["excerpt"], err=True)
        typer.echo(f"input: fPort {fport}, {payload.hex(' ')}", err=True)
        return
    typer.echo(json.dumps(reply["data"], indent=2, ensure_ascii=False))
    if reply["measurements"]:
        console().print(measurements(reply))
    if reply["state"] is not None:
        typer.echo(f"state: {reply['state']}")
    typer.echo(f"took {cost(reply['duration_us'], reply['memory_bytes'])}", err=True)
