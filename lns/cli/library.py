"""`lns template search` and its neighbours: kinds of devices that templates can be taken from."""

from typing import Annotated, Any

import typer

from lns.cli.command import Call, column, command
from lns.cli.connection import path
from lns.cli.templates import app

_LIBRARY = "template-library"
_SHOWN = 50

Item = Annotated[str, typer.Argument(metavar="VENDOR/DEVICE", help="What `lns template search` calls it.")]


@command(app, "search", "lns template search soil moisture", "lns template search dragino --json")
def search(
    call: Call,
    words: Annotated[list[str] | None, typer.Argument(metavar="WORDS", help="All of them, or parts of them.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many.")] = _SHOWN,
) -> None:
    """Search the template library by vendor, model and description: ours, and what was imported."""
    found = list(call.server.pages(path(_LIBRARY), limit + 1, search=" ".join(words or [])))
    columns = [*(column(name) for name in ("id", "vendor", "name", "description")), ("codec", _codec)]
    call.show_list(found[:limit], columns)
    if len(found) > limit and not call.as_json:
        call.console.print(f"there are more than these {limit}: give more words, or --limit", style="dim")


@command(
    app,
    "add-from-library",
    "lns template add-from-library milesight/em300-th",
    "lns template add-from-library ttn:dragino/lht65 --name cold-store",
)
def add_from_library(
    call: Call,
    item: Item,
    name: Annotated[str | None, typer.Option(help="Name of the template; else made from VENDOR/DEVICE.")] = None,
    force_reason: Annotated[
        str | None, typer.Option(help="Use its codec although examples fail; the reason is kept.")
    ] = None,
) -> None:
    """Add a device template from the library: LoRaWAN version, class, codec with examples, fields with units.

    Not needed before `lns device add --template VENDOR/DEVICE`, which does the same.
    """
    body = {"item": item, "name": name, "force_reason": force_reason}
    made = call.server.post(path("device-templates", "from-library"), body)
    fields = len(made["fields"])
    sentence = f"device template {made['name']} is there, with codec {made['codec'] or 'none'} and {fields} fields"
    call.show(made, sentence)


@command(app, "libraries", "lns template libraries")
def libraries(call: Call) -> None:
    """List the libraries, and how many kinds of devices each has."""
    call.show_list(call.server.pages(path(_LIBRARY, "origins")), [column("origin"), column("items")])


@command(app, "forget", "lns template forget ttn")
def forget(
    call: Call, library: Annotated[str, typer.Argument(metavar="LIBRARY", help="Name of an imported library.")]
) -> None:
    """Remove an imported library; device templates and codecs made from it stay."""
    removed = call.server.delete(path(_LIBRARY, "origins", library))
    call.show(removed, f"library {library} removed, {removed['removed']} kinds of devices")


def _codec(row: Any) -> str:
    """Whether a codec comes with it, and how its examples went."""
    if not row["codec"]:
        return "-"
    passed, failed = row["examples_passed"], row["examples_failed"]
    if not passed + failed:
        return "yes"
    return f"{passed} of {passed + failed} examples pass" if failed else f"{passed} examples pass"
