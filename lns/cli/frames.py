"""`lns inspect`: any LoRaWAN frame, field by field."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.tree import Tree

from lns.cli.command import console, parse_hex, print_json
from lns.cli.outcome import CommandError, Exit
from lns.lorawan.errors import FrameError
from lns.lorawan.ids import parse_key


def inspect(
    frame: Annotated[str, typer.Argument(metavar="HEX", help="The PHYPayload, from MHDR to MIC.")],
    nwk_s_key: Annotated[str | None, typer.Option(help="NwkSKey: checks the MIC, decrypts FPort 0.")] = None,
    app_s_key: Annotated[str | None, typer.Option(help="AppSKey: decrypts the payload of other ports.")] = None,
    app_key: Annotated[str | None, typer.Option(help="AppKey: checks a join-request, decrypts a join-accept.")] = None,
    fcnt_msb: Annotated[
        int, typer.Option(min=0, max=0xFFFF, help="Upper 16 bits of the frame counter, which the frame leaves out.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Show a frame field by field, check its MIC and decrypt it where keys are given; exit code 1 for a wrong MIC."""
    from lns.lorawan.inspect import inspect as take_apart

    keys = {"nwk_s_key": nwk_s_key, "app_s_key": app_s_key, "app_key": app_key}
    phy = parse_hex(frame)
    try:
        parsed = {name: parse_key(key) if key is not None else None for name, key in keys.items()}
    except ValueError as error:
        raise CommandError(str(error), Exit.USAGE) from None
    try:
        found = take_apart(phy, **parsed, fcnt_msb=fcnt_msb)
    except FrameError as error:
        raise CommandError(str(error)) from None
    if as_json:
        print_json(found)
    else:
        tree = Tree(f"[bold]{len(phy)} bytes[/bold]", guide_style="dim")
        _grow(tree, found)
        console().print(tree)
    if found.get("mic_ok") is False:
        raise typer.Exit(Exit.REFUSED)


def _grow(tree: Tree, value: dict[str, Any]) -> None:
    for name, item in value.items():
        if isinstance(item, dict):
            _grow(tree.add(name), item)
        elif isinstance(item, list) and item and isinstance(item[0], dict):
            branch = tree.add(name)
            for part in item:
                _grow(branch.add(str(part.get("name", part.get("cid", "")))), _without(part, "name"))
        else:
            tree.add(f"{name} [cyan]{escape(_text(name, item))}[/cyan]")


def _without(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: item for key, item in value.items() if key != name}


def _text(name: str, item: Any) -> str:
    if name == "mic_ok":
        return {True: "yes", False: "NO, wrong key, counter or octets", None: "not checked: give the key"}[item]
    if isinstance(item, bool):
        return "yes" if item else "no"
    return "-" if item is None or item in ("", []) else str(item)
