"""The Kafka outlet: messages a second into a real broker, and what a message costs this process."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from lns.config import Kafka
from lns.exchange.records import Measurement, Stored
from lns.outlets.formats.inflight import DeviceInfo
from lns.outlets.kafka import KafkaOutlet
from tests.bench.figure import Figure, repeated
from tests.brokers import make_broker
from tests.outlets.samples import AT_US, decoded, uplink

MESSAGES = 40_000
BATCH = 1000
MEASUREMENTS = (
    Measurement("temperature", AT_US, 21.5, "Cel"),
    Measurement("humidity", AT_US, 40.0, "%"),
    Measurement("battery", AT_US, 3.61, "V"),
    Measurement("open", AT_US, True),
)


def _records() -> list[Stored]:
    """Uplinks of one gateway and what was decoded from them, four measurements each."""
    stored = []
    for n in range(MESSAGES // 2):
        stored.append(Stored(2 * n + 1, "uplink", uplink(n)))
        stored.append(Stored(2 * n + 2, "decoded", decoded(n, measurements=MEASUREMENTS)))
    return stored


async def _refused(_: object) -> None:
    raise RuntimeError("the bench sends nothing that is refused")


async def _write(address: str, records: Sequence[Stored]) -> tuple[float, float]:
    """Messages a second, and CPU microseconds of this process per message."""
    outlet = KafkaOutlet(Kafka(bootstrap_servers=address), lambda n: DeviceInfo(f"sensor {n}", "default"), _refused)
    await outlet.open()
    await outlet.handle(records[:BATCH])  # connections and topics
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    for start in range(BATCH, len(records), BATCH):
        await outlet.handle(records[start : start + BATCH])
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    await outlet.close()
    count = len(records) - BATCH
    return count / wall_s, cpu_s / count * 1e6


def run(broker: str = "tansu", repeats: int = 3) -> list[Figure]:
    """Against a broker that shares the machine and starts empty for each repeat."""
    records = _records()
    rates, costs = [], []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            process = make_broker(broker, Path(folder))
            process.start()
            try:
                rate, cost = asyncio.run(_write(process.address, records))
            finally:
                process.stop()
        rates.append(rate)
        costs.append(cost)
    return [
        repeated(f"kafka.messages_per_s.{broker}", "messages/s", rates, 0),
        repeated(f"kafka.cpu_us_per_message.{broker}", "us", costs, 2),
    ]
