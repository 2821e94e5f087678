"""Rows that were set aside, kept in a collection of their own: one document each, with a number that grows."""

from collections.abc import Callable, Sequence

from pymongo import ASCENDING, ReturnDocument, UpdateOne

from lns.series.aside import decode, digest, encode, why
from lns.series.mongo.connecting import Collection
from lns.series.mongo.documents import int64
from lns.series.store import Rejected, Row, Rows, SetAside

_COUNTER = {"_id": "rejected"}  # in the collection of the store's state


class Aside:
    """One writer at a time."""

    def __init__(self, collection: Callable[[], Collection], state: Callable[[], Collection]) -> None:
        self._collection, self._state = collection, state

    async def add(self, rows: Rows, rejected: Sequence[Rejected], now_us: int) -> None:
        """Keep the rejected ones of `rows`; one that is kept already stays as it is."""
        bad = rows.take([r.index for r in rejected])
        texts = {encode(row): reason for row, reason in zip(bad, rejected, strict=True)}
        new = {digest(text).hex(): text for text in texts}
        async for known in self._collection().find({"digest": {"$in": list(new)}}, {"digest": 1}):
            del new[known["digest"]]
        if not new:
            return
        first = await self._numbers(len(new))
        await self._collection().insert_many(
            [
                {"_id": number, "digest": known_by, "row": text, "at_us": now_us, "state": "open"} | why(texts[text])
                for number, (known_by, text) in enumerate(new.items(), first)
            ]
        )

    async def _numbers(self, count: int) -> int:
        """The first of `count` numbers that nobody has used."""
        counted = await self._state().find_one_and_update(
            _COUNTER, {"$inc": {"last": count}}, upsert=True, return_document=ReturnDocument.AFTER
        )
        assert counted is not None  # it is made where it is missing
        return int(counted["last"]) - count + 1

    async def listed(self, limit: int, after_id: int, state: str) -> list[SetAside]:
        """See `SeriesWriter.rejected`."""
        if limit < 1:  # to the engine, no limit
            return []
        found = (
            self._collection()
            .find({"state": state, "_id": {"$gt": int64(after_id)}})
            .sort("_id", ASCENDING)
            .limit(limit)
        )
        return [SetAside(d["_id"], d["row"], d["code"], d["reason"], d["at_us"], d["state"]) async for d in found]

    async def open_rows(self, ids: Sequence[int]) -> dict[int, Row]:
        """The open rows among `ids`, in that order."""
        wanted = [row_id for row_id in ids if row_id == int64(row_id)]
        found = self._collection().find({"_id": {"$in": wanted}, "state": "open"})
        texts = {document["_id"]: document["row"] async for document in found}
        return {row_id: decode(texts[row_id]) for row_id in ids if row_id in texts}

    async def settle(self, ids: Sequence[int], again: Sequence[Rejected]) -> None:
        """Mark `ids` as retried, but those that were rejected again, whose index counts in `ids`."""
        failed = {rejected.index: rejected for rejected in again}
        changes = []
        for index, row_id in enumerate(ids):
            changed = why(failed[index]) if index in failed else {"state": "retried"}
            changes.append(UpdateOne({"_id": row_id}, {"$set": changed}))
        if changes:
            await self._collection().bulk_write(changes, ordered=False)

    async def forget(self, before_us: int) -> None:
        """Drop what was set aside before a time."""
        await self._collection().delete_many({"at_us": {"$lt": before_us}})
