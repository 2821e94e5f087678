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

from tests.bench import report
from tests.bench.figure import Figure
from tests.bench.machine import machine

PARTS = ("e2e", "latency", "memory", "startup", "stages", "decode", "series", "kafka")
_WIDTH = 120  # where the output is no terminal


def main() -> int:
    """Exit code 1: a part could not be measured; 2: wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"what to measure: {', '.join(PARTS)} (all)")
    parser.add_argument("--only", default=os.environ.get("ONLY", ""), metavar="PART,...", help="the same as a list")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), metavar="FILE", help="build/bench.json")
    parser.add_argument("--save", action="store_true", help="make these numbers the baseline that is committed")
    arguments = parser.parse_args()
    wanted = [*arguments.part, *re.findall(r"[^\s,]+", arguments.only)]
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}: choose from {', '.join(PARTS)}")
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    errors = Console(stderr=True)
    here, baseline = machine(), report.load_baseline()
    figures: list[Figure] = []
    failed = False
    for part in PARTS:
        if wanted and part not in wanted:
            continue
        try:
            with errors.status(f"measuring {part}"):
                figures += measure(part)
        except Exception:  # noqa: BLE001 - the top of a part: what the others have measured is kept
            errors.print_exception()
            failed = True
    lines = report.compared(figures, baseline.figures)
    report.show(console, figures, lines, here, baseline)
    report.write(arguments.json, lines)
    if arguments.save:
        report.save_baseline(baseline, here, figures)
    return 1 if failed else 0


def measure(part: str) -> list[Figure]:
    """The figures of one part."""
    found = importlib.import_module(f"tests.bench.{part}").run()
    return msgspec.convert(found, list[Figure])


if __name__ == "__main__":
    sys.exit(main())
