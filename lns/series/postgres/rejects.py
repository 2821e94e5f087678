"""Rows that are set aside: judged beforehand, found by halving where PostgreSQL refuses them, kept, retried."""

from collections.abc import Callable, Sequence

import psycopg

from lns.series import aside
from lns.series.checks import problems
from lns.series.flood import MOST_IN_A_ROW, in_a_row
from lns.series.postgres.connecting import Conn, is_row_fault
from lns.series.postgres.copying import unfit
from lns.series.store import Rejected, Row, Rows

CODE = "constraint"
_SET_ASIDE = """
INSERT INTO rejected (digest, row, code, reason, at_us) VALUES (%s, %s, %s, %s, %s) ON CONFLICT (digest) DO NOTHING
"""


def judge(rows: Rows, now_us: int) -> tuple[list[Rejected], Sequence[int]]:
    """What no store takes, or not this one; and the indexes of the other rows."""
    rejected = problems(rows, now_us)
    bad = {r.index for r in rejected}
    if bad:
        kept = [i for i in range(len(rows)) if i not in bad]
        more = [Rejected(kept[r.index], r.code, r.reason) for r in unfit(rows.take(kept))]
    else:
        more = unfit(rows)
    bad.update(r.index for r in more)
    return [*rejected, *more], [i for i in range(len(rows)) if i not in bad] if bad else range(len(rows))


class Refused:
    """Index and reason of rows that PostgreSQL refused; where it is `guarded`, too many in a row are a StoreError.

    Each costs statements of its own: of a flood not all are looked for.
    """

    def __init__(self, guarded: bool) -> None:
        self.found: list[tuple[int, str]] = []
        self._guarded = guarded

    def add(self, index: int, reason: str) -> None:
        """One more; they come in order."""
        self.found.append((index, reason))
        if self._guarded and index - self.found[-MOST_IN_A_ROW:][0][0] == MOST_IN_A_ROW - 1:
            raise in_a_row(MOST_IN_A_ROW, CODE, reason)


def halving(connection: Conn, insert: Callable[[int, int], int], start: int, end: int, refused: Refused) -> int:
    """Insert the staged rows `start` to `end` under savepoints, halving around those refused; returns rows changed."""
    if start == end:
        return 0
    try:
        with connection.transaction():
            return insert(start, end)
    except psycopg.Error as error:
        if not is_row_fault(error):
            raise
        if end - start == 1:
            refused.add(start, error.diag.message_primary or str(error))
            return 0
    middle = (start + end) // 2
    changed = halving(connection, insert, start, middle, refused)
    return changed + halving(connection, insert, middle, end, refused)


def set_aside(connection: Conn, rows: Rows, rejected: Sequence[Rejected], now_us: int) -> None:
    """Keep rows with their reasons, each once however often it comes."""
    bad = rows.take([r.index for r in rejected])
    for why, row in zip(rejected, bad, strict=True):
        text = aside.encode(row)
        connection.execute(_SET_ASIDE, (aside.digest(text), text, why.code, why.reason, now_us))


def waiting(connection: Conn, ids: Sequence[int]) -> list[tuple[int, Row]]:
    """Open rows in the order of their ids as given."""
    query = "SELECT id, row FROM rejected WHERE id = ANY(%s::int8[]) AND state = 'open'"
    texts: dict[int, str] = dict(connection.execute(query, (list(ids),)).fetchall())
    return [(row_id, aside.decode(texts[row_id])) for row_id in ids if row_id in texts]


def note_retry(connection: Conn, row_id: int, again: Rejected | None) -> None:
    """A row was stored, or was refused again."""
    if again is None:
        connection.execute("UPDATE rejected SET state = 'retried' WHERE id = %s", (row_id,))
    else:
        changed = (again.code, again.reason, row_id)
        connection.execute("UPDATE rejected SET code = %s, reason = %s WHERE id = %s", changed)
