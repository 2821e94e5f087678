"""What backfills work with: the parts of the server that they read, fill and make way for."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from lns.archive.resend import Outlet, no_outlet
from lns.decoding.parts import Parts
from lns.decoding.sources import VersionedSource
from lns.series.store import SeriesStore

ARCHIVE = "archive"
"""The consumer that has to have read the log before it is known what decoded its uplinks."""


class Around(msgspec.Struct, frozen=True):
    """What backfills work with.

    `stores` by name, which `opened` makes ready (StoreError: its server is away); `live` names consumers that go first;
    `flush` makes the archive write what it has; `outlet` finds one by its name. `link`: link measurements are recorded
    here, and come back too.
    """

    parts: Parts
    stores: Mapping[str, SeriesStore]
    opened: Callable[[str], Awaitable[SeriesStore]]
    source: Callable[[], VersionedSource]
    live: Callable[[], Sequence[str]]
    flush: Callable[[], None] = lambda: None
    link: bool = True
    outlet: Outlet = no_outlet
