"""`python -m tests.bench [PART ...]` measures the server, prints a table and writes build/bench.json.

A figure is the median of its repeats; the table shows their spread and how busy the machine was. Numbers of a machine
that does other work too say little.
"""

import argparse
import importlib
import os
import re
import sys
from pathlib import Path

import msgspec
from rich.console import Console

from tests.bench import machine, report
from tests.bench.figure import Figure

PARTS = {
    "e2e": "e2e",
    "latency": "latency",
    "memory": "scale",
    "startup": "scale",
    "stages": "stages",
    "decode": "decode",
    "series": "series",
    "engines": "engines",
    "catchup": "catchup",
    "kafka": "kafka",
    "delivery": "delivery",
    "path": "path",
    "replaying": "replaying",
    "downlinks": "downlinks",
}
"""Module by part."""
RESULT = Path("build/bench.json")
_WIDTH = 120  # where the output is no terminal


def main() -> int:
    """Exit code 1: a part could not be measured; 2: wrong usage."""
    arguments = _arguments()
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    errors = Console(stderr=True)
    here, baseline = machine.machine(), report.load_baseline()
    figures: list[Figure] = []
    loops_ms = [machine.loop_ms()]
    failed = False
    for module in dict.fromkeys(PARTS[part] for part in PARTS if part in arguments.parts):
        try:
            with errors.status(f"measuring {module}"):
                figures += measure(module)
        except Exception:  # noqa: BLE001 - the top of a part: what the others have measured is kept
            errors.print_exception()
            failed = True
        loops_ms.append(machine.loop_ms())
    figures = machine.figures(here, loops_ms) + figures
    lines = report.compared(figures, baseline.figures)
    report.show(console, figures, lines, here, baseline)
    report.write(arguments.json, lines)
    if arguments.save:
        report.save_baseline(baseline, here, figures)
    return 1 if failed else 0


def measure(module: str) -> list[Figure]:
    """The figures of one module."""
    found = importlib.import_module(f"tests.bench.{module}").run()
    return msgspec.convert(found, list[Figure])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"what to measure: {', '.join(PARTS)} (all)")
    parser.add_argument("--only", default=os.environ.get("ONLY", ""), metavar="PART,...", help="the same as a list")
    parser.add_argument("--json", type=Path, default=RESULT, metavar="FILE", help=f"where to write ({RESULT})")
    parser.add_argument("--save", action="store_true", help="make these numbers the baseline that is committed")
    arguments = parser.parse_args()
    arguments.parts += re.findall(r"[^\s,]+", arguments.only)
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}: choose from {', '.join(PARTS)}")
    arguments.parts = arguments.parts or list(PARTS)
    return arguments


if __name__ == "__main__":
    sys.exit(main())
