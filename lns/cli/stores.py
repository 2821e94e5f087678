"""`lns series stores|setup|rejected|retry`: the time-series stores, and what they have set aside."""

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lns.assembly.stores import Stores
from lns.cli.command import Call, column, command, console, examples, given, print_json
from lns.cli.connection import path
from lns.cli.outcome import CommandError, Exit
from lns.cli.series import series
from lns.cli.serving import Data, File, load_config
from lns.cli.times import ago, error_text
from lns.config import ConfigError
from lns.errors import StoreError


class _DeviceFirst(TyperGroup):
    """`lns series cellar` is `lns series show cellar`: what is no command's name is a device's."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        known = args and (args[0] in self.commands or args[0].startswith("-"))
        return super().resolve_command(ctx, args if known else ["show", *args])


app = typer.Typer(
    cls=_DeviceFirst,
    no_args_is_help=True,
    help="Measurements of a device (`lns series DEVICE [FIELD]`), and the stores that keep them.",
)
Store = Annotated[str | None, typer.Option("--store", help="Which store; else the one that charts read.")]

command(
    app,
    "show",
    "lns series a84041000181c061 --since 1h",
    "lns series cellar temperature --since 7d --bucket 1h --plot",
    "lns series show stores --since 1h      # a device that is called like a command",
)(series)


@command(app, "stores", "lns series stores", "lns series stores --json | jq '.[] | {name, lag}'")
def stores(
    call: Call, name: Annotated[str | None, typer.Argument(help="One of them: ask it how it is.")] = None
) -> None:
    """List the stores that measurements are written to, how far each is behind, and its last error."""
    if name is not None:
        call.show(call.server.get(path("series", "stores", name)))
        return
    columns = [
        column("name"),
        ("read by charts", lambda row: "yes" if row["reads"] else "no"),
        column("state"),
        column("lag"),
        ("rate", lambda row: "-" if row["rate_per_s"] is None else f"{row['rate_per_s']:.0f}/s"),
        ("last error", lambda row: error_text(row, row["state"] == "running", call.now)),
    ]
    call.show_list(call.server.pages(path("series", "stores")), columns)


@command(app, "rejected", "lns series rejected", "lns series rejected --store postgres --code not_finite")
def rejected(
    call: Call,
    store: Store = None,
    code: Annotated[str | None, typer.Option(help="Only those set aside for this reason.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many.")] = 100,
) -> None:
    """List measurements that a store has set aside, with the reason; they cost no other measurement."""
    rows = call.server.pages(path("series", "rejected"), store=store)
    shown: list[dict[str, Any]] = []
    for row in rows:
        if code in (None, row["code"]) and len(shown) < limit:
            shown.append(row)
    columns = [
        column("id"),
        ("measurement", lambda row: _row_text(row["row"])),
        column("code"),
        column("reason"),
        ("when", lambda row: ago(row["at"], call.now)),
    ]
    call.show_list(shown, columns)


@command(app, "retry", "lns series retry 17 18", "lns series retry --code text_too_long", "lns series retry --all")
def retry(
    call: Call,
    ids: Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="As `lns series rejected` shows.")] = None,
    code: Annotated[str | None, typer.Option(help="All that were set aside for this reason.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    store: Store = None,
) -> None:
    """Write measurements again that a store had set aside."""
    if [bool(ids), code is not None, everything].count(True) != 1:
        raise CommandError("give ids, --code or --all", Exit.USAGE)
    body = given(ids=ids or None, code=code, all=everything or None, store=store)
    value = call.server.post(path("series", "rejected", "retry"), body)
    call.show(value, f"{value['stored']} stored, {value['failed']} set aside again")


@app.command(
    epilog=examples("lns series setup --config inflight.toml", "lns series setup --config inflight.toml --yes")
)
def setup(
    file: File = None,
    data: Data = None,
    store: Annotated[str | None, typer.Option("--store", help="Only this one.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Run it without asking.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what is missing as JSON, and run it with --yes.")
    ] = False,
) -> None:
    """Show what has to be made in each enabled store, and make it. Data that is there is never dropped.

    It needs no running server, and a server does the same by itself when it starts.
    """
    try:
        made = Stores(load_config(file, data))
    except ConfigError as error:
        raise CommandError(str(error), Exit.USAGE) from None
    if store is not None and store not in made.all:
        raise CommandError(f"store {store!r} is not enabled; enabled: {', '.join(made.all) or 'none'}", Exit.USAGE)
    names = [store] if store is not None else list(made.all)
    try:
        if as_json:
            asyncio.run(_as_json(made, names, yes))
        else:
            told = "no configuration file: defaults" if file is None else f"from {file}"
            console().print(told, markup=False, soft_wrap=True, style="dim")
            asyncio.run(_set_up(made, names, yes))
    except StoreError as error:
        raise CommandError(str(error)) from None


async def _set_up(stores: Stores, names: Sequence[str], yes: bool) -> None:
    out = console()
    for name in names:
        statements = await stores.all[name].setup_sql()
        if not statements:
            out.print(f"{name}: nothing to do", soft_wrap=True)
            continue
        out.print(f"{name}: would run", style="bold")
        out.print(statements, markup=False, highlight=False, soft_wrap=True)
        if yes or typer.confirm(f"run it in {name}?"):
            await _run(stores, name)
            out.print(f"{name}: done", soft_wrap=True)


async def _as_json(stores: Stores, names: Sequence[str], yes: bool) -> None:
    found = []
    for name in names:
        statements = await stores.all[name].setup_sql()
        if statements and yes:
            await _run(stores, name)
        found.append({"store": name, "sql": statements, "done": yes or not statements})
    print_json(found)


async def _run(stores: Stores, name: str) -> None:
    await stores.ensure_open(name)
    await stores.all[name].close()


def _row_text(row: str) -> str:
    """`device 4 temperature = NaN °C` of the store's JSON."""
    device_id, field, _, value, unit, _ = json.loads(row)
    return f"device {device_id} {field} = {str(value)[:60]} {unit or ''}".rstrip()
