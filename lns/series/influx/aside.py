"""Rows that were set aside, kept in the store itself: one point each, whose time is its id.

So an id grows, is found without a search, and goes with the points of its time.
"""

import json
from collections.abc import Sequence
from hashlib import blake2b

from lns.series.influx.client import Client, literal
from lns.series.influx.lines import quoted
from lns.series.store import Rejected, Row, Rows, SetAside


class Aside:
    """The points called `measurement`. One writer at a time."""

    def __init__(self, client: Client, measurement: str) -> None:
        self._client = client
        self._measurement = measurement
        self._last_id = 0

    async def open(self) -> None:
        """Find the newest id."""
        query = f'SELECT "at" FROM "{self._measurement}" ORDER BY time DESC LIMIT 1'
        [found] = await self._client.query([query])
        if found:
            self._last_id = found[0].values[0][0]

    async def add(self, rows: Rows, rejected: Sequence[Rejected], now_us: int) -> None:
        """Keep the rejected ones of `rows`; one that is kept already stays as it is."""
        texts = {encode(row): why for row, why in zip(rows.take([r.index for r in rejected]), rejected, strict=True)}
        digests = {blake2b(text.encode(), digest_size=16).hexdigest(): text for text in texts}
        known = await self._client.query(
            [f'SELECT "digest" FROM "{self._measurement}" WHERE "digest" = {literal(digest)}' for digest in digests]
        )
        lines = []
        for (digest, text), found in zip(digests.items(), known, strict=True):
            if not found:
                self._last_id = max(now_us, self._last_id + 1)
                fields = {"digest": digest, "row": text, "state": "open"} | _why(texts[text])
                lines.append(f"{self._measurement} {_fields(fields)},at={now_us}i {self._last_id}")
        await self._client.write(lines)

    async def listed(self, limit: int, after_id: int, state: str) -> list[SetAside]:
        """See `SeriesWriter.rejected`."""
        where = f'time > {after_id}000 AND "state" = {literal(state)}'
        return await self._select(f"{where} LIMIT {limit}") if limit > 0 else []

    async def open_rows(self, ids: Sequence[int]) -> dict[int, Row]:
        """The open rows among `ids`, in that order."""
        found = {}
        for row_id in dict.fromkeys(ids):
            where = f"time >= {row_id}000 AND time <= {row_id}000 AND \"state\" = 'open'"
            for aside in await self._select(where):
                found[aside.id] = Row(*json.loads(aside.row))
        return found

    async def settle(self, ids: Sequence[int], again: Sequence[Rejected]) -> None:
        """Mark `ids` as retried, but those that were rejected again, whose index counts in `ids`."""
        failed = {rejected.index: rejected for rejected in again}
        lines = []
        for index, row_id in enumerate(ids):
            changed = {"state": "retried"} if index not in failed else _why(failed[index])
            lines.append(f"{self._measurement} {_fields(changed)} {row_id}")
        await self._client.write(lines)

    async def _select(self, where: str) -> list[SetAside]:
        columns = '"row", "code", "reason", "at", "state"'
        [found] = await self._client.query([f'SELECT {columns} FROM "{self._measurement}" WHERE {where}'])
        return [SetAside(*values) for series in found for values in series.values]


def encode(row: Row) -> str:
    """A row as JSON; the standard library's carries NaN and half surrogates there and back."""
    columns = (row.device_id, row.field, row.time_us, row.value, row.unit, row.seq)
    return json.dumps(columns, default=repr)


def _why(rejected: Rejected) -> dict[str, str]:
    return {"code": rejected.code, "reason": rejected.reason}


def _fields(texts: dict[str, str]) -> str:
    return ",".join(f"{name}={quoted(text)}" for name, text in texts.items())
