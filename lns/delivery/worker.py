"""Sends what one outlet has to send: several lanes at once, each in order, held back by breaker, pause and rate.

An outlet has a worker of its own, so that a destination that hangs takes nothing from the others.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from lns import metrics
from lns.delivery.breaker import Breaker, Door
from lns.delivery.lanes import Item, Lanes
from lns.delivery.machine import Facts, State, settle
from lns.delivery.outcome import Destination, Outcome, Verdict
from lns.delivery.pipe import Pipe
from lns.delivery.rows import Attempted, Claimed, OutletRow
from lns.delivery.schedule import Pace
from lns.delivery.store import Deliveries
from lns.errors import StoreError

_logger = logging.getLogger(__name__)

NOTICE = "delivery"
"""The event by which an outlet's trouble is told; that one cannot be told is not told again."""
STORE_RETRY_S = 1.0
HELD_MOST_S = 60.0  # an outlet that is asked for less without being told for how long

Notify = Callable[[str, str, dict[str, Any]], None]
"""Told of an outlet's key, of what happened (dead, disabled, breaker_open, breaker_closed), and more about it."""


class Surroundings(msgspec.Struct, frozen=True):
    """What a worker shares with others. `clock` gives UTC microseconds, `chance` a random number from 0 up to 1."""

    store: Deliveries
    clock: Callable[[], int]
    chance: Callable[[], float]
    notify: Notify


class _Tried(msgspec.Struct, frozen=True):
    """An attempt that has ended: an outcome for each of what was claimed."""

    claimed: Sequence[Claimed]
    outcomes: Sequence[Outcome]
    start_us: int
    end_us: int


class OutletWorker:
    """One outlet; `load` first, then `run` in a task. `paused` and `disabled` hold everything and lose nothing."""

    def __init__(self, outlet: str, destination: Destination, pipe: Pipe, around: Surroundings) -> None:
        self.outlet = outlet
        self.label = outlet.partition("#")[0]  # metrics know it by its name
        self.paused = False
        self.disabled = ""
        self.last_error = ""
        self.last_error_at_us = 0
        self._destination, self._pipe, self._around = destination, pipe, around
        self._lanes = Lanes(pipe.ordering)
        self._breaker = Breaker(pipe.breaker)
        self._pace = Pace(pipe.per_s)
        self._changed = asyncio.Event()
        self._settled = asyncio.Event()
        self._resting = False
        self._unmarked = 0  # batches that were delivered and are still to be written down

    @property
    def open(self) -> int:
        """How many are still to be sent."""
        return len(self._lanes)

    async def load(self) -> None:
        """Open the destination, whose error is the caller's, and take up what was to be sent when the process ended."""
        await self._destination.open()
        row = await self._around.store.outlet(self.outlet)
        self.disabled = row.disabled
        self._breaker = Breaker(self._pipe.breaker, row.open_until_us)
        await self.add(await self._around.store.open_items(self.outlet))

    async def add(self, items: Iterable[Item]) -> None:
        """More to send; the table holds it already."""
        replaced = [id_ for item in items for id_ in self._lanes.add(item)]
        if replaced:
            await self._around.store.supersede(replaced, self._around.clock())
        self._changed.set()

    def remove(self, ids: Iterable[int]) -> None:
        """These were dropped."""
        for id_ in ids:
            self._lanes.remove(id_)
        self._settled.set()

    async def room(self) -> None:
        """Wait until fewer than the most allowed are still to be sent."""
        while len(self._lanes) >= self._pipe.open_most:
            self._settled.clear()
            await self._settled.wait()

    async def rest(self, within_s: float) -> None:
        """Begin nothing more, and wait for what is under way, but not for ever."""
        self._resting = True
        try:
            async with asyncio.timeout(within_s):
                while self._lanes.in_flight or self._unmarked:
                    self._settled.clear()
                    await self._settled.wait()
        except TimeoutError:
            _logger.warning("outlet %s: %d under way are cut off", self.outlet, self._lanes.in_flight)

    def pause(self) -> None:
        """Send nothing from now on; what is under way ends."""
        self.paused = True

    async def resume(self) -> None:
        """Send again, after a pause or after the outlet was disabled; the breaker starts closed."""
        self.paused, self.disabled = False, ""
        self._breaker = Breaker(self._pipe.breaker)
        await self._note()
        self._changed.set()

    def probe(self) -> None:
        """Try one at once, whatever the breaker waits for; a pause that the destination asked for is kept."""
        self._breaker.knock(self._around.clock())
        self._changed.set()

    def status(self) -> dict[str, Any]:
        """For people, JSON-ready."""
        state = "disabled" if self.disabled else "paused" if self.paused else "active"
        return {
            "outlet": self.outlet,
            "state": state,
            "disabled": self.disabled,
            "breaker": self._breaker.door.value,
            "breaker_until_us": self._breaker.until_us,
            "open": len(self._lanes),
            "full": len(self._lanes) >= self._pipe.open_most,
            "in_flight": self._lanes.in_flight,
            "last_error": self.last_error,
            "last_error_at_us": self.last_error_at_us,
        }

    async def run(self) -> None:
        """Send for ever; closes the destination in the end."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for n in range(self._pipe.at_once):
                    tasks.create_task(self._send_on(tasks), name=f"outlet {self.outlet} {n}")
        finally:
            try:
                await self._destination.close()
            except Exception:  # as in `_outcomes`
                _logger.exception("outlet %s could not close its connection", self.outlet)

    async def _send_on(self, tasks: asyncio.TaskGroup) -> None:
        """Of what went well, one batch at most is still being written down while the next is sent."""
        behind: asyncio.Task[None] | None = None
        while True:
            self._changed.clear()
            ids, wait_us = self._take(self._around.clock())
            if not ids:
                await self._pause(wait_us)
                continue
            tried = await self._send(ids)
            if behind is not None:
                await behind
                behind = None
            if tried is not None and self._went_well(tried):
                self._leave(tried)
                behind = tasks.create_task(self._mark(tried), name=f"outlet {self.outlet} marks")
            elif tried is not None:
                await self._settle(tried)
            self._settled.set()
            self._changed.set()

    def _take(self, now_us: int) -> tuple[list[int], int | None]:
        """Deliveries that may leave now, or how long nothing can."""
        if self.paused or self.disabled or self._resting:
            return [], None
        allowed = self._breaker.room(now_us, self._lanes.in_flight)
        room = min(self._pipe.batch, self._pace.room(now_us), self._pipe.batch if allowed is None else allowed)
        ids = self._lanes.take(room, now_us)
        self._pace.take(len(ids), now_us)
        due_us = self._lanes.deadline_us()
        if ids or due_us is None or (allowed == 0 and self._lanes.in_flight):
            return ids, None
        return ids, max(due_us, self._breaker.deadline_us(), self._pace.deadline_us()) - now_us

    async def _pause(self, wait_us: int | None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(None if wait_us is None else max(wait_us, 1000) / 1e6):
                await self._changed.wait()

    async def _send(self, ids: Sequence[int]) -> _Tried | None:
        """One attempt of what is still to be sent; None where nothing is."""
        claimed = await self._stubborn(lambda: self._around.store.claim(ids))
        for id_ in set(ids) - {c.id for c in claimed}:
            self._lanes.done(id_)
        if not claimed:
            return None
        start_us = self._around.clock()
        return _Tried(claimed, await self._outcomes(claimed), start_us, self._around.clock())

    async def _outcomes(self, claimed: Sequence[Claimed]) -> list[Outcome]:
        try:
            return await self._destination.deliver([c.message for c in claimed])
        except Exception as error:  # the top of an outlet's task: its own mistake must not end it
            _logger.exception("outlet %s failed in an unexpected way", self.outlet)
            trouble = Outcome(verdict=Verdict.RETRY, error=f"{type(error).__name__}: {error}"[:500])
            return [trouble] * len(claimed)

    def _went_well(self, tried: _Tried) -> bool:
        return self._breaker.door is Door.CLOSED and all(o.verdict is Verdict.DELIVERED for o in tried.outcomes)

    def _leave(self, tried: _Tried) -> None:
        """All of it is delivered, so the next of its lanes may go before that is written down.

        The store writes in the order it is asked: what comes later is never marked before.
        """
        self._unmarked += 1
        for c in tried.claimed:
            self._lanes.done(c.id)

    async def _mark(self, tried: _Tried) -> None:
        await self._conclude(tried, await self._write(tried))
        self._unmarked -= 1
        self._settled.set()

    async def _settle(self, tried: _Tried) -> None:
        attempted = await self._write(tried)
        for a in attempted:
            if a.settled.state is State.WAITING:
                self._lanes.wait(a.id, a.settled.next_us)
            else:
                self._lanes.done(a.id)
        await self._conclude(tried, attempted)

    async def _write(self, tried: _Tried) -> list[Attempted]:
        now_us, ms = tried.end_us, max(0, (tried.end_us - tried.start_us) // 1000)
        attempted = []
        for c, outcome in zip(tried.claimed, tried.outcomes, strict=True):
            facts = Facts(c.attempts, c.refusals, c.first_us)
            settled = settle(facts, outcome, self._pipe.schedule, self._around.chance(), now_us)
            attempted.append(Attempted(c.id, settled, outcome, tried.start_us, ms))
        await self._stubborn(lambda: self._around.store.settle(attempted))
        return attempted

    async def _conclude(self, tried: _Tried, attempted: Sequence[Attempted]) -> None:
        for c, a in zip(tried.claimed, attempted, strict=True):
            self._tell(c, a)
        for outcome in {id(one): one for one in tried.outcomes}.values():
            await self._judge(outcome, tried.end_us)

    def _tell(self, claimed: Claimed, attempted: Attempted) -> None:
        outcome = attempted.outcome
        if outcome.verdict is Verdict.DELIVERED:
            metrics.outlet_delivered.inc(self.label, claimed.message.event)
            return
        self._failed(outcome.error)
        metrics.outlet_errors.inc(self.label, outcome.verdict.value)
        if attempted.settled.state is State.DEAD and claimed.message.event != NOTICE:
            data = {"delivery": claimed.id, "lane": claimed.message.lane, "reason": attempted.settled.reason}
            self._around.notify(self.outlet, "dead", data | {"error": outcome.error})

    async def _judge(self, outcome: Outcome, now_us: int) -> None:
        """What one answer means for the whole outlet."""
        if outcome.verdict is Verdict.GONE:
            self.disabled = outcome.error
            self._around.notify(self.outlet, "disabled", {"error": outcome.error})
            await self._note()
        elif outcome.alive:
            if self._breaker.succeed(now_us):
                self._around.notify(self.outlet, "breaker_closed", {})
                await self._stubborn(lambda: self._around.store.wake(self.outlet, now_us))
                self._lanes.wake(now_us)
                await self._note()
        elif self._breaker.fail(now_us):
            data = {"until_us": self._breaker.until_us, "error": outcome.error}
            self._around.notify(self.outlet, "breaker_open", data)
            await self._note()
        if outcome.verdict is Verdict.THROTTLED:
            cap_s = self._pipe.schedule.retry_after_cap_s
            asked_s = outcome.retry_after_s
            hold_s = min(asked_s, cap_s) if asked_s is not None else min(HELD_MOST_S, self._first_wait_s())
            self._breaker.hold(now_us + round(hold_s * 1e6))

    def _first_wait_s(self) -> float:
        return self._pipe.schedule.waits_s[0] if self._pipe.schedule.waits_s else 0.0

    async def _note(self) -> None:
        row = OutletRow(0, self._breaker.until_us, self.disabled)
        await self._stubborn(lambda: self._around.store.note_outlet(self.outlet, row))

    def _failed(self, text: str) -> None:
        self.last_error, self.last_error_at_us = text, self._around.clock()

    async def _stubborn(self, call: Callable[[], Any]) -> Any:
        """Until the disk has it: a message that was sent and is not marked would be sent again."""
        while True:
            try:
                return await call()
            except StoreError as error:
                self._failed(str(error))
                _logger.warning("outlet %s waits for its delivery log: %s", self.outlet, error)
                await asyncio.sleep(STORE_RETRY_S)
