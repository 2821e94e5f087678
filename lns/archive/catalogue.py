"""The manifests of an archive, read once each: a file that counts never changes."""

import asyncio

from lns.archive import manifest
from lns.archive.manifest import Manifest
from lns.archive.storage import Storage

_AT_ONCE = 16


class Catalogue:
    """What files an archive has."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._known: dict[str, Manifest] = {}

    async def read(self) -> list[Manifest]:
        """All files of now, in the order of their first seqs. StoreError."""
        names = await self._names()
        self._known = {name: self._known[name] for name in names if name in self._known}
        missing = [name for name in names if name not in self._known]
        for start in range(0, len(missing), _AT_ONCE):
            found = await asyncio.gather(*(self._one(name) for name in missing[start : start + _AT_ONCE]))
            self._known.update({one[0]: one[1] for one in found if one is not None})
        return sorted(self._known.values(), key=lambda one: (one.first_seq, one.last_seq))

    async def newest(self) -> Manifest | None:
        """The file with the highest first seq; None: there is none yet. StoreError."""
        for name in reversed(await self._names()):
            if (found := await self._one(name)) is not None:
                return found[1]
        return None

    async def _names(self) -> list[str]:
        places = ((manifest.place(name), name) for name in await self._storage.names(manifest.FOLDER))
        return [name for _, name in sorted((at.first_seq, name) for at, name in places if at and at.is_manifest)]

    async def _one(self, name: str) -> tuple[str, Manifest] | None:
        """None: retention has dropped it since it was listed."""
        text = await self._storage.get(name)
        return None if text is None else (name, manifest.decode(name, text))
