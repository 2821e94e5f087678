"""What a backfill has found: what was missing and is there now, what was there, what could not be decoded. Pure."""

from collections.abc import Iterable

import msgspec

MAX_FIELDS = 500
MAX_DEVICES = 1000
MAX_RANGES = 100
APART_US = 3_600_000_000
"""Missing measurements that are closer than this are one range."""


class Gained(msgspec.Struct):
    """How many measurements were missing, and the first and last time they have, UTC microseconds."""

    count: int
    first_us: int
    last_us: int

    def join(self, other: "Gained") -> None:
        """With those of another."""
        self.count += other.count
        self.first_us, self.last_us = min(self.first_us, other.first_us), max(self.last_us, other.last_us)


class Found(msgspec.Struct):
    """Counts of a page, or of all pages so far.

    `uplinks` were decoded again; of these `failed` could not be, by reason, `skipped` have no payload for a codec, and
    `otherwise` were decoded with the version of now because the one of then is not known. Of their measurements,
    `missing` were not in the store, `present` were, and `differing` were with another value, which stays. `rejected` of
    the missing ones the store has set aside; the others are there now. `fields`, `devices` (by DevEUI; those that are
    too many under an empty name) and `ranges` are of the missing ones. `messages` were sent again, where an outlet is
    filled.
    """

    uplinks: int = 0
    skipped: int = 0
    otherwise: int = 0
    missing: int = 0
    present: int = 0
    differing: int = 0
    rejected: int = 0
    messages: int = 0
    failed: dict[str, int] = {}
    fields: dict[str, Gained] = {}
    devices: dict[str, Gained] = {}
    ranges: list[Gained] = []

    @property
    def rows(self) -> int:
        """Measurements that were looked at."""
        return self.missing + self.present + self.differing

    def miss(self, rows: Iterable[tuple[str, str, int]]) -> None:
        """Count missing measurements: DevEUI, field, time."""
        for dev_eui, field, time_us in sorted(rows, key=lambda row: row[2]):
            one = Gained(1, time_us, time_us)
            self.missing += 1
            _gain(self.fields, field, one, MAX_FIELDS)
            _gain(self.devices, dev_eui, one, MAX_DEVICES)
            _extend(self.ranges, one)

    def add(self, page: "Found") -> None:
        """Count what another page was found to be; the page is not changed and not shared."""
        for name in ("uplinks", "skipped", "otherwise", "missing", "present", "differing", "rejected", "messages"):
            setattr(self, name, getattr(self, name) + getattr(page, name))
        for reason, count in page.failed.items():
            self.failed[reason] = self.failed.get(reason, 0) + count
        for field, gained in page.fields.items():
            _gain(self.fields, field, gained, MAX_FIELDS)
        for dev_eui, gained in page.devices.items():
            _gain(self.devices, dev_eui, gained, MAX_DEVICES)
        for gained in page.ranges:
            _extend(self.ranges, gained)


def _gain(table: dict[str, Gained], name: str, gained: Gained, most: int) -> None:
    known = table.get(name)
    if known is None and len(table) >= most:
        name = ""
        known = table.get(name)
    if known is None:
        table[name] = Gained(gained.count, gained.first_us, gained.last_us)
    else:
        known.join(gained)


def _extend(ranges: list[Gained], gained: Gained) -> None:
    """Pages come in the order of time: what follows the last range soon belongs to it, as does what is too many."""
    if ranges and (gained.first_us - ranges[-1].last_us <= APART_US or len(ranges) >= MAX_RANGES):
        ranges[-1].join(gained)
    else:
        ranges.append(Gained(gained.count, gained.first_us, gained.last_us))
