"""A measured number with its unit and, where it was measured several times, its spread."""

from collections.abc import Sequence
from statistics import median

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """`value` is the median of the repeats, `low` and `high` the smallest and the largest of them."""

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None


def repeated(name: str, unit: str, values: Sequence[float], digits: int = 1) -> Figure:
    """The figure of several repeats, rounded to `digits` places."""
    middle, low, high = (round(number, digits) for number in (median(values), min(values), max(values)))
    return Figure(name, middle, unit, low, high)
