"""Rows that were set aside, kept in the store itself: one point each, whose time is its id.

So an id grows, is found without a search, and goes with the points of its time.
"""

from collections.abc import Sequence

from lns.series.aside import decode, digest, encode, why
from lns.series.influx.client import Client, literal
from lns.series.influx.lines import quoted
from lns.series.store import Rejected, Row, Rows, SetAside

_AT_ONCE = 200  # digests that one statement asks for


class Aside:
    """The points called `measurement`. One writer at a time."""

    def __init__(self, client: Client, measurement: str) -> None:
        self._client = client
        self._measurement = measurement
        self._last_id = 0
        self._settled_id = 0

    async def open(self) -> None:
        """Find the newest id."""
        query = f'SELECT "at" FROM "{self._measurement}" ORDER BY time DESC LIMIT 1'
        [found] = await self._client.query([query])
        if found:
            self._last_id = found[0].values[0][0]

    def settled(self) -> None:
        """The position was written: of what is above it, nothing has been set aside by now."""
        self._settled_id = self._last_id

    async def add(self, rows: Rows, rejected: Sequence[Rejected], now_us: int, above: bool) -> None:
        """Keep the rejected ones of `rows`; one that is kept already stays as it is.

        `above`: all of them are above the position, so that only what was set aside since then is looked through.
        """
        bad = rows.take([r.index for r in rejected])
        reasons = {encode(row): reason for row, reason in zip(bad, rejected, strict=True)}
        texts = {digest(text).hex(): text for text in reasons}
        known = await self._known(list(texts), self._settled_id if above else 0)
        lines = []
        for known_by, text in texts.items():
            if known_by not in known:
                self._last_id = max(now_us, self._last_id + 1)
                fields = {"digest": known_by, "row": text, "state": "open"} | why(reasons[text])
                lines.append(f"{self._measurement} {_fields(fields)},at={now_us}i {self._last_id}")
        await self._client.write(lines)

    async def _known(self, digests: Sequence[str], after_id: int) -> set[str]:
        """Those that are kept, asked for in one request where the server takes more than one statement in it."""
        if self._last_id <= after_id:
            return set()
        pieces = [digests[start : start + _AT_ONCE] for start in range(0, len(digests), _AT_ONCE)]
        wanted = [" OR ".join(f'"digest" = {literal(one)}' for one in piece) for piece in pieces]
        found = await self._client.query(
            [f'SELECT "digest" FROM "{self._measurement}" WHERE time > {after_id}000 AND ({one})' for one in wanted]
        )
        return {known_by for answer in found for series in answer for _, known_by in series.values}

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
                found[aside.id] = decode(aside.row)
        return found

    async def settle(self, ids: Sequence[int], again: Sequence[Rejected]) -> None:
        """Mark `ids` as retried, but those that were rejected again, whose index counts in `ids`."""
        failed = {rejected.index: rejected for rejected in again}
        lines = []
        for index, row_id in enumerate(ids):
            changed = {"state": "retried"} if index not in failed else why(failed[index])
            lines.append(f"{self._measurement} {_fields(changed)} {row_id}")
        await self._client.write(lines)

    async def _select(self, where: str) -> list[SetAside]:
        columns = '"row", "code", "reason", "at", "state"'
        [found] = await self._client.query([f'SELECT {columns} FROM "{self._measurement}" WHERE {where}'])
        return [SetAside(*values) for series in found for values in series.values]


def _fields(texts: dict[str, str]) -> str:
    return ",".join(f"{name}={quoted(text)}" for name, text in texts.items())
