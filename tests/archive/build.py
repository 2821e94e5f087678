"""Uplinks of several days, and archives of them."""

from pathlib import Path

import msgspec

from lns.archive.storage import Folder
from lns.archive.writer import Writer
from lns.exchange.records import Stored, Uplink
from tests.exchange.build import uplink

DAY_US = 86_400_000_000
D0 = 1_700_006_400_000_000 // DAY_US * DAY_US
"""Midnight of 2023-11-15."""


def at(n: int, at_us: int, device_id: int = 1) -> Uplink:
    """Uplink `n`, received at a time."""
    return msgspec.structs.replace(uplink(n, device_id), received_at_us=at_us)


def stored(*pairs: tuple[int, int]) -> list[Stored]:
    """Uplinks from (seq, time)."""
    return [Stored(seq, "uplink", at(seq, at_us)) for seq, at_us in pairs]


async def archive(folder: Path, *batches: list[Stored]) -> Folder:
    """An archive to which these batches were written."""
    storage = Folder(folder)
    writer = Writer(storage)
    for batch in batches:
        await writer.write(batch, await writer.position())
    return storage
