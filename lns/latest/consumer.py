"""The consumer that keeps latest values and healths, so that nobody asks a series store for them.

A store that outlives the process holds the position with its data. One that does not is filled at the start: values
from a series store, healths by reading the newest part of the log again. One that loses what it held while we run is
filled from memory, the series store, and what the log holds beyond that.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import islice
from typing import NamedTuple

from lns.errors import StoreError
from lns.exchange.records import Event, Record, Stored, Uplink
from lns.latest.health import (
    DEVICE_RULES,
    GATEWAY_RULES,
    Change,
    Health,
    Rules,
    State,
    deadline_us,
    expire,
    heard,
)
from lns.latest.store import Changes, LatestStore, LostError, Subject
from lns.latest.values import FieldKey, Latest, keys_of, merge
from lns.series.checks import problems
from lns.series.consumer import removals_of, rows_of
from lns.series.store import Removal, SeriesStore

_logger = logging.getLogger(__name__)

HISTORY_RECORDS = 100_000
"""Read again at the start of a store that was empty: several uplinks of most devices, in a few seconds."""
_AT_ONCE = 1000  # values or healths that are written together when a store is filled


class Who(NamedTuple):
    """What an event says of a device."""

    application_id: int
    dev_eui: str


class Origin(NamedTuple):
    """Where an empty store is filled from; `series` gives None where no measurements are kept.

    `decoded` gives decoded records after a seq, and up to which seq the log was searched for them.
    """

    series: Callable[[], Awaitable[SeriesStore | None]]
    device_ids: Callable[[], Iterable[int]]
    head_seq: Callable[[], int]
    decoded: Callable[[int], Awaitable[tuple[list[Stored], int]]]


class LatestConsumer:
    """Feeds one store. `clock` gives UTC microseconds; `tell` takes the events that `expire` and `handle` give rise to.

    A shell calls `expire` while the consumer keeps up with the log: behind it, everybody looks silent.
    """

    name = "latest"
    topics = frozenset({"uplink", "decoded", "event"})
    max_batch = 1000

    def __init__(
        self,
        store: LatestStore,
        origin: Origin,
        who: Callable[[int], Who | None],
        tell: Callable[[Event], None],
        clock: Callable[[], int],
    ) -> None:
        self._store, self._origin, self._who, self._tell, self._clock = store, origin, who, tell, clock
        self._healths: dict[Subject, Health] = {}
        self._deadlines: dict[Subject, int] = {}
        self._seeds: dict[Subject, Health] = {}
        self._listening_us = 0  # since when silence is a device's own
        self._told_from_us = 0  # earlier changes were told by a process before this one
        self._newest_us = 0
        self._turn = asyncio.Lock()  # whoever finds that the store lost what it held fills it, the others wait
        self._applied: int | None = None  # the store's position, if it holds what was written
        self._lost = False
        self.ready = False
        """Whether the store was read: before that, everybody looks unknown."""

    async def position(self) -> int | None:
        """The store's own position, or where to read from to fill it."""
        self._listening_us = self._clock()
        position = self._applied = await self._store.position()
        self._healths = await self._store.healths()
        for subject, health in self._healths.items():
            self._note(subject, health)
        position = await self._fill() if position is None else position
        self.ready = True
        return position

    async def handle(self, batch: Sequence[Stored]) -> None:
        """Apply a batch; StoreError means that none of it counts."""
        await self._whole(lambda: self._apply(batch))

    async def _apply(self, batch: Sequence[Stored]) -> None:
        values = await self._changed(batch)
        healths: dict[Subject, Health] = {}
        told: list[Event] = []
        for subject, at_us in heard_in(stored.record for stored in batch):
            known = healths.get(subject) or self._healths.get(subject)
            healths[subject], change = heard(known, at_us, rules_of(subject))
            if change is not None and change.at_us >= self._told_from_us:
                told.append(self._event(subject, change))
        await self._store.save(Changes(values, healths, batch[-1].seq))
        self._applied = batch[-1].seq
        self._settle(healths, told)

    async def _changed(self, batch: Sequence[Stored]) -> dict[FieldKey, Latest | None]:
        rows, removals = rows_of(batch), removals_of(batch)
        bad = {rejected.index for rejected in problems(rows, self._clock())}
        if bad:  # what no series store takes is nobody's last value
            rows = rows.take([index for index in range(len(rows)) if index not in bad])
        known_values = await self._store.known(keys_of(rows, removals))
        values = merge(known_values, rows, removals)
        return values | await self._before([key for key, latest in values.items() if latest is None], removals)

    async def gateways_seen(self, seen: Sequence[tuple[str, int]]) -> None:
        """Gateways, by EUI, have shown at a time that they are there by other than an uplink."""
        await self._whole(lambda: self._see(seen))

    async def _see(self, seen: Sequence[tuple[str, int]]) -> None:
        healths: dict[Subject, Health] = {}
        told: list[Event] = []
        for eui, at_us in seen:
            subject = Subject("gateway", eui)
            healths[subject], change = heard(self._healths.get(subject), at_us, GATEWAY_RULES)
            if change is not None:
                told.append(self._event(subject, change))
        await self._store.save(Changes({}, healths, None))
        self._settle(healths, told)

    async def forget(self, subject: Subject) -> None:
        """A device or gateway was deleted."""
        async with self._turn:
            await self._store.forget(subject)
            self._healths.pop(subject, None)
            self._deadlines.pop(subject, None)
            self._seeds.pop(subject, None)

    def health(self, subject: Subject) -> Health | None:
        """What is known of a device or gateway; None: it was never heard."""
        return self._healths.get(subject) or self._seeds.get(subject)

    def states(self) -> Counter[tuple[str, str]]:
        """How many there are of each kind and state."""
        return Counter((subject.kind, str(health.state)) for subject, health in self._healths.items())

    def deadline(self) -> int | None:
        """When somebody is offline who is not heard before; UTC microseconds."""
        return min(self._deadlines.values(), default=None)

    async def expire(self, now_us: int) -> None:
        """Tell of those who have been silent for too long."""
        await self._whole(lambda: self._expire(now_us))

    async def _expire(self, now_us: int) -> None:
        healths = self._settle_seeds()
        told: list[Event] = []
        for subject, end_us in self._deadlines.items():
            if end_us <= now_us and subject not in healths:
                health, change = expire(self._healths[subject], now_us, rules_of(subject), self._listening_us)
                healths[subject] = health
                if change is not None:
                    told.append(self._event(subject, change))
        if healths:
            await self._store.save(Changes({}, healths, None))
            self._settle(healths, told)

    async def _whole(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write in turn, to a store that holds what was written before: it is filled again where it does not."""
        async with self._turn:
            if not self._lost:
                try:
                    await write()
                    return
                except LostError as error:
                    _logger.warning("latest values are filled again: %s", error)
                    self._lost = True
            await self._fill_again()
            await write()

    async def _fill_again(self) -> None:
        await self._store.renew()
        healths = iter(self._healths.items())
        while piece := dict(islice(healths, _AT_ONCE)):
            await self._store.save(Changes({}, piece, None))
        upto = await self._fill_from_series() or 0
        last = min(self._applied or 0, self._origin.head_seq())
        while upto < last:  # what the series store does not hold, the log may
            batch, upto = await self._origin.decoded(upto)
            await self._store.save(Changes(await self._changed(batch), {}, None))
        await self._store.save(Changes({}, {}, self._applied))
        self._lost = False
        _logger.info("latest values are whole again, with the healths of %d", len(self._healths))

    async def _fill(self) -> int:
        """Values from the series store; returns from where the log has what comes after, and healths."""
        self._told_from_us = self._listening_us
        await self._store.renew()
        held = await self._fill_from_series()
        position = self._origin.head_seq() if held is None else held
        return max(position - HISTORY_RECORDS, 0)

    async def _fill_from_series(self) -> int | None:
        """Take over the values of the series store; returns up to which record they count, None: it cannot say."""
        pieces, position = self._series_values(), None
        while True:
            try:
                position, values = await anext(pieces)
            except StopAsyncIteration:
                return position
            except StoreError as error:  # it must not keep health and new values from people
                _logger.warning("latest values are filled from the log alone: %s", error)
                return None
            await self._store.save(Changes(values, {}, None))
            if self._told_from_us:
                self._seed(values)

    async def _series_values(self) -> AsyncIterator[tuple[int, dict[FieldKey, Latest]]]:
        """The store's position, with the values of some devices at a time."""
        series = await self._origin.series()
        if series is None:
            return
        position, values = await series.cursor(), dict[FieldKey, Latest]()
        for device_id in self._origin.device_ids():
            for info in await series.latest(device_id):
                # No seq is known here: any record of the log that has the same time is as new.
                latest = Latest(info.last_value, info.unit, info.last_at_us, 0)
                values[FieldKey(device_id, info.field)] = latest
            if len(values) >= _AT_ONCE:
                yield position, values
                values = {}
        yield position, values

    def _seed(self, values: Mapping[FieldKey, Latest]) -> None:
        newest: dict[int, int] = {}
        for (device_id, _), latest in values.items():
            newest[device_id] = max(latest.time_us, newest.get(device_id, 0))
        for device_id, time_us in newest.items():
            seen_us = min(time_us, self._listening_us)
            self._seeds[Subject("device", str(device_id))] = Health(State.ONLINE, seen_us, seen_us, seen_us)

    def _settle_seeds(self) -> dict[Subject, Health]:
        """Take over, once, what the log did not tell; who was offline when it ended is not told of again."""
        if not self._told_from_us:
            return {}
        self._told_from_us = 0
        known = {**self._seeds, **self._healths}
        self._seeds = {}
        settled = {}
        for subject, health in known.items():
            settled[subject], _ = expire(health, self._newest_us, rules_of(subject))
            self._healths[subject] = settled[subject]
            self._note(subject, settled[subject])
        return settled

    async def _before(self, keys: Collection[FieldKey], removals: Iterable[Removal]) -> dict[FieldKey, Latest | None]:
        """The values that count after the last ones were taken back; none while the series store still has those."""
        taken = {(r.device_id, r.field, r.time_us) for r in removals}
        found: dict[FieldKey, Latest | None] = {}
        series = await self._origin.series() if keys else None
        if series is None:
            return found
        for key in keys:
            for info in await series.latest(key.device_id):
                if info.field == key.field and (*key, info.last_at_us) not in taken:
                    found[key] = Latest(info.last_value, info.unit, info.last_at_us, 0)
        return found

    def _settle(self, healths: dict[Subject, Health], told: Iterable[Event]) -> None:
        for subject, health in healths.items():
            self._healths[subject] = health
            self._newest_us = max(self._newest_us, health.last_seen_us)
            self._note(subject, health)
        for event in told:
            self._tell(event)

    def _note(self, subject: Subject, health: Health) -> None:
        end_us = deadline_us(health, rules_of(subject), self._listening_us)
        if end_us is None:
            self._deadlines.pop(subject, None)
        else:
            self._deadlines[subject] = end_us

    def _event(self, subject: Subject, change: Change) -> Event:
        text = f"{subject.kind}:{subject.id}:{change.state}:{change.at_us}"
        who = self._who(int(subject.id)) if subject.kind == "device" else None
        return Event(
            id=blake2b(text.encode(), digest_size=16).digest(),  # the same when it is found out again
            kind="health",
            at_us=change.at_us,
            device_id=int(subject.id) if subject.kind == "device" else None,
            application_id=who.application_id if who else None,
            dev_eui=who.dev_eui if who else None,
            gateway_eui=subject.id if subject.kind == "gateway" else None,
            data={"state": str(change.state), "silent_s": change.silent_us / 1_000_000},
        )


def heard_in(records: Iterable[Record]) -> Iterator[tuple[Subject, int]]:
    """Who records show to be there, and when: devices by each frame, gateways by the newest, for they report anyway."""
    gateways: dict[str, int] = {}
    for record in records:
        if type(record) is Uplink:
            yield Subject("device", str(record.device_id)), record.received_at_us
            for rx in record.rx:
                if rx.received_at_us > gateways.get(rx.gateway_eui, 0):
                    gateways[rx.gateway_eui] = rx.received_at_us
        elif type(record) is Event and record.kind == "join" and record.device_id is not None:
            yield Subject("device", str(record.device_id)), record.at_us
    for eui, at_us in gateways.items():
        yield Subject("gateway", eui), at_us


def rules_of(subject: Subject) -> Rules:
    """When silence means offline for a kind of subject."""
    return DEVICE_RULES if subject.kind == "device" else GATEWAY_RULES
