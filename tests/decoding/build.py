"""The right half of the server for tests: registry, log, a real worker process, a store, and what decodes again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from decoders.pool import Pool
from lns.config import Measurements as MeasurementsConfig
from lns.decoding.codecs import Codecs
from lns.decoding.consumer import Decoding
from lns.decoding.failures import Failures
from lns.decoding.jobs import Job, Spec
from lns.decoding.parts import Parts
from lns.decoding.replay import Replays
from lns.exchange.loop import run_consumer
from lns.exchange.records import Decoded, Uplink
from lns.exchange.sqlite import SqliteExchange
from lns.live import Live
from lns.registry.device_input import parse_device
from lns.registry.registry import Registry
from lns.series.consumer import SeriesConsumer
from lns.series.sqlite import SqliteSeries
from tests.exchange.build import running, uplink

GOOD = "function decodeUplink(i) { return {data: {sum: i.bytes[0] + i.fPort, text: 'x'}, warnings: ['w']}; }"
BAD = (
    "function decodeUplink(i) {\n  if (i.bytes[0] === 255) throw new Error('no');\n  return {data: {v: i.bytes[0]}};\n}"
)
NO_LINK = MeasurementsConfig(link=False)
T0 = 1_700_000_000_000_000
MINUTE_US = 60_000_000
EVER = (T0 - 86_400_000_000, T0 + 86_400_000_000)


class Scene:
    """What runs, and short ways to use it."""

    def __init__(
        self, parts: Parts, exchange: SqliteExchange, series: SqliteSeries, decoding: Decoding, replays: Replays
    ) -> None:
        self.parts, self.registry, self.exchange, self.series = parts, parts.registry, exchange, series
        self.decoding, self.replays = decoding, replays

    async def put(self, *uplinks: Uplink) -> None:
        await self.exchange.append([("uplink", u) for u in uplinks])

    async def decoded(self, count: int) -> list[Decoded]:
        """The log's first `count` decoded records, when they are there."""
        found = []
        async with asyncio.timeout(20):
            while len(found) < count:
                found = (await self.exchange.read(0, frozenset({"decoded"}), 10_000))[0]
                await asyncio.sleep(0.005)
        return [stored.record for stored in found]

    async def use(self, name: str, source: str) -> int:
        """Add a version to a codec and activate it; returns its number."""
        number = self.registry.codecs.add_version(name, source, "ts013").number
        self.registry.codecs.activate(name, number)
        await self.decoding.reload_codecs()
        return number

    async def replay(self, **spec) -> Job:
        """Run a replay to its end."""
        job = await self.replays.start(Spec(**spec))
        async with asyncio.timeout(30):
            return await self.replays.finished(job.id)

    async def rows(self) -> dict[tuple[int, str, int], object]:
        """(device, field, minute after T0) to value, of everything that is stored."""
        async with asyncio.timeout(20):
            await self.exchange.caught_up()
        found = await self.series.scan(*EVER, 100_000)
        return {(row.device_id, row.field, (row.time_us - T0) // MINUTE_US): row.value for row in found}


@asynccontextmanager
async def scene(
    folder: Path, config: MeasurementsConfig = NO_LINK, rules: dict | None = None, fields: dict | None = None
) -> AsyncIterator[Scene]:
    """Devices 1 and 2 with the codecs `good`, of the template, and `bad`."""
    registry = Registry(folder / "inflight.db")
    fresh = not registry.path.exists()
    registry.open()
    if fresh:
        for name, source in (("good", GOOD), ("bad", BAD)):
            registry.codecs.add(name, source, "ts013")
            registry.codecs.activate(name, 1)
        registry.templates.change("default", {"codec": "good", "rules": rules or {}, "fields": fields or {}})
        for n, more in ((1, {}), (2, {"codec": "bad"})):
            who = {"dev_eui": f"{n:016x}", "activation": "otaa", "app_key": "00" * 16, "join_eui": "00" * 8, **more}
            registry.devices.add(parse_device(who))
    pool, codecs, failures = Pool(), Codecs(registry, config), Failures()
    series = SqliteSeries(folder / "series.db")
    await pool.start()
    await series.open()
    await codecs.load()
    codecs.take(registry.load_network())
    async with running(registry.path) as exchange, asyncio.TaskGroup() as tasks:
        exchange.enlist(failures)
        decoding = Decoding(exchange, pool, codecs, failures, config, Live())
        parts = Parts(registry, exchange, pool, codecs, series)
        replays = Replays(parts, failures)
        await replays.open()
        running_tasks = [
            tasks.create_task(decoding.late.run(), name="late"),
            tasks.create_task(run_consumer(exchange, decoding), name="decoder"),
            tasks.create_task(run_consumer(exchange, SeriesConsumer(series)), name="series"),
            tasks.create_task(replays.run(), name="replays"),
        ]
        try:
            yield Scene(parts, exchange, series, decoding, replays)
        finally:
            for task in running_tasks:
                task.cancel()
    await pool.close()
    await series.close()
    registry.close()


def one(n: int, device_id: int = 1, data: bytes = b"\x05", fport: int = 10) -> Uplink:
    """Uplink `n` of a device, received n minutes after T0."""
    return msgspec.structs.replace(uplink(n, device_id), data=data, fport=fport, received_at_us=T0 + n * MINUTE_US)
