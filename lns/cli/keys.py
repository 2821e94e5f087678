"""`lns key`: API keys. Creating one works on the data folder alone while no server runs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lns.cli.command import AsJson, Call, Data, Key, Url, column, command, duration_s, examples
from lns.cli.connection import DEFAULT_URL, Connection, path
from lns.cli.outcome import CommandError, Exit
from lns.cli.serving import File, load_config
from lns.cli.times import local

app = typer.Typer(no_args_is_help=True, help="Create and revoke API keys.")
PERMISSIONS = ("read", "write", "keys:read", "admin")


@app.command(
    epilog=examples(
        "lns key create dashboard --permission read",
        "lns key create ci --permission read --permission write --expires-in 90d",
    )
)
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.")],
    permissions: Annotated[
        list[str] | None, typer.Option("--permission", help="read, write, keys:read or admin; may be repeated.")
    ] = None,
    expires_in: Annotated[str | None, typer.Option(help="Days it is good for, such as 90d; else for ever.")] = None,
    file: File = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
    data: Data = Path("data"),
) -> None:
    """Create an API key and print its secret: this once, only a hash is kept.

    Without a running server the key is written to the registry in the data folder.
    """
    wanted = permissions or ["read"]
    if unknown := [permission for permission in wanted if permission not in PERMISSIONS]:
        raise CommandError(f"{unknown[0]!r} is not a permission: {', '.join(PERMISSIONS)}", Exit.USAGE)
    days = duration_s("--expires-in", expires_in) / 86_400 if expires_in else None
    with Connection(url, key, data) as server:
        try:
            body = {"name": name, "permissions": wanted} | ({"expires_in_days": days} if days else {})
            made = server.post(path("keys"), body)
        except CommandError as error:
            if error.code != Exit.UNREACHABLE or not data.is_dir():
                raise
            made = _create_offline(data, load_config(file, data).keys.file, name, wanted, days)
        Call(server, as_json).show(made, made["secret"])


@command(app, "list", "lns key list")
def list_(call: Call) -> None:
    """List API keys; secrets are not kept and cannot be shown."""
    columns = [
        *(column(name) for name in ("id", "name", "permissions")),
        ("created", lambda row: local(row["created_at"])),
        ("expires", lambda row: local(row["expires_at"])),
        ("last used", lambda row: local(row["last_used_at"])),
    ]
    call.show_list(call.server.pages(path("keys")), columns)


@command(app, "revoke", "lns key revoke 5f0c2a9be1d4")
def revoke(call: Call, id: Annotated[str, typer.Argument(metavar="ID", help="Id from `lns key list`.")]) -> None:
    """Revoke an API key; it is refused from now on."""
    call.server.delete(path("keys", id))
    call.show({"revoked": id}, f"key {id} revoked")


def _create_offline(data: Path, key_file: str, name: str, permissions: list[str], days: float | None) -> dict[str, Any]:
    """Write the key to the registry's file; a server that is started later knows it."""
    from lns.config import ConfigError  # these, and the database with them, are only loaded where they are needed
    from lns.errors import StoreError
    from lns.folder import hold
    from lns.registry.errors import RegistryError
    from lns.registry.registry import FILE_NAME, Registry

    registry = Registry(data / FILE_NAME, key_file=Path(key_file) if key_file else None)
    try:
        with hold(data):
            registry.open()
            made, secret = registry.keys.create(name, permissions, days)
    except ConfigError as error:
        raise CommandError(f"{error}: name its address with --url", Exit.UNREACHABLE) from None
    except (RegistryError, StoreError) as error:
        raise CommandError(str(error)) from None
    finally:
        registry.close()
    typer.echo(
        f"no server answers: written to {registry.path}, known to a server that is started from now on", err=True
    )
    return {"id": made.id, "name": made.name, "permissions": list(made.permissions), "secret": secret}
