"""`lns application`: groups of devices."""

from typing import Annotated

import typer

from lns.cli.command import Call, column, command
from lns.cli.connection import path

app = typer.Typer(no_args_is_help=True, help="Group devices into applications.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the application.")]


@command(app, "list", "lns application list")
def list_(call: Call) -> None:
    """List applications; `default` is always there."""
    call.show_list(call.server.pages(path("applications")), [column("name"), column("description")])


@command(app, "add", "lns application add greenhouse --description 'Soil and air, halls 1 to 4'")
def add(call: Call, name: Name, description: Annotated[str, typer.Option(help="One line for people.")] = "") -> None:
    """Add an application."""
    body = {"name": name, "description": description}
    call.show(call.server.post(path("applications"), body), f"application {name} added")


@command(app, "remove", "lns application remove greenhouse")
def remove(call: Call, name: Name) -> None:
    """Remove an application; refused while it has devices."""
    call.server.delete(path("applications", name))
    call.show({"removed": name}, f"application {name} removed")
