"""One SQL statement for many rows: the interpreter's lock is given back and taken again once, not for each row."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

_SIZES = (100, 20, 5, 1)
"""Rows of a statement: few texts, so that each is prepared once."""


class Many:
    """`text` has `{rows}` where `row`, the place-holders of one row, is repeated."""

    def __init__(self, text: str, row: str) -> None:
        self._texts = {size: text.format(rows=", ".join([row] * size)) for size in _SIZES}

    def execute(self, db: sqlite3.Connection, rows: Sequence[Sequence[Any]]) -> int:
        """Run it for all rows, in their order; returns how many rows of the table it has changed."""
        changed = 0
        for part in _parts(rows):
            changed += db.execute(self._texts[len(part)], [value for row in part for value in row]).rowcount
        return changed


def _parts(rows: Sequence[Sequence[Any]]) -> Iterator[Sequence[Sequence[Any]]]:
    at = 0
    for size in _SIZES:
        while len(rows) - at >= size:
            yield rows[at : at + size]
            at += size
