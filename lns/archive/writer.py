"""Writes uplinks into an archive: the files, then their manifest, which makes them count.

A writer that was killed begins after the last file that counts. What it had written of the next one is replaced,
because a file is named by its first seq.
"""

import asyncio
from collections.abc import Sequence

import msgspec

from lns import metrics
from lns.archive import files, manifest
from lns.archive.catalogue import Catalogue
from lns.archive.manifest import Manifest, Numbered
from lns.archive.reader import ArchivedUplinks
from lns.archive.storage import Storage
from lns.decoding.sources import Versions
from lns.exchange.records import Stored, Uplink

_NO_VERSIONS: Versions = {}


class Writer:
    """The one writer of an archive. `log` is the id of the log that uplinks come from."""

    def __init__(self, storage: Storage, log: str = "") -> None:
        self._storage, self._log = storage, log

    async def position(self) -> int:
        """Seq of the last uplink that is in a file; 0: there is none. StoreError: also where it is of another log.

        The storage is tried first: without uplinks it would be an hour until one finds out that it cannot be written.
        """
        await self._storage.probe()
        newest = await Catalogue(self._storage).newest()
        if newest is None:
            return 0
        manifest.check_log(newest, self._log)
        return newest.last_seq

    async def has(self, stored: Stored) -> bool:
        """Whether this uplink is archived under its seq; True also before the archive begins. StoreError."""
        archived = ArchivedUplinks(self._storage, self._log)
        found, _ = await archived.read(stored.seq - 1, stored.seq, 1)
        if found:
            return found[0].record == stored.record
        return stored.seq <= (await archived.span(None, None)).first

    async def write(self, batch: Sequence[Stored], after_seq: int, versions: Versions = _NO_VERSIONS) -> list[Manifest]:
        """Write uplinks in the order of their seqs, a file for each day; `after_seq`: where the archive ended.

        `versions` may be of these uplinks and of earlier ones. StoreError: some of the files may be there; writing the
        same batch again completes it.
        """
        numbered = [(stored.seq, stored.record) for stored in batch if isinstance(stored.record, Uplink)]
        parts = manifest.split(numbered)
        written = []
        for part in parts:
            data, described = await asyncio.to_thread(self._file, part, after_seq)
            if versions and part is parts[-1]:
                known = await asyncio.to_thread(files.encode_decodes, versions)
                decodes = manifest.describe_decodes(described.name, sorted(versions), known)
                described = msgspec.structs.replace(described, decodes=decodes)
                await self._storage.put(decodes.name, known)
            await self._storage.put(described.name, data)
            await self._storage.put(manifest.manifest_name(described.name), manifest.encode(described))
            metrics.archive_uplinks.inc(n=described.count)
            metrics.archive_bytes.inc(n=described.bytes)
            written.append(described)
            after_seq = described.last_seq
        return written

    def _file(self, part: Sequence[Numbered], after_seq: int) -> tuple[bytes, Manifest]:
        data = files.encode(part)
        return data, manifest.describe(part, data, after_seq, self._log)
