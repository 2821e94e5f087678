"""`python -m simulators fleet` sends, `python -m simulators verify` compares what was stored with what was sent."""

import argparse
import asyncio
import json
import sqlite3
import sys
from collections.abc import Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from simulators.fleet import run
from simulators.options import add_api_arguments, add_arguments, fleet_options
from simulators.provision import Api, ApiError
from simulators.stored import OverApi, SqliteFiles
from simulators.verify import Verdict, as_json, read_ledger, verify_until

T = TypeVar("T")


def main() -> int:
    """Exit code 0: done; 1: it could not be done, or the store differs from the ledger; 2: wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m simulators", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    fleet = commands.add_parser("fleet", help="devices and gateways that talk to a server over UDP")
    add_arguments(fleet)
    add_api_arguments(fleet)
    check = commands.add_parser("verify", help="compare a server's measurements with a fleet's ledger")
    check.add_argument("--ledger", type=Path, required=True, metavar="FILE", help="what `fleet --ledger` wrote")
    check.add_argument("--db", type=Path, metavar="FILE", help="series.db of the server; else its API is asked")
    check.add_argument("--wait", type=float, default=0.0, metavar="S", help="how long to wait for missing ones (0)")
    add_api_arguments(check)
    arguments = parser.parse_args()
    try:
        return _fleet(arguments) if arguments.command == "fleet" else _verify(arguments)
    except ValueError as error:
        parser.error(str(error))
    except (ApiError, OSError, sqlite3.Error) as error:
        print(f"{arguments.command}: {error}", file=sys.stderr)
        return 1


def _fleet(arguments: argparse.Namespace) -> int:
    try:
        summary = _loop(run(fleet_options(arguments)))
    except TimeoutError:
        print(f"fleet: no PULL_ACK comes from {arguments.server}: is this the server's UDP port?", file=sys.stderr)
        return 1
    _show(summary, arguments.json)
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    uplinks, _ = read_ledger(arguments.ledger)

    async def compare() -> Verdict:
        if arguments.db:
            with closing(SqliteFiles(arguments.db)) as files:
                return await verify_until(uplinks, files, arguments.wait)
        api = Api(arguments.api, arguments.key, arguments.data_dir)
        async with api.http:
            return await verify_until(uplinks, OverApi(api), arguments.wait)

    verdict = _loop(compare())
    _show(as_json(verdict), arguments.json)
    return 0 if verdict.exact else 1


def _loop(main_task: Coroutine[Any, Any, T]) -> T:
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
