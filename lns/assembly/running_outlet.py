"""One outlet while it runs: who reads the log for it, who sends, who takes its commands.

A definition that cannot work any more (a file or an extra is gone) still runs: its messages wait, and it says why.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from lns.config import Config, ConfigError
from lns.delivery.dispatch import Choose, Dispatch, Intake, Render
from lns.delivery.outcome import Destination, Outcome, Outgoing, Verdict
from lns.delivery.replays import Running
from lns.delivery.worker import NOTICE, OutletWorker, Surroundings
from lns.exchange.records import Event, Record, Stored
from lns.exchange.sqlite import SqliteExchange
from lns.names import Names
from lns.outlets import kinds
from lns.outlets.build import Take
from lns.outlets.definition import Outlet
from lns.outlets.delivery import OutletError
from lns.outlets.formats.places import PlaceOf
from lns.outlets.selection import TOPICS, Selection
from lns.registry.rows import StoredOutlet

_logger = logging.getLogger(__name__)

REST_S = 30.0
"""How long a change waits for attempts that are under way."""
AGAIN_S = 5.0


class Surrounding:
    """What every outlet is built from."""

    def __init__(
        self, exchange: SqliteExchange, names: Names, place_of: PlaceOf, config: Config, around: Surroundings
    ) -> None:
        self.exchange, self.names, self.place_of, self.around = exchange, names, place_of, around
        self.net_id, self.allow_private = config.network.net_id, config.deliveries.allow_private
        self.dispatch = Dispatch(around)

    def renderer(self, one: StoredOutlet) -> Selection:
        """ConfigError."""
        return kinds.renderer(one.outlet, self.names.described, self.exchange.pick, self.net_id, self.place_of)

    def check(self, outlet: Outlet) -> None:
        """ConfigError where it could not work, or may not on this server."""
        kinds.check(outlet)
        self.check_private(outlet)

    def check_private(self, outlet: Outlet) -> None:
        """ConfigError where it may be sent to private addresses and this server does not take that."""
        if not self.allow_private:
            kinds.refuse_private(outlet)


class RunningOutlet:
    """Built by `started`; `coroutines` are what has to run for it, beside its worker."""

    def __init__(
        self, stored: StoredOutlet, worker: OutletWorker, destination: Destination, renders: Sequence[Render],
        around: Surroundings,
    ) -> None:  # fmt: skip
        self.stored, self.worker, self.destination = stored, worker, destination
        self.tasks: list[asyncio.Task[None]] = []
        self._renders = renders
        choose = _chooser(stored)
        live, again = (Intake(worker, around, TOPICS, render, choose) for render in renders)
        self.intake, self.running = live, Running(worker, again, choose)

    def forget_names(self) -> None:
        """Devices or applications were changed."""
        for render in self._renders:
            if isinstance(render, Selection):
                render.forget()

    async def end(self) -> None:
        """Stop reading and taking commands; the worker is not touched."""
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks)
        self.tasks = []


async def started(one: StoredOutlet, parts: Surrounding) -> RunningOutlet:
    """The outlet with its worker, which goes on where it was. StoreError."""
    await parts.around.store.begin(one.key, one.outlet.position)
    destination: Destination
    renders: list[Render]
    try:  # a replay reads elsewhere than what is live
        renders = [parts.renderer(one), parts.renderer(one)]
    except ConfigError as error:
        renders = [_unrendered(str(error))] * 2
    try:
        parts.check_private(one.outlet)
        destination = kinds.destination(one.outlet, parts.names.described_eui)
        worker = await _worker(one, destination, parts)
    except ConfigError as error:
        _logger.warning("outlet %s cannot work: %s", one.key, error)
        destination = Unusable(str(error))
        worker = await _worker(one, destination, parts)
    return RunningOutlet(one, worker, destination, renders, parts.around)


async def _worker(one: StoredOutlet, destination: Destination, parts: Surrounding) -> OutletWorker:
    paused = one.outlet.state == "paused"
    try:
        return await parts.dispatch.add(one.key, destination, one.outlet.sending, paused=paused)
    except BaseException:
        await destination.close()  # the next try opens another
        raise


def command_runner(one: StoredOutlet, take: Take) -> Callable[[], Awaitable[None]] | None:
    """What takes the outlet's commands; None where it takes none, or cannot."""
    try:
        commands = kinds.commands(one.outlet, take, one.application)
        return None if commands is None else commands.run
    except ConfigError as error:
        _logger.warning("outlet %s takes no commands: %s", one.key, error)
        return None


async def unbroken(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Run for ever, again after an error that nobody expected: it must not end the server."""
    while True:
        try:
            await run()
        except Exception:
            _logger.exception("%s failed in an unexpected way, trying again", name)
        await asyncio.sleep(AGAIN_S)


class Unusable:
    """The destination of an outlet that cannot work: whatever it is given waits."""

    def __init__(self, why: str) -> None:
        self._outcome = Outcome(verdict=Verdict.RETRY, error=why)

    async def open(self) -> None:
        """There is nothing to open."""

    async def close(self) -> None:
        """There is nothing to close."""

    async def deliver(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        """Says why, of each."""
        return [self._outcome] * len(messages)


def _unrendered(why: str) -> Render:
    def render(_: Stored) -> Coroutine[Any, Any, list[Outgoing]]:
        raise OutletError("unusable", why)

    return render


def _chooser(one: StoredOutlet) -> Choose:
    """A first look: of the outlet's application, and not of its own trouble."""
    application_id, key = one.outlet.application_id, one.key

    def choose(batch: Sequence[Stored]) -> Sequence[Stored]:
        found = [stored for stored in batch if stored.record.application_id == application_id]
        return [stored for stored in found if not _tells_of(key, stored.record)]

    return choose


def _tells_of(key: str, record: Record) -> bool:
    return isinstance(record, Event) and record.kind == NOTICE and record.data.get("key") == key
