"""Records and a running exchange for tests."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lns.config import Exchange as ExchangeConfig
from lns.exchange.records import Rx, Uplink
from lns.exchange.sqlite import SqliteExchange
from lns.lorawan.modulation import Lora


def uplink(n: int, device_id: int = 1) -> Uplink:
    return Uplink(
        n.to_bytes(16),
        device_id,
        1,
        f"{device_id:016x}",
        "01020304",
        n,
        10,
        b"payload",
        False,
        False,
        5,
        868_100_000,
        Lora(7, 125_000),
        1_700_000_000_000_000 + n,
        (Rx("aa" * 8, -80.0, 7.0, n, 1_700_000_000_000_000),),
        "EU868",
    )


@asynccontextmanager
async def running(path: Path, config: ExchangeConfig | None = None) -> AsyncIterator[SqliteExchange]:
    exchange = SqliteExchange(path, config or ExchangeConfig(commit_interval_ms=1.0), threading.Lock())
    await exchange.open()
    async with asyncio.TaskGroup() as tasks:
        committer = tasks.create_task(exchange.run(), name="committer")
        try:
            yield exchange
        finally:
            await exchange.stop()
            await committer
    await exchange.close()


async def until(condition, seconds: float = 10.0) -> None:
    """Wait for a condition with a deadline."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


class Recorder:
    """A consumer that keeps what it is given and fails when told to."""

    max_batch = 7

    def __init__(self, name: str, topics: frozenset[str] = frozenset({"uplink"})) -> None:
        self.name, self.topics = name, topics
        self.seen: list[int] = []
        self.fail = False
        self.failures = 0

    async def position(self) -> int | None:
        return None

    async def handle(self, batch) -> None:
        if self.fail:
            self.failures += 1
            raise OSError("the store is away")
        self.seen += [stored.seq for stored in batch]
