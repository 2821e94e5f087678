"""`lns codec quarantine` and `lns codec release`: versions that are not run any more because they cost too much."""

from typing import Any

from lns.cli.codecs import Name, app
from lns.cli.command import Call, column, command
from lns.cli.connection import path
from lns.cli.times import local


@command(app, "quarantine", "lns codec quarantine", "lns codec quarantine --json")
def quarantine(call: Call) -> None:
    """List versions in use that have killed workers or run out of time or memory, with the last such uplink."""
    columns = [
        column("codec"),
        column("version"),
        ("state", lambda row: "parked" if row["parked"] else "watched"),
        column("deaths"),
        column("overruns"),
        ("last", lambda row: local(row["at"])),
        ("uplink", _uplink),
        column("reason"),
    ]
    call.show_list(call.server.pages(path("quarantine")), columns)


@command(app, "release", "lns codec release lht65")
def release(call: Call, name: Name) -> None:
    """Run the versions of a codec again; `lns codec retry --codec NAME` then decodes what has failed meanwhile."""
    answer = call.server.post(path("quarantine", name, "release"))
    count = answer["released"]
    call.show(answer, f"{count} version{'' if count == 1 else 's'} of codec {name} run again")


def _uplink(row: dict[str, Any]) -> str:
    given = row["input"]
    return f"{given['dev_eui']} fcnt {given['fcnt']} fport {given['fport']} {given['payload']}"
