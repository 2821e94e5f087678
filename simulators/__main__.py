"""`python -m simulators fleet` sends, `python -m simulators verify` compares what was stored with what was sent."""

import argparse
import asyncio
import json
import sys
from typing import Any

from simulators.fleet import run
from simulators.options import add_api_arguments, add_arguments, fleet_options
from simulators.provision import ApiError


def main() -> int:
    """Exit code 0: done; 1: it could not be done, or the store differs from the ledger; 2: wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m simulators", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    fleet = commands.add_parser(
        "fleet",
        help="devices and gateways that talk to a server over UDP",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(fleet)
    add_api_arguments(fleet)
    arguments = parser.parse_args()
    try:
        options = fleet_options(arguments)
    except ValueError as error:
        parser.error(str(error))
    try:
        summary = _loop(run(options))
    except (ApiError, OSError, TimeoutError) as error:
        print(
            f"fleet: {error or 'no PULL_ACK came: is the server running, and is this its UDP port?'}", file=sys.stderr
        )
        return 1
    _show(summary, arguments.json)
    return 0


def _loop(main_task: Any) -> Any:
    try:
        import uvloop
    except ImportError:  # not on Windows
        return asyncio.run(main_task)
    return uvloop.run(main_task)


def _show(summary: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(summary))
        return
    width = max(map(len, summary))
    for name, value in summary.items():
        print(f"{name:<{width}}  {value}")


if __name__ == "__main__":
    sys.exit(main())
