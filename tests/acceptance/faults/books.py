"""The log of a server against what its stores and receivers have: nothing missing, doubled, or other than it was."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lns.exchange import log
from lns.exchange.records import Decoded, Stored, Uplink
from lns.series.consumer import rows_of
from lns.series.store import Key, Row, SeriesStore
from tests.acceptance.faults.inbox import Inbox, Told

_EVER_US = 4_000_000_000_000_000
_PAGE = 5000


class Truth:
    """The log's records, read on from where the last reading ended."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        self.records: list[Stored] = []
        self.told: list[int] = []
        """Seqs of what outlets tell."""

    def close(self) -> None:
        self._connection.close()

    def read(self) -> None:
        """Read what is new."""
        after = self.records[-1].seq if self.records else 0
        found, _ = log.read(self._connection, after, frozenset(log.TOPICS), 10_000_000)
        self.records += found
        self.told += [stored.seq for stored in found if stored.topic != "event"]

    def upto(self, seq: int) -> list[Stored]:
        """All records up to a seq; AssertionError where the log has a gap or a frame twice."""
        self.read()
        chosen = self.records[:seq]
        assert [stored.seq for stored in chosen] == list(range(1, seq + 1))
        check_decoding(chosen)
        return chosen


def check_decoding(records: Sequence[Stored]) -> None:
    """Each uplink is in the log once, and what it was decoded to at most once and without a failure."""
    ids = Counter(stored.record.id for stored in records if isinstance(stored.record, Uplink))
    decoded = [stored.record for stored in records if isinstance(stored.record, Decoded)]
    origins = Counter(one.uplink_seq for one in decoded)
    assert [key for key, count in (*ids.items(), *origins.items()) if count > 1] == []
    assert [one.failure for one in decoded if one.failure is not None] == []
    assert {one.id for one in decoded} <= ids.keys()


def messages_of(records: Iterable[Stored]) -> dict[str, list[Told]]:
    """What an outlet has to tell of each device, in order."""
    found: defaultdict[str, list[Told]] = defaultdict(list)
    for stored in records:
        record = stored.record
        if isinstance(record, Uplink):
            what: Any = (record.fcnt_up, record.data.hex())
            found[record.dev_eui].append((stored.seq, record.id.hex(), "uplink", what))
        elif isinstance(record, Decoded):
            values = sorted((m.field, m.value, m.unit) for m in record.measurements)
            found[record.dev_eui].append((stored.seq, record.id.hex(), "measurements", (record.fcnt_up, values)))
    return dict(found)


def check_inbox(name: str, inbox: Inbox, records: Sequence[Stored]) -> None:
    """The receiver has every message, each device's in its order, and none that nobody sent."""
    assert not inbox.odd, f"{name}: {inbox.odd[:3]}"
    upto = records[-1].seq
    wanted = messages_of(records)
    for dev_eui in wanted.keys() | inbox.by_device.keys():
        got = [told for told in inbox.by_device.get(dev_eui, {}).values() if told[0] <= upto]
        want = wanted.get(dev_eui, [])
        lacking = {told[0] for told in want} - {told[0] for told in got}
        assert not lacking, f"{name} lacks {sorted(lacking)[:9]} of {dev_eui}"
        differing = [pair for pair in zip(got, want, strict=False) if pair[0] != pair[1]]
        assert got == want, f"{name} has of {dev_eui} first what differs from what was sent then: {differing[:1]}"


async def check_store(name: str, store: SeriesStore, records: Sequence[Stored]) -> None:
    """The store has every measurement of the records, each once and as it was."""
    upto = records[-1].seq
    want = Counter(rows_of([stored for stored in records if stored.topic == "decoded"]))
    got = Counter(row for row in await rows_in(store) if row.seq <= upto)
    missing, unexpected = list((want - got).elements()), list((got - want).elements())
    assert not missing, f"{name} lacks {len(missing)} measurements: {missing[:3]}"
    assert not unexpected, f"{name} has {len(unexpected)} measurements too much: {unexpected[:3]}"


async def rows_in(store: SeriesStore) -> list[Row]:
    """Everything a store holds."""
    rows: list[Row] = []
    after: Key | None = None
    while page := list(await store.scan(0, _EVER_US, _PAGE, after)):
        rows += page
        after = Key(page[-1].device_id, page[-1].field, page[-1].time_us)
    return rows
