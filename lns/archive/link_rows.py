"""Link measurements of stored uplinks, which no codec gives: those that a store lacks, as store-on-change had them."""

from collections.abc import Sequence

import msgspec

from decoders.change import Rules
from decoders.contract import Sample
from decoders.limits import Policy
from lns.decoding import link
from lns.decoding.codecs import Codecs
from lns.decoding.corrections import LINK, Change, Held, Report, correct
from lns.decoding.page import Selection
from lns.decoding.room import Room
from lns.exchange.records import Stored, Uplink, Value
from lns.series.store import Row, SeriesStore

_LOOK_BACK_US = 86_400_000_000  # a heartbeat that is longer shows as one value more
_SEED_POINTS = 10_000


class Heard(msgspec.Struct, frozen=True):
    """Uplinks of a page with their seqs, what is stored of them, and the last values before each device's first.

    `room`: what limits leave room for, of the devices that are `limited`.
    """

    uplinks: list[tuple[int, Uplink]]
    held: dict[int, Held]
    seeds: dict[int, list[tuple[str, Value, int]]]
    room: Room
    limited: frozenset[int]


class LinkRows:
    """Works on the pages of a job, one after the other: it remembers what store-on-change needs."""

    def __init__(self, codecs: Codecs, store: SeriesStore, selection: Selection) -> None:
        self._codecs, self._store, self._selection = codecs, store, selection
        self._change = Change()

    async def read(self, stored: Sequence[Stored]) -> Heard:
        """Read what the store holds of a page; changes nothing here, so that it can be done again. StoreError."""
        numbered = ((one.seq, one.record) for one in stored)
        uplinks = [(seq, uplink) for seq, uplink in numbered if isinstance(uplink, Uplink) and self._means(uplink)]
        first = {uplink.device_id: uplink for _, uplink in reversed(uplinks)}
        seeds = {who: await self._seed(uplink) for who, uplink in first.items() if self._change.is_new(who)}
        room, limited = Room(self._store), {who: u for who, u in first.items() if self._policy(u).limited}
        for who, uplink in limited.items():
            times_us = [other.received_at_us for _, other in uplinks if other.device_id == who]
            await room.read(who, self._policy(uplink), times_us)
        held = await self._held([uplink for _, uplink in uplinks])
        return Heard(uplinks, held, seeds, room, frozenset(limited))

    def rows(self, heard: Heard, others: Sequence[Row], report: Report) -> list[Row]:
        """Rows of link measurements that differ from what is stored, counted in `report`; `others` come before them."""
        for device_id, last in heard.seeds.items():
            self._change.seed(device_id, last)
        for row in others:
            if row.device_id in heard.limited:
                heard.room.add(row.device_id, row.field, row.time_us)
        return [row for seq, uplink in heard.uplinks for row in self._rows(seq, uplink, heard, report)]

    def _means(self, uplink: Uplink) -> bool:
        return self._selection.has(uplink, None) and not self._selection.precedes(uplink)

    def _policy(self, uplink: Uplink) -> Policy:
        return self._codecs.naming(uplink.device_id, self._codecs.of(uplink.device_id)).policy

    def _rules(self, uplink: Uplink) -> Rules:
        return {field: rule for field, rule in self._policy(uplink).rules.items() if field.startswith(LINK)}

    async def _held(self, uplinks: Sequence[Uplink]) -> dict[int, Held]:
        held: dict[int, Held] = {uplink.device_id: {} for uplink in uplinks}
        for row in await self._store.at(list(dict.fromkeys((u.device_id, u.received_at_us) for u in uplinks))):
            held[row.device_id].setdefault(row.time_us, {})[row.field] = (row.value, row.unit)
        return held

    async def _seed(self, uplink: Uplink) -> list[tuple[str, Value, int]]:
        """The last value of each field that is stored from before a device's first uplink."""
        to_us = uplink.received_at_us
        last: list[tuple[str, Value, int]] = []
        for field in self._rules(uplink):
            found = await self._store.range(uplink.device_id, field, to_us - _LOOK_BACK_US, to_us, _SEED_POINTS)
            last += [(field, point.value, point.time_us) for point in found[-1:]]
        return last

    def _rows(self, seq: int, uplink: Uplink, heard: Heard, report: Report) -> list[Row]:
        device_id, at_us, rules = uplink.device_id, uplink.received_at_us, self._rules(uplink)
        policy, room = self._policy(uplink), heard.room

        def keeps(sample: Sample, is_held: bool) -> bool:
            if is_held:
                report.held += 1
                self._change.stored(device_id, sample, at_us)
                return True
            if not room.has(device_id, policy, sample[0], at_us):
                return False
            if not self._change.keeps(device_id, rules, sample, at_us):
                return False
            if policy.limited:
                room.add(device_id, sample[0], at_us)
            return True

        found = correct(link.samples(uplink), heard.held[device_id], at_us, (), keeps)
        for difference in found.differences:
            report.count(difference)
        return [Row(device_id, m.field, m.time_us, m.value, m.unit, seq) for m in found.measurements]
