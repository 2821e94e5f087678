"""All outlets' workers, and what a person does with them: add, pause, retry, drop, remove, while they run."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from lns import metrics
from lns.delivery.outcome import Destination, Outgoing
from lns.delivery.pipe import Pipe
from lns.delivery.rows import Query, Unsent
from lns.delivery.store import Deliveries
from lns.delivery.worker import NOTICE, OutletWorker, Surroundings
from lns.exchange.records import Event, Stored

_logger = logging.getLogger(__name__)

Render = Callable[[Stored], Awaitable[Sequence[Outgoing]]]
"""The messages of a record that an outlet wants; ValueError: it cannot be put into the outlet's format."""
Choose = Callable[[Sequence[Stored]], Sequence[Stored]]
"""The records of a batch that may have messages for an outlet."""


NOTED_S = 1.0
"""How long a place in the log may move on without being written, where there was nothing to send."""
PART = 250
"""Records of an outlet that are written down in one go: others have their turn at the store in between."""
TURN = 50
"""Records that are rendered before the loop has another turn: one outlet's flood holds nothing else up."""


class Intake:
    """The consumer of the log that feeds one outlet: it only writes down what is to be sent, and where it got to.

    A place that is written late costs nothing: what is read again gives the same ids, which are there already.
    `choose` takes a first look at a batch: most records are of other applications, and cost as little as can be.
    """

    max_batch = 2000

    def __init__(
        self, worker: OutletWorker, around: Surroundings, topics: frozenset[str], render: Render,
        choose: Choose = lambda batch: batch,
    ) -> None:  # fmt: skip
        self.name = f"outlet.{worker.outlet}"
        self.topics = topics
        self._worker, self._around, self._render, self._choose = worker, around, render, choose
        self._noted_us = 0

    async def position(self) -> int:
        """The delivery log's own: it moves in the transaction that adds deliveries."""
        return (await self._around.store.outlet(self._worker.outlet)).seq

    async def handle(self, batch: Sequence[Stored]) -> None:
        """Write down what a batch has for the outlet; waits while too much is still to be sent."""
        await self._worker.room()
        chosen = self._choose(batch)
        for at in range(0, max(len(chosen), 1), PART):
            part = chosen[at : at + PART]
            if at:
                await self._worker.room()
            messages, unsent = await self._rendered(part)
            await self._set_aside(unsent)
            await self._write(messages, part[-1].seq if len(chosen) > at + PART else batch[-1].seq)

    async def _write(self, messages: Sequence[Outgoing], seq: int) -> None:
        now_us = self._around.clock()
        if not messages and now_us - self._noted_us < NOTED_S * 1e6:
            return
        store = self._around.store
        await self._worker.add(await store.enqueue(self._worker.outlet, messages, seq, now_us))
        self._noted_us = now_us

    async def again(self, batch: Sequence[Stored]) -> int:
        """Send records that were read back once more, under the same message ids; returns how many messages."""
        await self._worker.room()
        messages = await self.rendered(batch)
        store, outlet = self._around.store, self._worker.outlet
        items = await store.enqueue(outlet, messages, None, self._around.clock(), True)
        await self._worker.add(items)
        return len(items)

    async def rendered(self, batch: Sequence[Stored]) -> list[Outgoing]:
        """The messages of records; what cannot be rendered is counted and said."""
        messages, _ = await self._rendered(self._choose(batch))
        return messages

    async def _rendered(self, chosen: Sequence[Stored]) -> tuple[list[Outgoing], list[Unsent]]:
        messages: list[Outgoing] = []
        unsent: list[Unsent] = []
        for at, stored in enumerate(chosen, 1):
            try:
                messages += await self._render(stored)
            except ValueError as error:
                metrics.outlet_errors.inc(self._worker.label, "unencodable")
                _logger.warning("outlet %s cannot tell record %d: %s", self._worker.outlet, stored.seq, error)
                unsent.append(_unsent(stored, str(error)))
            if at % TURN == 0:
                await asyncio.sleep(0)
        return messages, unsent

    async def _set_aside(self, unsent: Sequence[Unsent]) -> None:
        """What cannot be rendered is a dead letter, once, however often it is read."""
        if not unsent:
            return
        outlet = self._worker.outlet
        for id_, one in await self._around.store.set_aside(outlet, unsent, self._around.clock()):
            if one.message.event != NOTICE:
                data = {"delivery": id_, "lane": one.message.lane, "reason": "unencodable", "error": one.error}
                self._around.notify(outlet, "dead", data)


def _unsent(stored: Stored, error: str) -> Unsent:
    record = stored.record
    event, at_us = (record.kind, record.at_us) if isinstance(record, Event) else (stored.topic, record.received_at_us)
    return Unsent(Outgoing(f"unsent_{stored.seq}", stored.seq, record.dev_eui or "", event, b"", at_us), error[:500])


STOP_S = 5.0
"""How long a stop of the server waits for what is under way."""


class Dispatch:
    """Runs a worker for each outlet inside one task group."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._tasks: asyncio.TaskGroup | None = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self.workers: dict[str, OutletWorker] = {}

    @property
    def store(self) -> Deliveries:
        return self._around.store

    async def run(self) -> None:
        """Own the workers until cancelled; those added before start now."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            for worker in self.workers.values():
                self._start(tasks, worker)
            try:
                await asyncio.Event().wait()
            finally:  # what is under way is not sent twice for a stop
                await asyncio.gather(*[worker.rest(STOP_S) for worker in self.workers.values()])

    async def add(self, outlet: str, destination: Destination, pipe: Pipe, *, paused: bool = False) -> OutletWorker:
        """A new outlet, or one from before a restart: it goes on where it was."""
        worker = OutletWorker(outlet, destination, pipe, self._around)
        worker.paused = paused
        self.workers[outlet] = worker  # first: what is opened from now on is told to it
        try:
            await worker.load()
        except BaseException:
            del self.workers[outlet]
            raise
        if self._tasks is not None:
            self._start(self._tasks, worker)
        return worker

    async def remove(self, outlet: str, *, forget: bool = True, rest_s: float = 0.0) -> None:
        """Stop an outlet; `forget` drops what it was still to send, else a changed definition goes on with it.

        What is under way has `rest_s` to end: what is cut off is sent again.
        """
        worker = self.workers.pop(outlet, None)
        if worker is not None and rest_s:
            await worker.rest(rest_s)
        task = self._running.pop(outlet, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        if forget:
            await self.store.forget(outlet)

    async def retry(self, query: Query) -> int:
        """Send what has ended badly once more, the first of it at once; returns how many."""
        count, after_id = 0, 0
        found: set[str] = set()
        while changed := await self.store.replay(query, self._around.clock(), after_id):
            count, after_id = count + len(changed), changed[-1][1].id
            for outlet, item in changed:
                found.add(outlet)
                if worker := self.workers.get(outlet):
                    await worker.add([item])
        for outlet in found & self.workers.keys():
            self.workers[outlet].probe()
        return count

    async def drop(self, query: Query) -> int:
        """Give up what matches, dead or still to be sent; returns how many."""
        count = 0
        while changed := await self.store.drop(query, self._around.clock()):
            count += len(changed)
            for outlet, id_ in changed:
                if worker := self.workers.get(outlet):
                    worker.remove([id_])
        return count

    def _start(self, tasks: asyncio.TaskGroup, worker: OutletWorker) -> None:
        self._running[worker.outlet] = tasks.create_task(worker.run(), name=f"outlet {worker.outlet}")
