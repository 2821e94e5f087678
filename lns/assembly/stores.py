"""The time-series stores that the configuration enables: all of them are written, one of them is read."""

import asyncio
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NoReturn, Protocol, runtime_checkable

from lns.assembly.part import STORE_LINGER_S, Feeds, Runs
from lns.clock import DAY_US
from lns.config import Config, ConfigError
from lns.errors import StoreError
from lns.series.consumer import SeriesConsumer
from lns.series.sqlite import SqliteSeries
from lns.series.store import SeriesStore


class Settings(Protocol):
    """What the sections of all stores have."""

    @property
    def enabled(self) -> bool: ...
    @property
    def retention_days(self) -> float: ...


@runtime_checkable
class Tended(Protocol):
    """A store that has more to do than what it is asked, and drops what is old in whole chunks only."""

    async def tend(self) -> NoReturn:
        """Do that until cancelled."""

    def whole_chunks_us(self, before_us: int) -> int:
        """The end of the newest chunk that holds nothing of `before_us` or later."""


class Stores:
    """`all` by name in the order of preference; `reads` answers charts and the API, None where nothing is kept.

    A server that is away does not keep this one from starting: its consumer lags, and opens the store when it is back.
    """

    def __init__(self, config: Config) -> None:
        self.all: dict[str, SeriesStore] = {}
        self._retention_days: dict[str, float] = {}
        self._open: set[str] = set()
        self._problems: dict[str, str] = {}
        self._opening = {name: asyncio.Lock() for name in engines(config)}
        for name, (settings, make) in engines(config).items():
            if settings.enabled:
                self.all[name] = make()
                self._retention_days[name] = settings.retention_days
        check_reads(config)
        preferred = config.series.reads_from
        self.reads = self.all[preferred] if preferred else next(iter(self.all.values()), None)

    async def open(self, stack: AsyncExitStack) -> None:
        for store in self.all.values():
            stack.push_async_callback(self._close, store)
        if "sqlite" in self.all:
            await self.ensure_open("sqlite")

    async def ensure_open(self, name: str) -> SeriesStore:
        """The store, opened where it was not; StoreError where its server is away."""
        async with self._opening[name]:
            if name not in self._open:
                try:
                    await self.all[name].open()
                except StoreError as error:
                    self._problems[name] = str(error)
                    raise
                self._problems.pop(name, None)
                self._open.add(name)
        return self.all[name]

    def problem(self, name: str) -> str | None:
        """Why the store could not be opened the last time that was tried; None: it is open, or was not tried."""
        return self._problems.get(name)

    def is_open(self, name: str) -> bool:
        """Whether the store's server has been reached since the start."""
        return name in self._open

    def feeds(self) -> Feeds:
        return [(_Opening(store, self), STORE_LINGER_S) for store in self.all.values()]

    def runs(self) -> Runs:
        return [(f"store {name}", store.tend()) for name, store in self.all.items() if isinstance(store, Tended)]

    async def upkeep(self, now_us: int) -> None:
        """What is past its retention goes; a store that cannot be reached costs the others nothing."""
        problems = []
        for name in sorted(self._open):
            if days := self._retention_days[name]:
                try:
                    await _expire(self.all[name], now_us - int(days * DAY_US))
                except StoreError as error:
                    problems.append(str(error))
        if problems:
            raise StoreError("; ".join(problems))

    async def _close(self, store: SeriesStore) -> None:
        if store.name in self._open:
            await store.close()


class _Opening(SeriesConsumer):
    """Opens its store before it asks for the position; the loop tries again as long as that fails."""

    def __init__(self, store: SeriesStore, stores: Stores) -> None:
        super().__init__(store)
        self._stores = stores

    async def position(self) -> int:
        store = await self._stores.ensure_open(self._store.name)
        return await store.cursor()


def check_reads(config: Config) -> None:
    """ConfigError where the store that charts read is not enabled."""
    name, enabled = config.series.reads_from, [name for name, (one, _) in engines(config).items() if one.enabled]
    if name and name not in enabled:
        known = ", ".join(enabled) or "none"
        raise ConfigError(f"series.reads_from is {name!r}, which is not enabled; enabled: {known}")


async def _expire(store: SeriesStore, before_us: int) -> None:
    await store.expire(store.whole_chunks_us(before_us) if isinstance(store, Tended) else before_us)


def engines(config: Config) -> dict[str, tuple[Settings, Callable[[], SeriesStore]]]:
    """All there are, by name; what makes one raises ConfigError or StoreError where its settings can never work."""
    return {
        "sqlite": (config.series, lambda: SqliteSeries(Path(config.data_dir) / "series.db")),
        "postgres": (config.postgres, lambda: _postgres(config)),
        "influxdb": (config.influxdb, lambda: _influx(config)),
        "mongodb": (config.mongodb, lambda: _mongo(config)),
    }


def _postgres(config: Config) -> SeriesStore:
    from lns.series.postgres.store import PostgresSeries  # an extra: loaded only where it is used

    return PostgresSeries(config.postgres)


def _influx(config: Config) -> SeriesStore:
    from lns.series.influx.store import InfluxSeries

    return InfluxSeries(config.influxdb, os.environ)


def _mongo(config: Config) -> SeriesStore:
    from lns.series.mongo.store import MongoSeries

    return MongoSeries(config.mongodb)
