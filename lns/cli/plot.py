"""A line chart of a time series in braille dots: two by four to a character, no escape codes, any terminal."""

from collections.abc import Sequence
from datetime import UTC, datetime

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BARS = "▁▂▃▄▅▆▇█"


def chart(points: Sequence[tuple[float, float]], start: float, end: float, width: int, height: int) -> str:
    """`points` (Unix seconds, value) in time order, from `start` to `end`, `width` by `height` characters in all."""
    low, high = min(v for _, v in points), max(v for _, v in points)
    if low == high:
        low, high = low - 1, high + 1
    labels = [f"{low + (high - low) * row / (height - 2):.4g}" for row in (height - 2, (height - 2) // 2, 0)]
    margin = max(map(len, labels))
    columns, rows = 2 * (width - margin - 2), 4 * (height - 1)
    dots = [
        (round((t - start) / (end - start) * (columns - 1)), round((high - v) / (high - low) * (rows - 1)))
        for t, v in points
        if start <= t <= end
    ]
    cells = [[0x2800] * (columns // 2) for _ in range(rows // 4)]
    for here, there in zip(dots, dots[1:] or dots, strict=False):
        for x, y in _segment(here, there):
            cells[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
    shown = {0: labels[0], (height - 2) - (height - 2) // 2: labels[1], height - 2: labels[2]}
    lines = [f"{shown.get(i, ''):>{margin}} ┤" + "".join(map(chr, row)) for i, row in enumerate(cells)]
    return "\n".join([*lines, " " * (margin + 2) + _axis(start, end, columns // 2)])


def spark(values: Sequence[float | None]) -> str:
    """One bar a value, a blank for None."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, span = min(known), max(known) - min(known)
    return "".join(" " if v is None else _BARS[int((v - low) / span * 7.99) if span else 3] for v in values)


def _segment(here: tuple[int, int], there: tuple[int, int]) -> list[tuple[int, int]]:
    steps = max(abs(there[0] - here[0]), abs(there[1] - here[1]), 1)
    return [
        (round(here[0] + (there[0] - here[0]) * i / steps), round(here[1] + (there[1] - here[1]) * i / steps))
        for i in range(steps + 1)
    ]


def _axis(start: float, end: float, width: int) -> str:
    pattern = "%H:%M:%S" if end - start < 3600 else "%H:%M" if end - start < 86_400 else "%m-%d %H:%M"
    left, middle, right = (
        datetime.fromtimestamp(t, UTC).astimezone().strftime(pattern) for t in (start, (start + end) / 2, end)
    )
    space = max(width - len(left) - len(middle) - len(right), 2)
    return left + " " * (space // 2) + middle + " " * (space - space // 2) + right
