"""The tables of docs/vocabulary.md: `python -m decoders.vocabulary_tables` prints them as they should be there."""

import sys

from decoders.units import UNITS
from decoders.vocabulary import AMBIGUOUS, TABLE, Entry


def names() -> str:
    """Every name with unit, plausible range, meaning and the spellings that are taken for it."""
    lines = ["| name | unit | plausible | meaning | also written |", "|---|---|---|---|---|"]
    for entry in TABLE:
        also = ", ".join(f"`{spelling}`" for spelling in entry.also)
        unit = entry.unit or ("" if entry.kind == "number" else entry.kind)
        lines.append(f"| `{entry.name}` | {unit} | {_plausible(entry)} | {entry.meaning} | {also} |")
    return "\n".join(lines)


def ambiguous() -> str:
    """Names that could mean several things, with what their author is told of."""
    lines = ["| name | could be |", "|---|---|"]
    lines += [f"| `{name}` | {', '.join(f'`{one}`' for one in could)} |" for name, could in AMBIGUOUS.items()]
    return "\n".join(lines)


def units() -> str:
    """Units by dimension, with their other spellings."""
    lines = ["| of | units | also written |", "|---|---|---|"]
    for dimension in dict.fromkeys(unit.dimension for unit in UNITS):
        found = [unit for unit in UNITS if unit.dimension == dimension]
        also = ", ".join(f"`{spelling}`" for unit in found for spelling in unit.spellings)
        lines.append(f"| {dimension} | {', '.join(f'`{unit.symbol}`' for unit in found)} | {also} |")
    return "\n".join(lines)


def _plausible(entry: Entry) -> str:
    if entry.low is None or entry.high is None:
        return ""
    return f"{_number(entry.low)} to {_number(entry.high)}"


def _number(value: float) -> str:
    return f"{value:,.10g}" if abs(value) < 1e7 else f"{value:.0e}".replace("e+0", "e").replace("e+", "e")


if __name__ == "__main__":
    sys.stdout.write("\n\n".join((names(), ambiguous(), units(), "")))
