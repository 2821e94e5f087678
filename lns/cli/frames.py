"""`lns inspect`: any LoRaWAN frame or beacon, field by field."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer
from rich.markup import escape
from rich.tree import Tree

from lns.cli.command import console, parse_hex, print_json
from lns.cli.outcome import CommandError, Exit
from lns.lorawan.errors import FrameError
from lns.lorawan.ids import parse_eui, parse_key

_SESSION_1_0 = "Keys of a 1.0 session or a multicast group"
_SESSION_1_1 = "Keys of a 1.1 session, and what its MIC covers besides the frame"
_JOIN = "Root keys, and the request that a join-accept answers"

Parsed = TypeVar("Parsed")


def _in(panel: str, text: str, **more: Any) -> Any:
    return typer.Option(help=text, rich_help_panel=panel, **more)


def inspect(
    frame: Annotated[str, typer.Argument(metavar="HEX", help="The PHYPayload, from MHDR to MIC, or a beacon.")],
    nwk_s_key: Annotated[
        str | None, _in(_SESSION_1_0, "NwkSKey or McNwkSKey: checks the MIC, decrypts FPort 0 and relayed frames.")
    ] = None,
    app_s_key: Annotated[
        str | None, _in(_SESSION_1_0, "AppSKey or McAppSKey, of any version: decrypts the payload of other ports.")
    ] = None,
    f_nwk_s_int_key: Annotated[
        str | None, _in(_SESSION_1_1, "FNwkSIntKey: checks the last two octets of an uplink's MIC.")
    ] = None,
    s_nwk_s_int_key: Annotated[
        str | None, _in(_SESSION_1_1, "SNwkSIntKey: checks the other two, downlinks, and rejoin-requests 0 and 2.")
    ] = None,
    nwk_s_enc_key: Annotated[str | None, _in(_SESSION_1_1, "NwkSEncKey: decrypts FOpts and FPort 0.")] = None,
    conf_fcnt: Annotated[
        int | None, _in(_SESSION_1_1, "With ACK: counter of the confirmed frame that is acknowledged.", min=0)
    ] = None,
    tx_dr: Annotated[
        int | None, _in(_SESSION_1_1, "Data rate of the uplink; without it, the one that fits is found.", min=0, max=15)
    ] = None,
    tx_ch: Annotated[
        int | None, _in(_SESSION_1_1, "Channel index of the uplink, likewise (64 to 71: 500 kHz).", min=0, max=95)
    ] = None,
    app_key: Annotated[
        str | None, _in(_JOIN, "AppKey of a 1.0 device: checks a join-request, decrypts a join-accept.")
    ] = None,
    nwk_key: Annotated[str | None, _in(_JOIN, "NwkKey of a 1.1 device: the same, and rejoin-request 1.")] = None,
    join_eui: Annotated[str | None, _in(_JOIN, "JoinEUI of the device.")] = None,
    dev_eui: Annotated[str | None, _in(_JOIN, "DevEUI of the device.")] = None,
    dev_nonce: Annotated[
        int | None, _in(_JOIN, "DevNonce of the join-request, or RJcount of the rejoin-request.", min=0, max=0xFFFF)
    ] = None,
    rejoin_type: Annotated[
        int | None, _in(_JOIN, "When it was a rejoin-request: its type, 0, 1 or 2.", min=0, max=2)
    ] = None,
    fcnt_msb: Annotated[
        int, typer.Option(min=0, max=0xFFFF, help="Upper 16 bits of the frame counter, which the frame leaves out.")
    ] = 0,
    beacon: Annotated[bool, typer.Option("--beacon", help="HEX is a class B beacon.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Show a frame field by field, check its MIC and decrypt it where keys are given; exit code 1 for a wrong MIC.

    A 1.0 session has NwkSKey and AppSKey. A 1.1 session has three keys
    in place of NwkSKey; the MIC of its uplinks covers the data rate and
    the channel they were sent on, and its FOpts are encrypted.
    """
    from lns.lorawan.inspect import inspect as take_apart
    from lns.lorawan.inspect import inspect_beacon
    from lns.lorawan.inspect_data import Keys, Known
    from lns.lorawan.joining import JOIN

    keys = Keys(
        nwk_s_key=_given(nwk_s_key, parse_key),
        app_s_key=_given(app_s_key, parse_key),
        f_nwk_s_int_key=_given(f_nwk_s_int_key, parse_key),
        s_nwk_s_int_key=_given(s_nwk_s_int_key, parse_key),
        nwk_s_enc_key=_given(nwk_s_enc_key, parse_key),
        app_key=_given(app_key, parse_key),
        nwk_key=_given(nwk_key, parse_key),
    )
    if keys.session_1_1 and keys.nwk_s_key is not None:
        raise CommandError("--nwk-s-key is the key of a 1.0 session, the others are those of a 1.1 session", Exit.USAGE)
    known = Known(
        fcnt_msb=fcnt_msb,
        conf_fcnt=conf_fcnt,
        tx_dr=tx_dr,
        tx_ch=tx_ch,
        join_eui=_given(join_eui, parse_eui),
        dev_eui=_given(dev_eui, parse_eui),
        dev_nonce=dev_nonce,
        join_req_type=JOIN if rejoin_type is None else rejoin_type,
    )
    octets = parse_hex(frame)
    try:
        found = inspect_beacon(octets) if beacon else take_apart(octets, keys, known)
    except FrameError as error:
        raise CommandError(str(error)) from None
    _show(found, len(octets), as_json)
    if found.get("mic_ok") is False:
        raise typer.Exit(Exit.REFUSED)


def _given(text: str | None, parse: Callable[[str], Parsed]) -> Parsed | None:
    try:
        return None if text is None else parse(text)
    except ValueError as error:
        raise CommandError(str(error), Exit.USAGE) from None


def _show(found: dict[str, Any], size: int, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    tree = Tree(f"[bold]{size} bytes[/bold]", guide_style="dim")
    _grow(tree, found)
    console().print(tree)


def _grow(tree: Tree, value: dict[str, Any]) -> None:
    for name, item in value.items():
        if isinstance(item, dict):
            _grow(tree.add(name), item)
        elif isinstance(item, list) and item and isinstance(item[0], dict):
            branch = tree.add(name)
            for part in item:
                _grow_part(branch, part)
        elif name == "mic_ok":
            tree.add(f"mic_ok [cyan]{_verdict(item, value.get('mic_hint'))}[/cyan]")
        elif name != "mic_hint":
            tree.add(f"{name} [cyan]{escape(_text(item))}[/cyan]")


def _grow_part(branch: Tree, part: dict[str, Any]) -> None:
    """A command under its name; what has no name in one line."""
    if "name" in part:
        _grow(branch.add(part["name"]), {key: item for key, item in part.items() if key != "name"})
    else:
        branch.add(", ".join([f"{key} [cyan]{escape(_text(item))}[/cyan]" for key, item in part.items()]))


def _verdict(mic_ok: bool | None, hint: str | None) -> str:
    if mic_ok is None:
        return f"not checked: {hint or 'give the key'}"
    return "yes" if mic_ok else f"NO, {hint or 'wrong key, counter or octets'}"


def _text(item: Any) -> str:
    if isinstance(item, bool):
        return "yes" if item else "no"
    if isinstance(item, list):
        return ", ".join([str(part) for part in item]) or "-"
    return "-" if item is None or item == "" else str(item)
