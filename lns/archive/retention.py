"""Drops old days of an archive, whole days only."""

from lns.archive import manifest
from lns.archive.storage import Storage


async def expire(storage: Storage, before_us: int) -> int:
    """Drop the files of days that ended before a time (UTC microseconds); returns how many counted. StoreError.

    The newest file stays however old it is: it says how far the archive has come.
    """
    names = await storage.names(manifest.FOLDER) + await storage.names(manifest.DECODES)
    places = [(name, place) for name in names if (place := manifest.place(name)) is not None]
    newest = max((place.first_seq for _, place in places if place.is_manifest), default=None)
    first_day = manifest.day_of(before_us)
    dropped = 0
    for name, place in places:  # a manifest before its files: a kill leaves none without a file
        if place.day < first_day and place.first_seq != newest:
            await storage.delete(name)
            dropped += place.is_manifest
    return dropped
