"""The consumer that archives `uplink` records: it lets uplinks gather in the log and then writes a file of them.

What is not in a file yet counts as lag, and the log keeps it: the position is the last uplink that is in a file.
Unlike other consumers it waits for its batch to fill, so it has a loop of its own. Of `decoded` records it keeps which
codec version has decoded an uplink, also where that was a replay much later.
"""

import asyncio

from lns.archive.around import ARCHIVE
from lns.archive.writer import Writer
from lns.errors import StoreError
from lns.exchange.cursor import Cursor
from lns.exchange.loop import until_done
from lns.exchange.records import Decoded, Stored, Uplink
from lns.exchange.sqlite import SqliteExchange

TICK_S = 0.5
_TOPICS = frozenset({"uplink", "decoded"})
_PAGE = 5000  # records read at once: others wait for the log's reader meanwhile


class Archiver:
    """Writes files of at most `file_uplinks` uplinks, smaller ones when the oldest has waited `file_age_s`.

    `fresh`: by which codec versions uplinks were decoded, as far as no file says so yet.
    """

    def __init__(self, exchange: SqliteExchange, writer: Writer, file_uplinks: int, file_age_s: float) -> None:
        self._exchange, self._writer = exchange, writer
        self._file_uplinks, self._file_age_s = file_uplinks, file_age_s
        self._now, self._hurries = asyncio.Event(), False
        self._after = self._upto = 0
        self._batch: list[Stored] = []
        self.fresh: dict[int, int | None] = {}

    def flush(self) -> None:
        """Write what is there without waiting for more, once."""
        self._now.set()

    def hurry(self) -> None:
        """From now on write without waiting for more: the server stops."""
        self._hurries = True
        self._now.set()

    async def run(self) -> None:
        """Archive for ever; a storage that is away only makes it lag."""
        # attached before anything is awaited: from here on the log keeps what is not archived
        cursor = self._exchange.cursor(ARCHIVE, _TOPICS, 0)
        try:
            await until_done(cursor, lambda: self._begin(cursor))
            while True:
                await until_done(cursor, lambda: cursor.next(1))
                await self._gather(cursor)
                await until_done(cursor, lambda: self._read(cursor))
                await until_done(cursor, self._write)
                cursor.advance(self._upto, len(self._batch))
        finally:
            self._exchange.detach(cursor)

    async def _begin(self, cursor: Cursor) -> None:
        """Go on where the archive ends. What the log does not have any more becomes a gap that `verify` shows."""
        position = await self._writer.position()
        if position > self._exchange.known_position(ARCHIVE):
            await self._check_same(position)
        self._exchange.raise_head(position, "the archive")
        head = self._exchange.head_seq
        oldest = (await self._exchange.status())["first_seq"]
        self._after = max(position, (head + 1 if oldest is None else oldest) - 1)
        cursor.begin(self._after)
        self._exchange.note_position(ARCHIVE, self._after)

    async def _check_same(self, position: int) -> None:
        """Whether what the archive ends with is of this life of the log; StoreError: other uplinks have its numbers.

        A seq is given in order, so histories that are the same at the newest common uplink are so before it.
        """
        for mine in await self._exchange.read_back(position + 1, "uplink", 1):
            if not await self._writer.has(mine):
                raise StoreError(
                    f"the archive goes to seq {position} without the log's uplink {mine.seq}: it is of another log, or "
                    "was away when the log was restored; name another folder, bucket or prefix"
                )

    async def _gather(self, cursor: Cursor) -> None:
        """Wait until there is enough for a file, or it is time for one."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._file_age_s
        while not self._now.is_set() and cursor.lag < self._file_uplinks and (left_s := due - loop.time()) > 0:
            try:
                async with asyncio.timeout(min(TICK_S, left_s)):
                    await self._now.wait()
            except TimeoutError:
                continue
        if not self._hurries:
            self._now.clear()

    async def _read(self, cursor: Cursor) -> None:
        """Read the uplinks of a file, and what has decoded them and others."""
        batch: list[Stored] = []
        after, head = cursor.position, self._exchange.head_seq
        while after < head and (room := self._file_uplinks - len(batch)) > 0:
            found, upto = await self._exchange.read(after, _TOPICS, min(room, _PAGE))
            for stored in found:
                if isinstance(stored.record, Uplink):
                    batch.append(stored)
                elif isinstance(stored.record, Decoded):
                    self.fresh[stored.record.uplink_seq] = stored.record.codec_version_id
            after = max(upto, after + 1)
        self._batch, self._upto = batch, after

    async def _write(self) -> None:
        """The batch stays the same when it is tried again: a file of which the answer was lost may be there already."""
        for written in await self._writer.write(self._batch, self._after, self.fresh):
            self._after = written.last_seq
        if self._batch:  # decodes that come alone wait in memory for the next uplink; after a kill they are read again
            self.fresh = {}
