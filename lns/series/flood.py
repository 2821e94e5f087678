"""When rows that an engine refuses are no longer the rows' fault: a missing column, a wrong type, a rule gone wrong.

Pure. Judged before the position of a batch is written: a day's measurements wait in the log instead of being
set aside one by one. Rows that no engine would take (`lns.series.checks`) do not count, they are a device's fault.
"""

from collections.abc import Sequence

import msgspec

from lns.errors import StoreError
from lns.series.store import Rejected

MOST_IN_A_ROW = 100
MOST_BATCHES = 3
MOST_SHARE = 0.05  # of a batch
FEW = 20  # that many in all are no flood, however small their batches: they are set aside, and a person sees them


def in_a_row(count: int, code: str, reason: str) -> StoreError:
    """That so many rows in a row were refused."""
    return StoreError(f"writing stops: {count} rows in a row were refused as {code}; the last because: {reason}")


class Flood(msgspec.Struct, frozen=True):
    """What the last batches were like: how many of them were bad, and the refusals at the end with their code."""

    batches: int = 0
    in_a_row: int = 0
    refused: int = 0  # in those batches
    code: str = ""

    def after(self, rows: int, refused: Sequence[Rejected]) -> "Flood":
        """The state after a batch of `rows` rows, `refused` by index; StoreError where too many were."""
        if not rows:
            return self
        run, code = self._run(rows, refused)
        if len(refused) <= MOST_SHARE * rows:
            return Flood(in_a_row=run, code=code)
        batches, total = self.batches + 1, self.refused + len(refused)
        if batches >= MOST_BATCHES and total > FEW:
            raise StoreError(
                f"writing stops: {total} rows of {batches} batches in a row were refused, "
                f"at most {MOST_SHARE:.0%} of a batch may be; the last because: {refused[-1].reason}"
            )
        return Flood(batches, run, total, code)

    def _run(self, rows: int, refused: Sequence[Rejected]) -> tuple[int, str]:
        """How many rows at the batch's end were refused with one code, those before it counted if it is all of it."""
        run, code, next_index = self.in_a_row, self.code, 0
        for one in refused:
            follows = one.index == next_index and one.code == code
            run, code, next_index = (run + 1 if follows else 1), one.code, one.index + 1
            if run >= MOST_IN_A_ROW:
                raise in_a_row(run, code, one.reason)
        return (run, code) if next_index == rows else (0, "")
