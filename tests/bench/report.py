"""The result of a run: a table for people, build/bench.json for scripts, and the baseline both compare with."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from tests.bench.figure import Figure
from tests.bench.machine import Machine

BASELINE = Path(__file__).with_name("baseline.json")


class Baseline(msgspec.Struct, frozen=True):
    """The last committed numbers and the machine they come from; a run of a part leaves the other parts' numbers."""

    machine: Machine | None = None
    figures: dict[str, float] = {}


class Line(msgspec.Struct, frozen=True):
    """A line of bench.json; `ratio` is value by baseline."""

    name: str
    value: float
    unit: str
    baseline: float | None
    ratio: float | None


def load_baseline() -> Baseline:
    """An empty one where nothing is committed yet."""
    return msgspec.json.decode(BASELINE.read_bytes(), type=Baseline) if BASELINE.exists() else Baseline()


def save_baseline(old: Baseline, machine: Machine, figures: Sequence[Figure]) -> None:
    numbers = old.figures | {figure.name: figure.value for figure in figures}
    new = Baseline(machine, dict(sorted(numbers.items())))
    BASELINE.write_bytes(msgspec.json.format(msgspec.json.encode(new), indent=2) + b"\n")


def compared(figures: Sequence[Figure], baseline: Mapping[str, float]) -> list[Line]:
    """Every figure beside its baseline."""
    return [_line(figure, baseline.get(figure.name)) for figure in figures]


def write(path: Path, lines: Sequence[Line]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(lines), indent=2) + b"\n")


def show(
    console: Console, figures: Sequence[Figure], lines: Sequence[Line], machine: Machine, baseline: Baseline
) -> None:
    """Print the table."""
    table = Table(title=f"{_described(machine)}, load {_load(machine)}", caption=_compared_with(baseline))
    table.add_column("figure", min_width=max([len(line.name) for line in lines], default=0))
    for heading in ("value", "unit", "baseline", "ratio", "spread"):
        table.add_column(heading, justify="left" if heading == "unit" else "right")
    part = ""
    for figure, line in zip(figures, lines, strict=True):
        if figure.name.partition(".")[0] != part:
            part = figure.name.partition(".")[0]
            table.add_section()
        spread = "" if figure.low is None else f"{_number(figure.low)} .. {_number(figure.high)}"
        ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
        table.add_row(line.name, _number(line.value), line.unit, _number(line.baseline), ratio, spread)
    console.print(table)


def _line(figure: Figure, baseline: float | None) -> Line:
    ratio = round(figure.value / baseline, 3) if baseline else None
    return Line(figure.name, figure.value, figure.unit, baseline, ratio)


def _compared_with(baseline: Baseline) -> str:
    if baseline.machine is None:
        return "no baseline yet: --save makes one"
    return f"baseline: {_described(baseline.machine)}, load {_load(baseline.machine)}"


def _described(machine: Machine) -> str:
    return f"{machine.cores} cores of {machine.cpu}, Python {machine.python}"


def _load(machine: Machine) -> str:
    return " ".join(f"{average:.2f}" for average in machine.load)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:,}"
