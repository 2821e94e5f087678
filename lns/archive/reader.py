"""Uplinks of an archive as a source of replays, and the log with an archive behind it."""

import asyncio
import logging
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

from lns.archive.catalogue import Catalogue
from lns.archive.files import UplinkFile, decode_decodes
from lns.archive.manifest import Decodes as DecodesFile
from lns.archive.manifest import Manifest, check_log
from lns.archive.storage import Storage
from lns.decoding.sources import AHEAD, Decodes, LoggedUplinks, Span, Versions
from lns.exchange.records import Stored

_logger = logging.getLogger(__name__)

_KEPT = 8  # files of decodes in memory: those of neighbours, and of replays that go over the same time


class ArchivedUplinks:
    """All uplinks of an archive, each once, where files overlap too. A position is a seq of the log with id `log`."""

    def __init__(self, storage: Storage, log: str = "", catalogue: Catalogue | None = None) -> None:
        self._storage, self._log = storage, log
        self._catalogue = catalogue or Catalogue(storage)
        self._files: list[Manifest] | None = None
        self._reach: list[int] = []
        self._open: tuple[str, UplinkFile] | None = None
        self._decodes: dict[str, Versions] = {}

    async def span(self, since_us: int | None, until_us: int | None) -> Span:
        """Where uplinks of a time lie. StoreError."""
        found = await self._read_catalogue()
        end = self._reach[-1] if found else 0
        if since_us is not None:
            found = [one for one in found if one.max_at_us >= since_us]
        first = found[0].first_seq - 1 if found else end
        if until_us is not None:
            found = [one for one in found if one.min_at_us < until_us]
        return Span(first, max((one.last_seq for one in found), default=first))

    async def end(self) -> int:
        """The last seq of the archive; 0: it is empty. StoreError."""
        return self._reach[-1] if await self._read_catalogue() else 0

    async def read(self, after: int, last: int, limit: int) -> tuple[list[Stored], int]:
        """StoreError: a file cannot be read, or is damaged."""
        files = await self._known()
        at = bisect_right(self._reach, after)
        if at == len(files) and after < last:  # it may have grown since
            files = await self._read_catalogue()
            at = bisect_right(self._reach, after)
        if after >= last or at == len(files) or files[at].first_seq > last:
            return [], last
        described = files[at]
        opened = await self._file(described)
        if opened is None:
            return [], min(described.last_seq, last)
        upto = min(described.last_seq, last)
        found = [stored for stored in await asyncio.to_thread(opened.after, after, limit) if stored.seq <= upto]
        return found, found[-1].seq if len(found) == limit else upto

    async def versions(self, after: int, upto: int) -> Versions:
        """By which codec versions uplinks after a seq, up to and with another, were decoded last. StoreError."""
        described = (one.decodes for one in await self._known())
        meant = [one for one in described if one is not None and one.last_seq > after and one.first_seq <= upto]
        found: Versions = {}
        for one in meant:  # what a later file says holds
            found.update((seq, version) for seq, version in (await self._told(one)).items() if after < seq <= upto)
        return found

    async def _known(self) -> list[Manifest]:
        return await self._read_catalogue() if self._files is None else self._files

    async def _read_catalogue(self) -> list[Manifest]:
        found = await self._catalogue.read()
        for one in found:
            check_log(one, self._log)
        self._files = found
        self._reach = list(accumulate((one.last_seq for one in found), max))
        return found

    async def _file(self, described: Manifest) -> UplinkFile | None:
        """The file in work is kept: pages are smaller than files."""
        if self._open is None or self._open[0] != described.name:
            data = await self._storage.get(described.name)
            if data is None:
                _logger.warning("the archive's file %s has gone; its uplinks are passed over", described.name)
                return None
            self._open = (described.name, await asyncio.to_thread(UplinkFile, described.name, data))
        return self._open[1]

    async def _told(self, described: DecodesFile) -> Versions:
        if described.name not in self._decodes:
            data = await self._storage.get(described.name)  # None: retention has dropped it
            told = {} if data is None else await asyncio.to_thread(decode_decodes, described.name, data)
            while len(self._decodes) >= _KEPT:
                del self._decodes[next(iter(self._decodes))]
            self._decodes[described.name] = told
        return self._decodes[described.name]


class WholeHistory:
    """The log, and from the archive what the log does not hold any more.

    `fresh` gives the codec versions that no file of the archive tells of yet.
    """

    def __init__(self, archived: ArchivedUplinks, logged: LoggedUplinks, fresh: Callable[[], Versions] = dict) -> None:
        self._archived, self._logged, self._fresh = archived, logged, fresh

    async def span(self, since_us: int | None, until_us: int | None) -> Span:
        """Where uplinks of a time lie. StoreError: the archive is needed and cannot be read."""
        new = await self._logged.span(since_us, until_us)
        if new.first + 1 >= await self._logged.oldest():
            return new
        old = await self._archived.span(since_us, until_us)
        first = min(old.first, new.last) if old.first < await self._archived.end() else new.first
        # a file that is of a later time ends the search: the log is of a later time still
        return Span(first, old.last if old.last < await self._archived.end() else new.last)

    async def read(self, after: int, last: int, limit: int) -> tuple[list[Stored], int]:
        """StoreError."""
        while (oldest := await self._logged.oldest()) <= after + 1:
            page = await self._logged.read(after, last, limit)
            if await self._logged.oldest() <= after + 1:
                return page  # retention was not quicker than this
        return await self._archived.read(after, min(last, oldest - 1), limit)

    async def decodes(self, after: int, upto: int) -> Decodes:
        """What live decoding made of uplinks, as far as the log tells: the archive holds uplinks only."""
        return await self._logged.decodes(after, upto) if await self._logged.oldest() <= upto + AHEAD else {}

    async def versions(self, after: int, upto: int) -> Versions:
        """By which codec versions uplinks of a span were decoded last. StoreError."""
        logged = await self._logged.versions(after, upto) if await self._logged.oldest() <= upto + AHEAD else {}
        archived = await self._archived.versions(after, upto)
        return {**logged, **archived, **{seq: v for seq, v in self._fresh().items() if after < seq <= upto}}
