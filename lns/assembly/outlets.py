"""Outlets of applications while the server runs: added, changed, paused, replayed and removed, each by itself.

The registry says what there is, the delivery log what is to be sent, and the exchange is read by a consumer for each.
"""

import asyncio
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec

from lns import metrics
from lns.assembly.commands import Commands
from lns.assembly.outlet_changes import Changes
from lns.assembly.outlet_sample import message
from lns.assembly.part import STORE_LINGER_S, Feeds, Runs
from lns.assembly.running_outlet import (
    REST_S,
    RunningOutlet,
    Surrounding,
    command_runner,
    started,
    unbroken,
)
from lns.clock import now_us
from lns.config import Config, ConfigError
from lns.delivery.history import LoggedRecords
from lns.delivery.outcome import Outcome, Outgoing
from lns.delivery.replays import Replays, Running
from lns.delivery.rows import OutletRow
from lns.delivery.store import Deliveries, Kept
from lns.delivery.worker import NOTICE, Surroundings
from lns.errors import StoreError
from lns.exchange.cursor import Cursor
from lns.exchange.loop import run_consumer
from lns.exchange.records import Event
from lns.exchange.sqlite import SqliteExchange
from lns.live import Live, time_text
from lns.names import Names
from lns.outlets.definition import Outlet
from lns.outlets.formats.commands import Command
from lns.outlets.formats.places import PlaceOf
from lns.outlets.selection import TOPICS
from lns.registry.errors import conflict
from lns.registry.registry import Registry
from lns.registry.rows import StoredOutlet

DEAD_S = 5.0
"""How long a count of dead letters is shown before they are counted again."""


class OutletSurroundings(msgspec.Struct, frozen=True):
    """What outlets use of the server: names, places of gateways, people who watch, and queues of downlinks."""

    names: Names
    live: Live
    commands: Commands
    place_of: PlaceOf


class Outlets:
    """The part of the server that sends. Its verbs raise ConfigError, RegistryError and StoreError."""

    def __init__(
        self, config: Config, registry: Registry, exchange: SqliteExchange, around: OutletSurroundings
    ) -> None:
        kept = config.deliveries
        self._kept = Kept(kept.success_days, kept.failure_days, kept.most_rows, kept.most_rows)
        self._registry, self._exchange, self._around, self._net_id = registry, exchange, around, config.network.net_id
        self.store = Deliveries(Path(config.data_dir) / "deliveries.db", kept.most_bytes)
        workers = Surroundings(self.store, now_us, random.random, self._notify)
        self._parts = Surrounding(exchange, around.names, around.place_of, config, workers)
        self.dispatch = self._parts.dispatch
        self.replays = Replays(workers, LoggedRecords(exchange, TOPICS), self._find)
        self._running: dict[str, RunningOutlet] = {}
        self._turns: dict[int, asyncio.Lock] = {}
        self._held_places: dict[str, Cursor] = {}
        self._changes = Changes(self._renew, self._forgotten, self._turn)
        self._tasks: asyncio.TaskGroup | None = None
        self._dead: tuple[float, dict[str, int]] = (0.0, {})

    # the part of a server

    async def open(self, stack: AsyncExitStack) -> None:
        await self.store.open()
        stack.push_async_callback(self.store.close)
        await self.replays.open()
        found = await asyncio.to_thread(self._registry.outlets.all)
        for key in set(await self.store.outlets()) - {one.key for one in found}:
            await self._forgotten(key)  # its removal was cut off
        for one in found:
            await self._hold(one)
            self._running[one.key] = await started(one, self._parts)
        metrics.outlet_open.read = lambda: [((one.worker.label,), float(one.worker.open)) for one in self._all()]
        metrics.outlet_held.read = self._held

    def feeds(self) -> Feeds:
        """None: they come and go, so that they are run here."""
        return ()

    def runs(self) -> Runs:
        return [
            ("outlets", self._run()),
            ("outlet changes", self._changes.run()),
            ("outlet deliveries", self.dispatch.run()),
            ("outlet replays", self.replays.run()),
        ]

    async def upkeep(self, now_us: int) -> None:
        """What is past its time leaves the delivery log."""
        await self.store.expire(self._kept, now_us)

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            for one in self._all():
                self._start(one)
            await asyncio.Event().wait()

    # what people do

    async def add(self, new: Outlet, at_us: int | None = None, seq: int | None = None) -> StoredOutlet:
        """A new outlet, which reads the log from now on, from a time, or from a seq. ConfigError: that has gone."""
        await asyncio.to_thread(self._parts.check, new)
        new = msgspec.structs.replace(new, position=await self._position(at_us, seq))
        stored = await asyncio.to_thread(self._registry.outlets.add, new)
        async with self._turn(stored):
            await self._changes.renew(stored, 0)
        return stored

    async def change(self, known: StoredOutlet, new: Outlet) -> StoredOutlet:
        """Another definition under its name: it goes on where it was, after what is under way has ended.

        What held the former one back, its breaker or a 410, says nothing of the new one. Where the delivery log is
        away it is being changed until that is back.
        """
        await asyncio.to_thread(self._parts.check, new)
        async with self._turn(known):
            stored = await asyncio.to_thread(self._registry.outlets.change, known, new)
            await self._changes.renew(stored, self.status(known)["open"])
        return stored

    async def pause(self, known: StoredOutlet) -> StoredOutlet:
        """Send nothing from now on; what is under way ends, and what comes is written down."""
        async with self._turn(known):
            stored = await asyncio.to_thread(self._registry.outlets.set_state, known, "paused")
            self._changes.note(stored)
            if (one := self._running.get(stored.key)) is not None:
                one.worker.pause()
        return stored

    async def resume(self, known: StoredOutlet) -> StoredOutlet:
        """Send again, after a pause or after it was disabled."""
        async with self._turn(known):
            stored = await asyncio.to_thread(self._registry.outlets.set_state, known, "active")
            self._changes.note(stored)
            if stored.key not in self._changes and (one := self._running.get(stored.key)) is not None:
                await one.worker.resume()
        return stored

    async def remove(self, known: StoredOutlet) -> None:
        """Take it away: what it was still to send is dropped, and the log of what it did stays its time."""
        async with self._turn(known):
            await asyncio.to_thread(self._registry.outlets.delete, known)
            await self._gone(known.key)
        self._turns.pop(known.id, None)

    async def application_removed(self, application_id: int) -> None:
        """The registry has removed an application, and its outlets with it."""
        changing = [one.stored for one in self._changes.all()]
        known = {one.key: one for one in [*(one.stored for one in self._all()), *changing]}
        for one in known.values():
            if one.outlet.application_id == application_id:
                async with self._turn(one):
                    await self._gone(one.key)
                self._turns.pop(one.id, None)

    async def test(self, known: StoredOutlet) -> tuple[Outgoing, Outcome]:
        """Send one sample message now, past log and pause; returns it and what became of it."""
        sample = await message(known.outlet, self._net_id, now_us(), secrets.token_bytes(16))
        (outcome,) = await self._of(known).destination.deliver([sample])
        return sample, outcome

    def again(self, known: StoredOutlet) -> Running | None:
        """What sends records of the past; None: it is being changed."""
        return self._find(known.key)

    def forget_names(self) -> None:
        """Devices or applications were changed."""
        for one in self._all():
            one.forget_names()

    # what people see

    def status(self, known: StoredOutlet) -> dict[str, Any]:
        """How it is now, JSON-ready."""
        lag, one = self._exchange.lag(_consumer(known.key)), self._running.get(known.key)
        if (changing := self._changes.status(known.key, lag)) is not None:
            return changing
        if one is None:  # it was removed this moment
            return {"state": "changing", "open": 0, "lag": lag}
        return {**one.worker.status(), "lag": lag}

    async def dead(self) -> dict[str, int]:
        """Dead letters by outlet's key, as of a few seconds ago."""
        at, found = self._dead
        if time.monotonic() - at > DEAD_S:
            found = await self.store.dead()
            self._dead = (time.monotonic(), found)
        return found

    async def alerts(self) -> list[dict[str, str]]:
        """What a person should look at."""
        dead, evicted, found = await self.dead(), await self.store.evicted(), []
        for one in self._all():
            who = {"outlet": one.stored.outlet.name, "application": one.stored.application}
            key = one.stored.key
            troubles = _troubles(one, dead.get(key, 0), evicted.get(key, 0))
            found += [{**who, "kind": kind, "text": text} for kind, text in troubles]
        for stored, kind, text in self._changes.alerts(asyncio.get_running_loop().time()):
            who = {"outlet": stored.outlet.name, "application": stored.application}
            found.append({**who, "kind": kind, "text": text})
        return found

    # inside

    def _all(self) -> list[RunningOutlet]:
        return list(self._running.values())

    def _of(self, known: StoredOutlet) -> RunningOutlet:
        one = self._running.get(known.key)
        if one is None:
            raise conflict(f"outlet {known.outlet.name!r} is being changed")
        return one

    def _find(self, key: str) -> Running | None:
        one = self._running.get(key)
        return None if one is None else one.running

    def _turn(self, known: StoredOutlet) -> asyncio.Lock:
        """One thing after the other is done to an outlet; others do not wait for it."""
        return self._turns.setdefault(known.id, asyncio.Lock())

    async def _hold(self, stored: StoredOutlet) -> None:
        """Keep the log from the outlet's place on: nothing of it may go before its reader takes over by its name."""
        name, first = _consumer(stored.key), stored.outlet.position
        try:
            await self.store.begin(stored.key, first)
            position = (await self.store.outlet(stored.key)).seq
        except StoreError:
            if stored.key not in self._held_places:
                self._held_places[stored.key] = self._exchange.cursor(name, TOPICS, first)
            raise
        self._held_places[stored.key] = self._exchange.cursor(name, TOPICS, position)

    async def _renew(self, stored: StoredOutlet) -> None:
        """Whatever of this has failed is done again from here."""
        await self._hold(stored)
        await self._end(stored.key)
        await self.store.note_outlet(stored.key, OutletRow())
        await self.store.wake(stored.key, now_us())
        await self._hold(stored)
        one = await started(stored, self._parts)
        self._running[stored.key] = one
        self._start(one)

    def _start(self, one: RunningOutlet) -> None:
        if self._tasks is None:
            return
        name = one.intake.name
        one.tasks = [self._tasks.create_task(run_consumer(self._exchange, one.intake, STORE_LINGER_S), name=name)]
        if (run := command_runner(one.stored, self._taker(one.stored))) is not None:
            one.tasks.append(self._tasks.create_task(unbroken(f"{name} commands", run), name=f"{name} commands"))

    async def _end(self, key: str, *, rest_s: float = REST_S) -> None:
        """Stop it, so that it can be begun again; nothing of what it has to send is touched."""
        one = self._running.pop(key, None)
        if one is not None:
            await one.end()
        await self.dispatch.remove(key, forget=False, rest_s=rest_s)

    async def _gone(self, key: str) -> None:
        await self._end(key, rest_s=0.0)
        if (held := self._held_places.pop(key, None)) is not None:
            self._exchange.detach(held)
        await self._changes.forget(key)
        label = key.partition("#")[0]
        counters = (metrics.outlet_delivered, metrics.outlet_errors, metrics.outlet_unrouted, metrics.outlet_evicted)
        for counter in counters:
            counter.forget(label)
        metrics.consumer_errors.forget(_consumer(key))

    async def _forgotten(self, key: str) -> None:
        await self.replays.removed(key)
        await self.store.forget(key)

    async def _position(self, at_us: int | None, seq: int | None) -> int:
        head = await self._exchange.committed()
        if at_us is None and seq is None:
            return head
        first: int = (await self._exchange.status())["first_seq"] or 1
        position = seq - 1 if seq is not None else await self._exchange.seq_before(at_us or 0)
        if first > 1 and position < first - 1:
            raise ConfigError(f"from reaches back to seq {position + 1}, the oldest record in the log is {first}")
        if position > head:
            raise ConfigError(f"from is seq {position + 1}, the newest record in the log is {head}")
        return position

    def _taker(self, one: StoredOutlet) -> Callable[[Command], Awaitable[None]]:
        async def take(command: Command) -> None:
            await self._around.commands.take(command, one.outlet.application_id)

        return take

    def _notify(self, key: str, what: str, more: dict[str, Any]) -> None:
        """An outlet's trouble, in the log and to those who watch; its own outlet is not told."""
        one = self._running.get(key)
        if one is None:
            return
        at_us, outlet = now_us(), one.stored.outlet
        told = {"outlet": outlet.name, "application": one.stored.application, "what": what, **more, "key": key}
        who = (None, outlet.application_id, None, None)
        self._exchange.put("event", Event(secrets.token_bytes(16), NOTICE, at_us, *who, told))
        self._around.live.publish({"kind": NOTICE, "at": time_text(at_us), **told})

    def _held(self) -> Iterator[tuple[tuple[str, ...], float]]:
        for one in self._all():
            status = one.worker.status()
            if status["state"] != "active":
                yield (one.worker.label, status["state"]), 1.0
            elif status["breaker"] != "closed":
                yield (one.worker.label, "breaker"), 1.0
        for changing in self._changes.all():
            yield (changing.stored.outlet.key, "changing"), 1.0


def _troubles(one: RunningOutlet, dead: int, evicted: int) -> Iterator[tuple[str, str]]:
    status = one.worker.status()
    if status["disabled"]:
        yield "disabled", f"it is disabled: {status['disabled']}"
    elif status["breaker"] != "closed":
        waits = f"{status['open']} deliveries wait: {status['last_error'] or 'nothing was tried since the start'}"
        yield "breaker", f"{_tried_again(status)}, {waits}"
    if status["full"]:
        yield "full", f"{status['open']} deliveries wait: it has stopped reading the log, which is kept for it"
    if dead:
        yield "dead", f"{dead} deliveries have failed for good: look at them, and retry or drop them"
    if evicted:
        text = "that had failed for good were forgotten before their days were over: the delivery log is full"
        yield "evicted", f"{evicted} deliveries {text}"


def _tried_again(status: dict[str, Any]) -> str:
    if status["breaker"] == "half_open":
        return "one delivery at a time is tried"
    return f"nothing is tried until {time_text(status['breaker_until_us'])[11:19]} UTC"


def _consumer(key: str) -> str:
    """What reads the log for an outlet."""
    return f"outlet.{key}"
