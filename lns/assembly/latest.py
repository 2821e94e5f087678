"""Latest values and healths as the server runs them: which store keeps them, and who tells of gateways and silence."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack

import msgspec

from lns.assembly.part import STORE_LINGER_S, Feeds, Runs
from lns.assembly.stores import Stores
from lns.config import Config, ConfigError
from lns.config import Latest as LatestSettings
from lns.errors import StoreError
from lns.exchange.records import Event, Stored
from lns.exchange.sqlite import SqliteExchange
from lns.gateways.link import State
from lns.gateways.links import Links
from lns.latest.consumer import LatestConsumer, Origin, Who
from lns.latest.memory import MemoryLatest
from lns.latest.store import LatestStore, Subject
from lns.network.devices import Devices
from lns.series.store import SeriesStore

_logger = logging.getLogger(__name__)

TICK_S = 1.0
GATEWAYS_S = 10.0
CAUGHT_UP_RECORDS = 5000
"""Behind the log by more than this, everybody would look silent."""
_FILL_RECORDS = 1000  # read at once to fill a store again


class Surroundings(msgspec.Struct, frozen=True):
    """What latest values are told by, and tell."""

    exchange: SqliteExchange
    stores: Stores
    devices: Devices
    links: Links
    tell: Callable[[Event], None]


class LatestValues:
    """`store` answers for values, `consumer` for healths, both without any series store."""

    def __init__(self, config: Config, around: Surroundings) -> None:
        self._around = around
        self.store = latest_store(config.latest)
        origin = Origin(
            self._series, lambda: list(around.devices.by_id), lambda: around.exchange.head_seq, self._decoded
        )
        self.consumer = LatestConsumer(self.store, origin, self._who, around.tell, lambda: time.time_ns() // 1000)
        self._gateways_at_us: dict[str, int] = {}
        self._perhaps_gone: set[int] = set()
        around.devices.on_forgotten.append(self._perhaps_gone.add)

    async def open(self, stack: AsyncExitStack) -> None:
        stack.push_async_callback(self.store.close)

    def feeds(self) -> Feeds:
        return [(self.consumer, STORE_LINGER_S)]

    def runs(self) -> Runs:
        return [("latest values", self._tend())]

    async def upkeep(self, now_us: int) -> None:
        pass

    async def forget_gateway(self, eui: str) -> None:
        """A gateway was deleted."""
        self._gateways_at_us.pop(eui, None)
        await self.consumer.forget(Subject("gateway", eui))

    async def _tend(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(TICK_S)
            ticks += 1
            if not self.consumer.ready:
                continue
            try:
                await self._forget_devices()
                if ticks % int(GATEWAYS_S / TICK_S) == 0:
                    await self._hear_gateways()
                await self._expire(time.time_ns() // 1000)
            except StoreError as error:
                _logger.debug("latest values wait: %s", error)  # the consumer has said it already, and is retried

    async def _hear_gateways(self) -> None:
        seen = list(self._new_sightings())
        if seen:
            await self.consumer.gateways_seen(seen)
            self._gateways_at_us.update(seen)

    def _new_sightings(self) -> Iterable[tuple[str, int]]:
        for link in self._around.links.all():
            at_us = link.last_seen_at_us
            if link.state is State.ACCEPTED and at_us and at_us > self._gateways_at_us.get(link.eui, 0):
                yield link.eui, at_us

    async def _expire(self, now_us: int) -> None:
        deadline_us = self.consumer.deadline()
        behind = self._around.exchange.lag(self.consumer.name) > CAUGHT_UP_RECORDS
        if not behind and (deadline_us is None or deadline_us <= now_us):
            await self.consumer.expire(now_us)

    async def _forget_devices(self) -> None:
        """Those that were only loaded anew are there again."""
        while self._perhaps_gone:
            device_id = self._perhaps_gone.pop()
            if device_id not in self._around.devices.by_id:
                await self.consumer.forget(Subject("device", str(device_id)))

    async def _series(self) -> SeriesStore | None:
        stores = self._around.stores
        return None if stores.reads is None else await stores.ensure_open(stores.reads.name)

    async def _decoded(self, after_seq: int) -> tuple[list[Stored], int]:
        return await self._around.exchange.read(after_seq, frozenset({"decoded"}), _FILL_RECORDS)

    def _who(self, device_id: int) -> Who | None:
        device = self._around.devices.by_id.get(device_id)
        return None if device is None else Who(device.application_id, device.dev_eui)


def latest_store(settings: LatestSettings) -> LatestStore:
    """Where they are kept, not connected yet. ConfigError."""
    if not settings.redis_url:
        return MemoryLatest()
    from lns.latest.redis import RedisLatest  # an extra: loaded only where it is used

    password = None
    if settings.password_env:
        password = os.environ.get(settings.password_env)
        if not password:
            name = settings.password_env
            raise ConfigError(f"latest.password_env names the environment variable {name}, which is not set")
    return RedisLatest(settings.redis_url, settings.prefix, password)
