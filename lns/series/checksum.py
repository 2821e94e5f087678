"""The checksum of a time slice: the same on every store that holds the same rows, whatever its order of keys.

It is computed here over `scan`, a page at a time, because no two engines share a hash; a row counts 64 bits, and these
are added and xored, so that no order of rows matters. A number counts as its float64, zero without a sign, as every
store keeps it. The seq of a row is not part of it: a copy may have its own.
"""

import asyncio
from collections.abc import Iterator
from functools import reduce
from hashlib import blake2b
from operator import xor
from struct import Struct

import msgspec

from lns.exchange.records import Value
from lns.series.store import Key, Rows, SeriesReader

_PAGE_ROWS = 5000  # about 10 ms of hashing
_MOST_BUCKETS = 1_000_000
_MASK = 2**64 - 1
_NO_UNIT = 0xFFFF  # longer than any unit

_NAMES = Struct("<HH")  # bytes of the field and of the unit, which follow
_NUMBER = Struct("<qqcd")  # device, time, kind, value
_OTHER = Struct("<qqc")  # device, time, kind; the value follows


class Checksum(msgspec.Struct, frozen=True):
    """Rows of a slice, and the sum (mod 2^64) and exclusive or of their 64-bit hashes."""

    count: int = 0
    sum: int = 0
    xor: int = 0

    def __add__(self, other: "Checksum") -> "Checksum":
        """Of two slices without a common row together."""
        return Checksum(self.count + other.count, (self.sum + other.sum) & _MASK, self.xor ^ other.xor)


_NOTHING = Checksum()


async def checksum(reader: SeriesReader, from_us: int, to_us: int, seq_le: int | None = None) -> Checksum:
    """Of all rows in [from_us, to_us), those that a record after `seq_le` wrote left out."""
    found = await _by_bucket(reader, from_us, to_us, None, seq_le)
    return found.get(0, _NOTHING)


async def checksums(
    reader: SeriesReader, from_us: int, to_us: int, width_us: int, seq_le: int | None = None
) -> dict[int, Checksum]:
    """The same for each bucket that holds a row, by its start, a multiple of `width_us`, in the order of time.

    ValueError where there are more buckets than are kept in memory.
    """
    buckets = (to_us - from_us) // width_us
    if buckets > _MOST_BUCKETS:
        raise ValueError(f"the range has {buckets} buckets, at most {_MOST_BUCKETS} fit")
    found = await _by_bucket(reader, from_us, to_us, width_us, seq_le)
    return dict(sorted(found.items()))


async def _by_bucket(
    reader: SeriesReader, from_us: int, to_us: int, width_us: int | None, seq_le: int | None
) -> dict[int, Checksum]:
    totals: dict[int, Checksum] = {}
    after: Key | None = None
    while True:
        page = await reader.scan(from_us, to_us, _PAGE_ROWS, after, seq_le)
        for start_us, part in (await asyncio.to_thread(_of_page, page, width_us)).items():
            totals[start_us] = totals.get(start_us, _NOTHING) + part
        if len(page) < _PAGE_ROWS:
            return totals
        after = Key(page.device_ids[-1], page.fields[-1], page.times_us[-1])


def _of_page(page: Rows, width_us: int | None) -> dict[int, Checksum]:
    """By the start of the bucket; all in bucket 0 where there is no width."""
    hashes: dict[int, list[int]] = {}
    for time_us, mixed in zip(page.times_us, _mixed(page), strict=True):
        hashes.setdefault(0 if width_us is None else time_us - time_us % width_us, []).append(mixed)
    return {start: Checksum(len(some), sum(some) & _MASK, reduce(xor, some)) for start, some in hashes.items()}


def _mixed(page: Rows) -> Iterator[int]:
    """The hash of each row. Names and texts go with their lengths, so that no two rows look alike."""
    names: dict[tuple[str, str | None], bytes] = {}
    columns = (page.device_ids, page.fields, page.times_us, page.values, page.units)
    for device_id, field, time_us, value, unit in zip(*columns, strict=True):
        name = names.get((field, unit)) or names.setdefault((field, unit), _named(field, unit))
        if type(value) is float:
            row = _NUMBER.pack(device_id, time_us, b"n", value + 0.0)
        else:
            row = _other(device_id, time_us, value)
        yield int.from_bytes(blake2b(name + row, digest_size=8).digest(), "little")


def _named(field: str, unit: str | None) -> bytes:
    name, measured_in = field.encode(), b"" if unit is None else unit.encode()
    return _NAMES.pack(len(name), _NO_UNIT if unit is None else len(measured_in)) + name + measured_in


def _other(device_id: int, time_us: int, value: Value) -> bytes:
    if type(value) is bool:
        return _OTHER.pack(device_id, time_us, b"b") + (b"\1" if value else b"\0")
    if isinstance(value, str):
        return _OTHER.pack(device_id, time_us, b"t") + value.encode()
    return _NUMBER.pack(device_id, time_us, b"n", value + 0.0)
