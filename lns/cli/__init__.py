"""The `lns` command: one Typer application, a module a group of commands."""

import os
import sys
from typing import Annotated

import typer

from lns import __version__
from lns.cli import (
    applications,
    archive,
    backfill,
    codec_examples,
    codec_quarantine,
    codec_run,
    codec_tests,
    codecs,
    deliveries,
    devices,
    downlinks,
    gateways,
    importing,
    key_encryption,
    keys,
    library,
    library_import,
    multicast,
    outlet_replay,
    outlets,
    refusals,
    replay,
    sessions,
    status,
    stores,
    templates,
    trial,
)
from lns.cli.command import command, examples
from lns.cli.frames import inspect
from lns.cli.latest import latest
from lns.cli.outcome import CommandError, Exit
from lns.cli.serving import check, serve
from lns.cli.watch import watch

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 refused or failed, 2 wrong usage or configuration, 3 no server answers, "
    "4 not allowed, 5 not found.",
)
"""Every command; some modules add themselves: `importing` and `sessions` to `devices.app`, those of the library to
`templates.app`, those of the bench to `codecs.app`, those of deliveries to `outlets.app`."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def lns(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Inflight: a LoRaWAN network server and decoder gateway."""


app.command(
    epilog=examples("lns serve", "lns serve --config inflight.toml --data /var/lib/inflight", "lns serve --demo")
)(serve)
app.command(epilog=examples("lns check --config inflight.toml", "lns check --explain"))(check)
command(app, "watch", "lns watch", "lns watch --json | jq 'select(.kind == \"refusal\")'")(watch)
command(app, "status", "lns status")(status.status)
command(app, "refusals", "lns refusals", "lns refusals --reason mic_failed --device cellar")(refusals.refusals)
command(app, "latest", "lns latest cellar", "lns latest a84041000181c061 --json | jq .values.temperature")(latest)
app.command(
    epilog=examples(
        "lns inspect 40F17DBE4900020001954378762B11FF0D --nwk-s-key 44024241ED4CE9A68C6A8BC055233FD3",
        "lns inspect --beacon 0001009e3355ff93009cec510cd97aec73",
    )
)(inspect)
app.add_typer(gateways.app, name="gateway")
app.add_typer(devices.app, name="device")
app.add_typer(applications.app, name="application")
app.add_typer(templates.app, name="template")
app.add_typer(codecs.app, name="codec")
app.add_typer(replay.app, name="replay")
app.add_typer(archive.app, name="archive")
app.add_typer(backfill.app, name="backfill")
app.add_typer(downlinks.app, name="downlink")
app.add_typer(multicast.app, name="multicast")
app.add_typer(outlets.app, name="outlet")
app.add_typer(keys.app, name="key")
app.add_typer(key_encryption.app, name="key-encryption")
app.add_typer(stores.app, name="series")
app.add_typer(status.exchange, name="exchange")

__all__ = [
    "app",
    "codec_examples",
    "codec_quarantine",
    "codec_run",
    "codec_tests",
    "deliveries",
    "importing",
    "library",
    "library_import",
    "main",
    "outlet_replay",
    "sessions",
    "trial",
]


def main() -> None:
    """Run the command line; a failed command says why in one sentence on standard error."""
    try:
        app()
    except CommandError as error:
        typer.echo(f"lns: {error}", err=True)
        sys.exit(error.code)
    except BrokenPipeError:
        # The reader of our output has gone, as in `lns watch --json | head`; leave nothing for exit to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(Exit.OK)
