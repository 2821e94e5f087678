"""The place of an error in an author's file, as a few lines that show it."""

_BEFORE = 2
_WIDTH = 160


def excerpt(source: str, line: int | None, column: int | None) -> str:
    """The line with two before it, numbered, and a mark below the column; empty where there is no such line."""
    lines = source.split("\n")
    if line is None or not 1 <= line <= len(lines):
        return ""
    first = max(1, line - _BEFORE)
    # the window moves with the column: a bundle is one line of 300 kB
    start = max(0, (column or 1) - _WIDTH // 2)
    digits = len(str(line))
    shown = [
        f"{number:>{digits}} | {lines[number - 1].rstrip()[start : start + _WIDTH].expandtabs(1)}"
        for number in range(first, line + 1)
    ]
    if column is not None and column >= 1:
        shown.append(f"{' ' * digits} | {' ' * (column - 1 - start)}^")
    return "\n".join(shown)
