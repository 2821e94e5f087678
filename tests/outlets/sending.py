"""Outlets of brokers, opened; and what is delivered through them, again and again until it is taken."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from lns.delivery.breaker import Limits
from lns.delivery.dispatch import Intake
from lns.delivery.outcome import Destination, Outcome, Outgoing, Verdict
from lns.delivery.pipe import Pipe
from lns.delivery.schedule import Schedule
from lns.exchange.records import Stored
from lns.outlets import kinds
from lns.outlets.definition import Outlet
from lns.outlets.formats.inflight_json import Json
from lns.outlets.formats.outgoing import Described
from lns.outlets.formats.own import Own
from lns.outlets.selection import TOPICS
from tests.delivery.running import running
from tests.outlets.samples import DEVICES, dev_eui, uplinks


def describe(device_id: int) -> Described:
    return Described(f"sensor-{device_id}", "greenhouse")


def by_eui(eui: str) -> Described:
    return describe(int(eui, 16))


def outlet(kind: str, settings: dict[str, Any], form: str = "inflight") -> Outlet:
    return Outlet("x", 1, kind, settings, form)  # type: ignore[arg-type]


@asynccontextmanager
async def opened(definition: Outlet) -> AsyncIterator[Destination]:
    destination = kinds.destination(definition, by_eui)
    await destination.open()
    try:
        yield destination
    finally:
        await destination.close()


def messages(stored: Iterable[Stored]) -> list[Outgoing]:
    """The messages of records in our own format."""
    form = Own(describe, Json())
    return [message for one in stored for message in form.messages(one)]


def sent(count: int, first: int = 0) -> list[Outgoing]:
    """The messages of uplinks of a fleet that sends in turn."""
    return messages(uplinks(count, first=first))


async def deliver(destination: Destination, batch: Sequence[Outgoing]) -> None:
    """AssertionError unless all is taken at once."""
    failed = [one for one in await destination.deliver(batch) if one.verdict is not Verdict.DELIVERED]
    assert not failed, failed[:3]


async def until_taken(destination: Destination, batch: Sequence[Outgoing]) -> None:
    """What a worker does: what was not taken is sent again, until all is."""
    async with asyncio.timeout(30):
        while batch:
            outcomes = await destination.deliver(batch)
            batch = [m for m, end in zip(batch, outcomes, strict=True) if end.verdict is not Verdict.DELIVERED]
            await asyncio.sleep(0.05 if batch else 0)


async def failure_of(destination: Destination, batch: Sequence[Outgoing]) -> Outcome:
    """The one way in which all of a batch failed."""
    outcomes = await destination.deliver(batch)
    assert len({(one.verdict, one.error) for one in outcomes}) == 1, outcomes
    assert outcomes[0].verdict is not Verdict.DELIVERED
    return outcomes[0]


def in_order(count: int) -> dict[str, list[int]]:
    """Seqs by device of the first uplinks of a fleet that sends in turn."""
    return {dev_eui(n): [s for s in range(1, count + 1) if (s - 1) % DEVICES == n] for n in range(DEVICES)}


class Restarted(Protocol):
    """A server that is killed and started again on its port and folder."""

    def start(self) -> None: ...

    def kill(self) -> None: ...


async def through_delivery(
    folder: Path, definition: Outlet, server: Restarted, saved: Callable[[], Awaitable[Any]]
) -> None:
    """Records go through delivery log and outlet; the server is killed with the second half still to be sent.

    `saved` waits until the server has kept what it acknowledged of the first half.
    """
    quick = Pipe(
        at_once=1, batch=200, schedule=Schedule(waits_s=(0.1,) * 200), breaker=Limits(open_s=0.1, open_most_s=0.2)
    )
    render = kinds.renderer(definition, describe, no_record, "000000")
    async with running(folder) as run:
        worker = await run.dispatch.add(definition.key, kinds.destination(definition, by_eui), quick)
        intake = Intake(worker, run.around, TOPICS, render)
        await intake.handle(uplinks(100))
        await run.until({"delivered": 100})
        await saved()
        server.kill()
        await intake.handle(uplinks(100, first=100))
        while not worker.last_error:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(server.start)
        await run.until({"delivered": 200}, 30)


async def no_record(_: int) -> None:
    return None
