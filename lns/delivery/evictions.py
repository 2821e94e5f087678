"""What is forgotten of the delivery log before its days are over, because there is more of it than may be.

Delivered rows go first, then dropped ones, the oldest of all outlets. Dead letters go last, and of the outlet that
holds most: one outlet's flood takes no other's. Everything here runs inside the table's transactions.
"""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Literal

from lns.delivery.machine import State

Evicted = Mapping[tuple[str, State], int]
"""How many rows have gone, by outlet and state."""

Measure = Literal["rows", "bytes"]

STEP = 100
MOST = 10_000
"""Rows a transaction. Only a bound that was lowered asks for more: the next transactions forget the rest."""

_OLDEST = "SELECT id, outlet FROM delivery WHERE state = ? ORDER BY changed_us LIMIT ?"
_LARGEST: Mapping[Measure, str] = {
    "rows": "SELECT outlet, rows FROM dead_letters WHERE rows > 0 ORDER BY rows DESC LIMIT 2",
    "bytes": "SELECT outlet, bytes FROM dead_letters WHERE bytes > 0 ORDER BY bytes DESC LIMIT 2",
}
_SIZES: Mapping[Measure, str] = {"rows": "1", "bytes": "600 + attempt_bytes + coalesce(length(body), 0)"}
_LETTERS: Mapping[Measure, str] = {
    measure: f"SELECT id, changed_us, {size} FROM delivery WHERE outlet = ? AND state = 'dead' ORDER BY id LIMIT ?"
    for measure, size in _SIZES.items()
}


class Evictions:
    """Keeps what has ended below `most_bytes`. `gone` is what this transaction has evicted."""

    def __init__(self, db: sqlite3.Connection, most_bytes: int) -> None:
        self._db, self._most_bytes = db, most_bytes
        self.gone: Counter[tuple[str, State]] = Counter()

    def bytes(self) -> int:
        """How much is kept of what has ended."""
        return int(self._db.execute("SELECT sum(bytes) FROM ended").fetchone()[0])

    def shrink(self) -> int:
        """Evict what is over the bound in bytes, `MOST` rows and a step at most; returns how many."""
        count = 0
        while count < MOST and (over := self.bytes() - self._most_bytes) > 0 and (step := self._step(over)):
            count += step
        return count

    def rows(self, state: State, count: int) -> int:
        """Evict `count` rows in a state; returns how many there were."""
        if state is not State.DEAD:
            return self._oldest(state, max(count, 0))
        left = count
        while left > 0 and (step := self._letters("rows", left)):
            left -= step
        return count - left

    def forget(self, before_us: int) -> None:
        """Of dead letters whose days would be over by now nobody needs to know any more that they were evicted."""
        self._db.execute("UPDATE dead_letters SET evicted = 0, evicted_us = 0 WHERE evicted_us < ?", (before_us,))
        self._db.execute("DELETE FROM dead_letters WHERE rows = 0 AND evicted = 0")

    def seen(self, outlets: set[str]) -> None:
        """Somebody has taken care of dead letters of these: where none is left, the evicted ones are known too."""
        self._db.executemany(
            "UPDATE dead_letters SET evicted = 0, evicted_us = 0 WHERE outlet = ? AND rows = 0",
            [(outlet,) for outlet in outlets],
        )

    def _step(self, over: int) -> int:
        return self._oldest(State.DELIVERED, STEP) or self._oldest(State.DROPPED, STEP) or self._letters("bytes", over)

    def _oldest(self, state: State, count: int) -> int:
        found = self._db.execute(_OLDEST, (state.value, count)).fetchall()
        delete(self._db, [(id_,) for id_, _ in found])
        for outlet, lost in Counter(outlet for _, outlet in found).items():
            self.gone[outlet, state] += lost
        return len(found)

    def _letters(self, measure: Measure, over: int) -> int:
        """Evict from the outlet that holds most, until enough has gone or it holds less than the one after it."""
        largest = self._db.execute(_LARGEST[measure]).fetchall()
        if not largest:
            return 0
        (outlet, held), second = largest[0], largest[1][1] if len(largest) > 1 else 0
        ids: list[tuple[int]] = []
        newest_us = 0
        with closing(self._db.execute(_LETTERS[measure], (outlet, STEP))) as letters:
            for id_, changed_us, size in letters:  # of which few are read where outlets hold about the same
                ids.append((id_,))
                newest_us = max(newest_us, changed_us)
                over, held = over - size, held - size
                if over <= 0 or held < second:
                    break
        delete(self._db, ids)
        self.gone[outlet, State.DEAD] += len(ids)
        self._db.execute(
            "UPDATE dead_letters SET evicted = evicted + ?, evicted_us = max(evicted_us, ?) WHERE outlet = ?",
            (len(ids), newest_us, outlet),
        )
        return len(ids)


def delete(db: sqlite3.Connection, ids: Sequence[tuple[int]]) -> None:
    """Deliveries and their attempts."""
    db.executemany("DELETE FROM attempt WHERE delivery = ?", ids)
    db.executemany("DELETE FROM delivery WHERE id = ?", ids)
