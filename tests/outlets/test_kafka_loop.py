"""The outlet behind the real exchange and the real consumer loop."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from lns.config import Kafka
from lns.exchange.consumer import Consumer
from lns.exchange.loop import run_consumer
from lns.exchange.records import Stored
from lns.exchange.sqlite import SqliteExchange
from lns.outlets.kafka import KafkaOutlet
from tests.brokers import Broker, Reader
from tests.exchange.build import running
from tests.outlets.samples import DEVICES, dev_eui, uplink


class Collector:
    """Another consumer, which must not notice what Kafka does."""

    name = "collector"
    topics = frozenset({"uplink"})
    max_batch = 1000

    def __init__(self) -> None:
        self.seqs: list[int] = []

    async def position(self) -> int | None:
        return None

    async def handle(self, batch: Sequence[Stored]) -> None:
        self.seqs += [stored.seq for stored in batch]


@asynccontextmanager
async def consumed(path: Path, *consumers: Consumer) -> AsyncIterator[SqliteExchange]:
    """A running exchange with its consumers."""
    async with running(path) as exchange, asyncio.TaskGroup() as group:
        loops = [group.create_task(run_consumer(exchange, consumer)) for consumer in consumers]
        yield exchange
        for loop in loops:
            loop.cancel()


async def caught_up(exchange: SqliteExchange, name: str) -> None:
    async with asyncio.timeout(30):
        while await lag(exchange, name):
            await asyncio.sleep(0.01)


async def lag(exchange: SqliteExchange, name: str) -> int:
    (status,) = [s for s in (await exchange.status())["consumers"] if s["name"] == name]
    return int(status["lag"])


async def set_aside(_: object) -> None:
    raise AssertionError("nothing is refused here")


def outlet(broker: Broker) -> KafkaOutlet:
    return KafkaOutlet(Kafka(bootstrap_servers=broker.address, delivery_timeout_s=0.5), lambda _: None, set_aside)


async def test_kafka_catches_up_after_an_outage_while_another_consumer_goes_on(noida: Broker, tmp_path: Path) -> None:
    kafka, collector = outlet(noida), Collector()
    await kafka.open()
    async with consumed(tmp_path / "log.db", kafka, collector) as exchange:
        await exchange.append([("uplink", uplink(n)) for n in range(1000)])
        await caught_up(exchange, "kafka")
        await asyncio.to_thread(noida.wait_until_saved)
        noida.kill()
        await exchange.append([("uplink", uplink(n)) for n in range(1000, 5000)])
        await caught_up(exchange, "collector")
        assert collector.seqs == list(range(1, 5001))
        assert await lag(exchange, "kafka") == 4000
        await asyncio.to_thread(noida.start)
        await caught_up(exchange, "kafka")
    await kafka.close()
    reader = Reader(noida.address, ["inflight.uplinks"])
    seen = await asyncio.to_thread(reader.read, lambda seen: len({s.seq for s in seen}) == 5000)
    for device in range(DEVICES):
        seqs = list(dict.fromkeys(message.seq for message in seen if message.key == dev_eui(device)))
        assert seqs == [n for n in range(1, 5001) if (n - 1) % DEVICES == device]


async def test_a_restarted_outlet_goes_on_where_it_was(noida: Broker, tmp_path: Path) -> None:
    for first in (0, 100):
        kafka = outlet(noida)
        await kafka.open()
        async with consumed(tmp_path / "log.db", kafka) as exchange:
            await exchange.append([("uplink", uplink(n)) for n in range(first, first + 100)])
            await caught_up(exchange, "kafka")
        await kafka.close()
    seen = await asyncio.to_thread(Reader(noida.address, ["inflight.uplinks"]).read, lambda seen: len(seen) >= 200)
    assert sorted(message.seq for message in seen) == list(range(1, 201))
