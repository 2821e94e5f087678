"""Which codec version decodes an uplink of long ago: the one that did then."""

import asyncio
from collections.abc import Sequence

from lns.decoding.codecs import Codec, codec_of
from lns.decoding.parts import Parts
from lns.decoding.sources import Versions
from lns.exchange.records import Stored, Uplink


class Chosen:
    """Chooses for a page at a time, in which each device has one version."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._known: dict[int, Codec | None] = {}
        self._page: dict[int, Codec | None] = {}

    def of(self, device_id: int) -> Codec | None:
        """The version for a device's uplinks of the page."""
        return self._page.get(device_id)

    async def take(self, stored: Sequence[Stored], versions: Versions) -> tuple[int, list[int]]:
        """How many of these uplinks, from the first on, are a page; the seqs of those of which it is not known then.

        What is not known, because nothing tells of it any more or its codec was deleted, is decoded with the version
        that its device uses now.
        """
        self._page = {}
        unknown: list[int] = []
        for index, one in enumerate(stored):
            if not isinstance(one.record, Uplink):
                continue
            device_id = one.record.device_id
            codec, known = await self._then(one, versions)
            if not known:
                codec = self._parts.codecs.of(device_id)
            if self._page.setdefault(device_id, codec) != codec:
                return index, unknown
            if not known and codec is not None:
                unknown.append(one.seq)
        return len(stored), unknown

    async def _then(self, one: Stored, versions: Versions) -> tuple[Codec | None, bool]:
        if one.seq not in versions:
            return None, False
        version_id = versions[one.seq]
        if version_id is None:
            return None, True
        if version_id not in self._known:
            version = await asyncio.to_thread(self._parts.registry.codecs.with_id, version_id)
            self._known[version_id] = None if version is None else await asyncio.to_thread(codec_of, version)
        codec = self._known[version_id]
        return codec, codec is not None


async def together(
    chosen: Chosen, stored: list[Stored], upto: int, versions: Versions
) -> tuple[list[Stored], int, list[int]]:
    """Of uplinks up to a seq those that are decoded together, up to where that is, and which are not known then."""
    count, unknown = await chosen.take(stored, versions)
    if count == len(stored):
        return stored, upto, unknown
    return stored[:count], stored[count - 1].seq, unknown  # a device has changed its version: the next page begins
