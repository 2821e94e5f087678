"""The archive of a server, and what reads it: backfills, replays, verification."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lns.archive.around import Around
from lns.archive.backfill import Backfills
from lns.archive.settings import storage as storage_of
from lns.archive.storage import Storage
from lns.assembly.outlets import Outlets
from lns.assembly.part import Feeds, Runs
from lns.assembly.stores import Stores
from lns.clock import DAY_US
from lns.config import Config, ConfigError
from lns.decoding.parts import Parts, Refused
from lns.decoding.sources import LoggedUplinks, VersionedSource
from lns.delivery.history import LoggedRecords
from lns.delivery.replays import Running
from lns.errors import StoreError
from lns.outlets.selection import TOPICS
from lns.registry.errors import RegistryError

if TYPE_CHECKING:  # an extra: loaded only where it is used
    from lns.archive.catalogue import Catalogue
    from lns.archive.consumer import Archiver
    from lns.archive.history import WholeRecords
    from lns.archive.verifying import Verifier

_EXPIRE_EVERY_US = 3_600_000_000


class Archive(msgspec.Struct, frozen=True):
    """What there is where the archive is enabled."""

    storage: Storage
    catalogue: "Catalogue"
    archiver: "Archiver"
    verifier: "Verifier"


class Archiving:
    """`archive` is None where it is not enabled; backfills and replays then reach as far back as the log.

    A storage that is away does not keep the server from starting: the archive lags, and the log keeps what it lacks.
    """

    def __init__(self, config: Config, parts: Parts, stores: Stores, outlets: Outlets, decoder: str) -> None:
        self._config, self._parts, self._decoder = config, parts, decoder
        self._stores, self._outlets = stores, outlets
        self._expired_at_us = 0
        self.archive: Archive | None = None
        self._around = Around(
            parts=parts,
            stores=stores.all,
            opened=stores.ensure_open,
            source=lambda: self.history(LoggedUplinks(parts.exchange, decoder)),
            live=self._live,
            flush=self._flush,
            outlet=self._outlet,
            link=config.measurements.link,
        )
        self.backfills = Backfills(self._around)

    async def open(self, stack: AsyncExitStack) -> None:
        if self._config.archive.enabled:
            self.archive = _archive(self._config, self._parts)
            self._outlets.replays.history = self._records(self.archive)
        await self.backfills.open()

    def history(self, logged: LoggedUplinks) -> VersionedSource:
        """The log, and what it does not hold any more from the archive."""
        if self.archive is None:
            return logged
        from lns.archive.reader import ArchivedUplinks, WholeHistory

        archive, log_id = self.archive, self._parts.exchange.log_id
        archived = ArchivedUplinks(archive.storage, log_id, archive.catalogue)
        return WholeHistory(archived, logged, lambda: archive.archiver.fresh)

    def _records(self, archive: Archive) -> "WholeRecords":
        """What replays to outlets read."""
        from lns.archive.history import WholeRecords

        logged = LoggedRecords(self._parts.exchange, TOPICS)
        return WholeRecords(self._around, logged, archive.catalogue, self._decoder)

    def hurry(self) -> None:
        """The server stops: uplinks do not wait for a file of theirs to fill."""
        if self.archive is not None:
            self.archive.archiver.hurry()

    def feeds(self) -> Feeds:
        return ()

    def runs(self) -> Runs:
        own = () if self.archive is None else (self.archive.archiver, self.archive.verifier)
        return [*((type(one).__name__.lower(), one.run()) for one in own), ("backfills", self.backfills.run())]

    async def upkeep(self, now_us: int) -> None:
        """Days that are past their retention go, looked for once an hour."""
        days = self._config.archive.retention_days
        if self.archive is None or not days or now_us - self._expired_at_us < _EXPIRE_EVERY_US:
            return
        from lns.archive.retention import expire

        await expire(self.archive.storage, now_us - int(days * DAY_US))
        self._expired_at_us = now_us

    def _flush(self) -> None:
        if self.archive is not None:
            self.archive.archiver.flush()

    async def _outlet(self, name: str) -> Running:
        """What sends again to the outlet called APPLICATION/NAME. Refused, StoreError."""
        application, _, own = name.partition("/")
        try:
            known = await asyncio.to_thread(self._parts.registry.outlets.get, application, own)
        except RegistryError as error:
            raise Refused(str(error)) from error
        running = self._outlets.again(known)
        if running is None:
            raise StoreError(f"outlet {name} is being changed")
        return running

    def _live(self) -> Sequence[str]:
        return [self._decoder, *(f"series.{name}" for name in self._stores.all)]


def archive_storage(config: Config) -> Storage:
    """Where files go, not tried yet. ConfigError and StoreError say why there cannot be an archive."""
    try:
        import_module("lns.archive.writer")  # which needs the extra for a folder too
        return storage_of(config.archive, Path(config.data_dir), os.environ)
    except ImportError as error:
        raise ConfigError(f"archive.enabled needs {error.name}: pip install 'inflight-lns[archive]'") from error


def _archive(config: Config, parts: Parts) -> Archive:
    """ConfigError and StoreError say why there cannot be one."""
    storage, settings, exchange = archive_storage(config), config.archive, parts.exchange
    from lns.archive.catalogue import Catalogue
    from lns.archive.consumer import Archiver
    from lns.archive.verifying import Verifier
    from lns.archive.writer import Writer

    writer = Writer(storage, exchange.log_id)
    archiver = Archiver(exchange, writer, settings.file_uplinks, settings.file_age_s)
    return Archive(storage, Catalogue(storage), archiver, Verifier(storage, exchange.log_id))
