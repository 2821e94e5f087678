"""A dispatch with its store, running; and a destination that answers as it is told."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lns.delivery.dispatch import Dispatch
from lns.delivery.outcome import Outcome, Outgoing
from lns.delivery.rows import Query
from lns.delivery.store import Deliveries
from lns.delivery.worker import OutletWorker, Surroundings
from tests.delivery.build import DELIVERED


def now_us() -> int:
    return time.time_ns() // 1000


class Told:
    """A destination: takes the next of `ends` for each message, then `then`; while `closed` is set it hangs."""

    def __init__(self, *ends: Outcome, then: Outcome = DELIVERED) -> None:
        self.ends, self.then = list(ends), then
        self.got: list[Outgoing] = []
        self.calls: list[int] = []
        self.at_us: list[int] = []
        self.go = asyncio.Event()
        self.go.set()

    @property
    def ids(self) -> list[str]:
        return [message.id for message in self.got]

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def deliver(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        self.got += messages
        self.calls.append(len(messages))
        self.at_us.append(now_us())
        ends = [self.ends.pop(0) if self.ends else self.then for _ in messages]
        await self.go.wait()
        return ends


class Running:
    """What a test holds of a running dispatch."""

    def __init__(self, around: Surroundings, told: list[tuple[str, str, dict[str, Any]]]) -> None:
        self.around, self.told = around, told
        self.store = around.store
        self.dispatch = Dispatch(around)

    async def feed(self, worker: OutletWorker, messages: Sequence[Outgoing]) -> None:
        await worker.add(await self.store.enqueue(worker.outlet, messages, messages[-1].seq, now_us()))

    async def states(self, **query: Any) -> dict[str, int]:
        return await self.store.count(Query(**query))

    async def until(self, expected: dict[str, int], seconds: float = 20.0, **query: Any) -> None:
        """Wait until deliveries stand in these states, no more and no less."""
        found: dict[str, int] = {}
        try:
            async with asyncio.timeout(seconds):
                while (found := await self.states(**query)) != expected:
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise AssertionError(f"{found} is not {expected}") from None


@asynccontextmanager
async def running(path: Path, chance: float = 0.5):
    store = Deliveries(path / "deliveries.db")
    await store.open()
    told: list[tuple[str, str, dict[str, Any]]] = []
    around = Surroundings(store, now_us, lambda: chance, lambda *what: told.append(what))
    found = Running(around, told)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(found.dispatch.run())
        await asyncio.sleep(0)
        try:
            yield found
        finally:
            task.cancel()
    await store.close()
