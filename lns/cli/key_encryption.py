"""`lns key-encryption`: the key under which the keys of devices and sessions lie in the database."""

from pathlib import Path

import msgspec
import typer

from lns.cli.command import AsJson, console, examples, print_json
from lns.cli.outcome import CommandError
from lns.cli.serving import Data, File, load_config

app = typer.Typer(no_args_is_help=True, help="Change the key that seals all others in the database.")


@app.callback()
def key_encryption() -> None:
    """A group of one command needs a callback, or Typer makes it the command itself."""


@app.command(
    epilog=examples(
        "lns key-encryption rotate --config /etc/inflight.toml",
        "LNS_NEW_KEY_ENCRYPTION_KEY=$(openssl rand -hex 32) lns key-encryption rotate --data /var/lib/inflight",
    )
)
def rotate(
    file: File = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Seal every key of the database with a new key; stop the server first.

    The new key takes the place of the file that [keys] names, or is
    that of LNS_NEW_KEY_ENCRYPTION_KEY. It is all or nothing: what was
    cut off is done by the next start, or by rotating again.
    """
    from lns.config import ConfigError  # these, and the database with them, are only loaded where they are needed
    from lns.errors import StoreError
    from lns.folder import hold
    from lns.registry.registry import FILE_NAME
    from lns.registry.rotation import rotate as seal_anew

    config = load_config(file, data)
    folder = Path(config.data_dir)
    try:
        with hold(folder):
            done = seal_anew(folder / FILE_NAME, Path(config.keys.file) if config.keys.file else None)
    except (ConfigError, StoreError) as error:
        raise CommandError(str(error)) from None
    if as_json:
        print_json(msgspec.to_builtins(done))
        return
    text = f"{done.sealed} keys are sealed with key {done.new_id} of {done.origin}, no longer with {done.old_id}"
    console().print(text, markup=False, soft_wrap=True)
