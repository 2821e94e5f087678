"""One page of a replay: stored uplinks are decoded, compared with the store, and become corrections."""

import asyncio
from collections.abc import Sequence
from itertools import count

import msgspec

from decoders.change import Rules
from decoders.contract import Error, Sample
from decoders.limits import Policy
from decoders.naming import Naming
from decoders.prune import without
from lns.decoding.batch import Choose, Done, decode
from lns.decoding.codecs import Codec
from lns.decoding.corrections import LINK, MAX_SAMPLES, Change, Correction, Example, Report, correct
from lns.decoding.held import Holdings, Key
from lns.decoding.memory import Memories
from lns.decoding.parts import CHUNK, Parts, Refused, named
from lns.decoding.room import Room, rows_of
from lns.exchange.records import Decoded, Replay, Stored, Uplink, Value
from lns.series.store import SeriesStore

_LONGEST_SEED_US = 30 * 86_400_000_000


class Selection(msgspec.Struct, frozen=True):
    """Which uplinks of a source are meant: of devices that a codec decodes, by DevEUI (none: all), by time."""

    codec_id: int | None
    dev_euis: frozenset[str]
    since_us: int | None
    until_us: int | None

    def has(self, uplink: Uplink, codec_id: int | None) -> bool:
        """Whether an uplink of a device with that codec is meant, or precedes one that is."""
        return (
            (self.codec_id is None or self.codec_id == codec_id)
            and (not self.dev_euis or uplink.dev_eui in self.dev_euis)
            and (self.until_us is None or uplink.received_at_us < self.until_us)
        )

    def precedes(self, uplink: Uplink) -> bool:
        """Whether an uplink is only of interest to scripts that build on the one before."""
        return self.since_us is not None and uplink.received_at_us < self.since_us


class Plan(msgspec.Struct, frozen=True):
    """What a job asks for, resolved. `open_failures` are seqs of uplinks whose decode has failed so far; `remembers`:
    a script builds on what came of a device's uplink before.
    """

    choose: Choose
    selection: Selection
    open_failures: frozenset[int]
    remove: bool
    outlets: bool
    remembers: bool = False


class Page(msgspec.Struct, frozen=True):
    """What a page leads to: records to append, failures that are mended or have failed again, the report after it."""

    corrections: list[Decoded]
    mended: list[int]
    failed_again: list[Decoded]
    report: Report


class _Again(msgspec.Struct, frozen=True):
    """An uplink that was decoded again, with its samples as they are stored; None where that failed."""

    seq: int
    uplink: Uplink
    done: Done
    samples: list[Sample] | None = None
    flags: list[str] = []

    @property
    def times_us(self) -> list[int]:
        """All times that its samples have, that of the uplink first."""
        own = (at for *_, at in self.samples or () if at is not None)
        return list(dict.fromkeys([self.uplink.received_at_us, *own]))


class Corrector:
    """Works on the pages of a job, one after the other: it remembers from page to page what store-on-change needs."""

    def __init__(self, parts: Parts, store: SeriesStore, plan: Plan, job_id: str, memories: Memories) -> None:
        self._parts, self._store, self._plan, self._job_id = parts, store, plan, job_id
        self._memories = memories
        self._change = Change()

    async def page(self, stored: Sequence[Stored], report: Report) -> Page:
        """Work on a page of uplinks; `report`, of what came before, is not changed. StoreError, Refused."""
        page = Page([], [], [], report.copy())
        meant = [(one.seq, one.record) for one in stored if isinstance(one.record, Uplink) and self._means(one.record)]
        again: list[_Again] = []
        memories = self._memories.aside()
        for start in range(0, len(meant), CHUNK):
            again += await self._decode(meant[start : start + CHUNK], page, memories)
            await asyncio.sleep(0)  # live uplinks take their turn
        holdings = Holdings(self._store, self._parts.exchange)
        await holdings.read((one.uplink.device_id, time_us) for one in again for time_us in one.times_us)
        former = [await self._former(holdings, one) for one in again]
        for one in again:
            await self._seed(one)
        room = await self._room(again)
        # From here on nothing waits and nothing can fail: what the changes remember agrees with what is appended.
        memories.settle()
        for one, keys in zip(again, former, strict=True):
            self._correct(one, holdings, keys, room, page)
        return page

    def _means(self, uplink: Uplink) -> bool:
        selection = self._plan.selection
        if not selection.has(uplink, self._parts.codecs.codec_id(uplink.device_id)):
            return False
        if selection.precedes(uplink):
            codec = self._plan.choose(uplink.device_id)
            return codec is not None and codec.needs.memory
        return True

    async def _decode(self, uplinks: Sequence[tuple[int, Uplink]], page: Page, memories: Memories) -> list[_Again]:
        parts, report, plan = self._parts, page.report, self._plan
        results = await decode(parts.pool, parts.codecs, [uplink for _, uplink in uplinks], plan.choose, memories)
        again = []
        for (seq, uplink), done in zip(uplinks, results, strict=True):
            if done is not None:
                memories.note(done[0], uplink, done[1])
            if plan.selection.precedes(uplink):
                continue
            report.uplinks += 1
            if done is None:
                report.skipped += 1
            elif done[1].error is None:
                again.append(_Again(seq, uplink, done, *named(parts.codecs, uplink, done)))
            else:
                self._count_failure(seq, uplink, done[0], done[1].error, page)
                again.append(_Again(seq, uplink, done))
        return again

    def _count_failure(self, seq: int, uplink: Uplink, codec: Codec, error: Error, page: Page) -> None:
        if error.reason == "parked":  # none of the others would be decoded either
            raise Refused(error.text())
        page.report.fail(error.reason)
        if seq in self._plan.open_failures:
            page.failed_again.append(msgspec.structs.replace(_record(seq, uplink, codec.version_id), failure=error))

    async def _former(self, holdings: Holdings, one: _Again) -> list[Key]:
        if not self._plan.remove or one.samples is None:
            return []
        device_id, at_us = one.uplink.device_id, one.uplink.received_at_us
        keys = holdings.at(device_id, at_us)
        times_us = one.times_us
        if len(times_us) > 1:
            keys += [key for key in await holdings.written_by(one.seq, device_id, times_us) if key[1] != at_us]
        return keys

    async def _seed(self, one: _Again) -> None:
        """Learn what is stored from before a device's first uplink, as far back as its rules look."""
        device_id, at_us = one.uplink.device_id, one.uplink.received_at_us
        if one.samples is None or not self._change.is_new(device_id):
            return
        rules = self._rules(one)
        rows: list[tuple[str, Value, int]] = []
        if rules:
            beats = [rule.heartbeat_s for rule in rules.values()]
            back_us = _LONGEST_SEED_US if 0 in beats else min(int(max(beats) * 1e6), _LONGEST_SEED_US)
            stored = rows_of(self._store, device_id, at_us - back_us, at_us)
            rows = [(row.field, row.value, row.time_us) async for row in stored if row.field in rules]
        self._change.seed(device_id, rows)

    async def _room(self, again: Sequence[_Again]) -> Room:
        """What limits leave room for at the times of a page."""
        room = Room(self._store)
        times_us: dict[int, set[int]] = {}
        policies: dict[int, Policy] = {}
        for one in again:
            if one.samples is not None:
                policies[one.uplink.device_id] = self._naming(one).policy
                times_us.setdefault(one.uplink.device_id, set()).update(one.times_us)
        for device_id, policy in policies.items():
            await room.read(device_id, policy, times_us[device_id])
        return room

    def _naming(self, one: _Again) -> Naming:
        return self._parts.codecs.naming(one.uplink.device_id, one.done[0])

    def _rules(self, one: _Again) -> Rules:
        return {field: rule for field, rule in self._naming(one).policy.rules.items() if not field.startswith(LINK)}

    def _correct(self, one: _Again, holdings: Holdings, former: list[Key], room: Room, page: Page) -> None:
        uplink, report, held = one.uplink, page.report, holdings.of(one.uplink.device_id)
        if one.samples is None:  # what is stored stays
            for field, (value, unit) in held.get(uplink.received_at_us, {}).items():
                self._change.stored(uplink.device_id, (field, value, unit, None), uplink.received_at_us)
            return
        if one.seq in self._plan.open_failures:
            page.mended.append(one.seq)
            report.mended += 1
        for field, time_us in set(former) - _keys(one):
            room.remove(uplink.device_id, field, time_us)

        places, limited = count(), list[int]()

        def keeps(sample: Sample, is_held: bool) -> bool:
            place = next(places)
            report.held += is_held
            if not is_held and not self._is_worth(one, sample):
                return False
            if not is_held and not self._fits(one, sample, room):
                limited.append(place)
                return False
            self._change.stored(uplink.device_id, sample, uplink.received_at_us)
            return True

        found = correct(one.samples, held, uplink.received_at_us, former, keeps)
        if not found.differences:
            report.unchanged += 1
            return
        report.corrected += 1
        for difference in found.differences:
            report.count(difference)
        if len(report.examples) < MAX_SAMPLES:
            who = (uplink.dev_eui, uplink.fcnt_up, uplink.received_at_us, uplink.data.hex())
            report.examples.append(Example(*who, found.differences[0]))
        page.corrections.append(self._record(one, found, limited))

    def _is_worth(self, one: _Again, sample: Sample) -> bool:
        rules = self._naming(one).policy.rules
        return self._change.differs(one.uplink.device_id, rules, sample, one.uplink.received_at_us)

    def _fits(self, one: _Again, sample: Sample, room: Room) -> bool:
        device_id, field = one.uplink.device_id, sample[0]
        time_us = one.uplink.received_at_us if sample[3] is None else sample[3]
        if not room.has(device_id, self._naming(one).policy, field, time_us):
            return False
        room.add(device_id, field, time_us)
        return True

    def _record(self, one: _Again, found: Correction, limited: Sequence[int]) -> Decoded:
        """A correction; outlets send its object, in which the samples at the places `limited` must not stand."""
        codec, result = one.done
        outlets = self._plan.outlets
        data, flags = without(result, self._naming(one), one.flags, limited) if outlets else (b"{}", [])
        return msgspec.structs.replace(
            _record(one.seq, one.uplink, codec.version_id),
            data_json=data,
            measurements=tuple(found.measurements),
            warnings=(*result.warnings, *flags) if outlets else (),
            replay=Replay(self._job_id, outlets, tuple(found.removed)),
        )


def _keys(one: _Again) -> set[Key]:
    """Fields and times that an uplink has samples for."""
    at_us = one.uplink.received_at_us
    return {(field, at_us if own_us is None else own_us) for field, _, _, own_us in one.samples or ()}


def _record(seq: int, uplink: Uplink, codec_version_id: int) -> Decoded:
    """A record about an uplink that says nothing yet."""
    return Decoded(
        id=uplink.id,
        uplink_seq=seq,
        device_id=uplink.device_id,
        application_id=uplink.application_id,
        dev_eui=uplink.dev_eui,
        fcnt_up=uplink.fcnt_up,
        fport=uplink.fport,
        received_at_us=uplink.received_at_us,
        codec_version_id=codec_version_id,
        data_json=b"{}",
        measurements=(),
    )
