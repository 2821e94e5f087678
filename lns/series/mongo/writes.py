"""Storing and removing rows, as many as one likes in a request.

Nearly all rows are new, so they are inserted; only those whose key is there already are sent again, to replace what has
a lower seq. Both steps may be repeated, in part or whole, without changing what they leave.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from pymongo import DeleteOne, ReplaceOne
from pymongo.errors import BulkWriteError

from lns.series.checks import problems
from lns.series.mongo.connecting import Collection
from lns.series.mongo.documents import Document, encode, key_of, newest, unfit
from lns.series.mongo.turns import Turns
from lns.series.store import Rejected, Removal, Rows, WriteResult

DUPLICATE = 11000
REFUSED = "refused"  # by the engine, not by us
# BadValue, DocumentValidationFailure, BSONObjectTooLarge: the fault of a row, not of the engine.
# Source: mongodb/mongo, src/mongo/base/error_codes.yml.
_ROW_FAULTS = {2, 121, 10334}

_T = TypeVar("_T")


class Batch(msgspec.Struct, frozen=True):
    """What is to be stored: documents, the index of each in its batch, and what was judged before."""

    documents: list[Document]
    indexes: list[int]
    good: int  # rows that are not rejected, of which only the newest of each key are sent
    rejected: list[Rejected]


class Writes:
    """Writes to one collection."""

    def __init__(self, collection: Callable[[], Collection], rows_at_once: int, turns: Turns) -> None:
        self._collection, self._at_once, self._turns = collection, rows_at_once, turns

    async def store(self, rows: Rows, now_us: int) -> WriteResult:
        """Store those rows that may be and are newer than what is there."""
        # In a thread: 2,000 rows take milliseconds, for which the radio would wait.
        batch = await asyncio.to_thread(prepare, rows, now_us)
        refused: dict[int, str] = {}
        known = await self._insert(batch.documents, refused)
        accepted = len(batch.documents) - len(known) - len(refused)
        if known:
            accepted += await self._replace(batch.documents, known, refused)
        rejected = batch.rejected + [Rejected(batch.indexes[i], REFUSED, why) for i, why in refused.items()]
        rejected.sort(key=lambda r: r.index)
        return WriteResult(accepted, batch.good - len(refused) - accepted, tuple(rejected))

    async def remove(self, removals: Sequence[Removal]) -> None:
        """Delete rows unless a later record wrote them."""
        wanted = [DeleteOne({"_id": key_of(d, f, t), "s": {"$lt": seq}}) for d, f, t, seq in removals]
        async with self._turns.changing():
            for piece in _pieces(wanted, self._at_once):
                await self._collection().bulk_write(piece, ordered=False)

    async def _insert(self, documents: list[Document], refused: dict[int, str]) -> list[int]:
        """Insert; returns the indexes of those whose key is there, and notes those that are refused."""
        known: list[int] = []
        for piece in _pieces(range(len(documents)), self._at_once):
            try:
                await self._collection().insert_many([documents[i] for i in piece], ordered=False)
            except BulkWriteError as error:
                for place, code, why in write_errors(error):
                    if code == DUPLICATE:
                        known.append(piece[place])
                    else:
                        refused[piece[place]] = why
        return known

    async def _replace(self, documents: list[Document], indexes: list[int], refused: dict[int, str]) -> int:
        """Replace what has a lower seq; returns how many were."""
        replaced = 0
        async with self._turns.changing():
            for piece in _pieces(indexes, self._at_once):
                wanted = [
                    ReplaceOne({"_id": documents[i]["_id"], "s": {"$lt": documents[i]["s"]}}, documents[i])
                    for i in piece
                ]
                try:
                    result = await self._collection().bulk_write(wanted, ordered=False)
                    replaced += result.matched_count
                except BulkWriteError as error:
                    refused.update({piece[place]: why for place, _, why in write_errors(error)})
                    replaced += error.details["nMatched"]
        return replaced


def prepare(rows: Rows, now_us: int) -> Batch:
    """Judge rows and make their documents."""
    rejected = problems(rows, now_us)
    bad = {r.index for r in rejected}
    rejected += unfit(rows, (i for i in range(len(rows)) if i not in bad))
    bad.update(r.index for r in rejected)
    good = [i for i in range(len(rows)) if i not in bad] if bad else range(len(rows))
    indexes = newest(rows, good)
    return Batch(encode(rows, indexes), indexes, len(good), rejected)


def write_errors(error: BulkWriteError) -> list[tuple[int, int, str]]:
    """Index, code and text of the rows at fault; raises the error where the engine is."""
    found: list[Any] = error.details["writeErrors"]
    faults = _ROW_FAULTS | {DUPLICATE}
    if error.details["writeConcernErrors"] or any(item["code"] not in faults for item in found):
        raise error
    return [(item["index"], item["code"], item["errmsg"]) for item in found]


def _pieces(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
