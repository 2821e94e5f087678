"""The reading half of the InfluxDB store: InfluxQL, which all three major versions answer.

A point with the kind GONE is not there. Times outside of what `checks` lets in are cut off before they reach the
engine, whose nanoseconds end in 2262.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Any

from lns.clock import DAY_US
from lns.errors import StoreError
from lns.series.aggregate import aggregate
from lns.series.checks import EARLIEST_US, LATEST_US
from lns.series.influx.client import Client, Series, literal
from lns.series.influx.lines import GONE, HAS_UNIT, NUMBER, decode, tag_name, tag_text
from lns.series.store import Bucket, FieldInfo, Key, Point, Rows

_COLUMNS = '"number", "flag", "text", "unit", "kind"'
_PAGE = 20_000  # points fetched at once for aggregates
_MOST_DEVICES = 64  # asked at once by a scan whose devices have few rows


class Reads:
    """Queries of the points called `measurement`."""

    def __init__(self, client: Client, measurement: str) -> None:
        self._client = client
        self._from = f'FROM "{measurement}"'

    async def latest(self, device_id: int) -> list[FieldInfo]:
        where = f'"device" = \'{device_id}\' AND "kind" < {GONE}'
        query = f'SELECT {_COLUMNS} {self._from} WHERE {where} GROUP BY "field" ORDER BY time DESC LIMIT 1'
        [found] = await self._client.query([query])
        infos = []
        for series in found:
            time_us, *columns = series.values[0]
            value, unit = decode(columns)
            infos.append(FieldInfo(tag_name(series.tags["field"]), unit, value, time_us))
        return sorted(infos, key=lambda info: info.field)

    async def points(self, device_id: int, field: str, from_us: int, to_us: int, limit: int) -> list[Point]:
        times = _times(from_us, to_us)
        if times is None or limit < 1:
            return []
        where = f'{_series(device_id, field)} AND {times} AND "kind" < {GONE}'
        [found] = await self._client.query([f"SELECT {_COLUMNS} {self._from} WHERE {where} LIMIT {limit}"])
        return [Point(time_us, *decode(columns)) for time_us, *columns in _values(found)]

    async def buckets(self, device_id: int, field: str, from_us: int, to_us: int, width_us: int) -> list[Bucket]:
        """Made by the engine where all values of the range are numbers, of the points themselves where not."""
        times = _times(from_us, to_us)
        if times is None:
            return []
        where = f"{_series(device_id, field)} AND {times}"
        kinds = f'SELECT distinct("kind") {self._from} WHERE {where}'
        numbers = (
            'SELECT count("number"), mean("number"), min("number"), max("number"), sum("number"), first("number"), '
            f'last("number") {self._from} WHERE {where} GROUP BY time({width_us}u) fill(none)'
        )
        try:
            found, aggregated = await self._client.query([kinds, numbers])
        except StoreError as error:
            if "unsupported value" not in str(error):  # how the engine says that JSON has no infinity
                raise
        else:
            if {kind for _, kind in _values(found)} <= {NUMBER, NUMBER + HAS_UNIT}:
                return [
                    Bucket(start_us, count, *map(float, numbers)) for start_us, count, *numbers in _values(aggregated)
                ]
        return aggregate(await self._all_points(device_id, field, from_us, to_us), width_us)

    async def at(self, moments: Sequence[tuple[int, int]]) -> Rows:
        queries = [
            self._rows_query(f"\"device\" = '{device_id}' AND {times}", None)
            for device_id, time_us in moments
            if (times := _times(time_us, time_us + 1))
        ]
        found = await self._client.query(queries)
        return _rows(row for series in found for row in _values(series))

    async def scan(self, from_us: int, to_us: int, limit: int, after: Key | None, seq_le: int | None) -> Rows:
        """Device by device in the order of their ids, then by time and field."""
        rows: list[list[Any]] = []
        devices = await self._devices(after.device_id if after else None)
        at_once = 1
        if after is not None and devices and devices[0] == after.device_id:
            start = after if after.time_us >= from_us else Key(after.device_id, "", from_us)
            rows += await self._of_device(devices.pop(0), start, to_us, limit, seq_le)
        remaining = iter(devices)
        while len(rows) < limit and (some := list(islice(remaining, at_once))):
            rows += await self._of_devices(some, (from_us, to_us), limit - len(rows), seq_le)
            at_once = min(at_once * 2, _MOST_DEVICES)
        return _rows(rows[:limit])

    async def seqs(self, keys: Collection[Key]) -> dict[Key, tuple[int, int]]:
        """Seq and kind of the points among `keys` that the engine holds, those that are gone included."""
        spans: dict[tuple[int, int], tuple[int, int]] = {}
        for device_id, _, time_us in keys:
            part = (device_id, time_us // DAY_US)
            first, last = spans.get(part, (time_us, time_us))
            spans[part] = (min(first, time_us), max(last, time_us))
        found = await self._client.query(
            [
                f'SELECT "field", "seq", "kind" {self._from} WHERE "device" = \'{device_id}\''
                f" AND time >= {first}000 AND time <= {last}000"
                for (device_id, _), (first, last) in spans.items()
            ]
        )
        held = {}
        for (device_id, _), series in zip(spans, found, strict=True):
            for time_us, field, seq, kind in _values(series):
                held[Key(device_id, tag_name(field), time_us)] = (seq, kind)
        return {key: held[key] for key in keys if key in held}

    async def count_before(self, before_us: int) -> int:
        """Points older than `before_us`."""
        times = _times(EARLIEST_US, before_us)
        if times is None:
            return 0
        [found] = await self._client.query([f'SELECT count("kind") {self._from} WHERE {times} AND "kind" < {GONE}'])
        return sum(count for _, count in _values(found))

    async def _all_points(self, device_id: int, field: str, from_us: int, to_us: int) -> list[Point]:
        points: list[Point] = []
        while True:
            some = await self.points(device_id, field, from_us, to_us, _PAGE)
            points += some
            if len(some) < _PAGE:
                return points
            from_us = some[-1].time_us + 1

    async def _devices(self, least: int | None) -> list[int]:
        [found] = await self._client.query([f'SHOW TAG VALUES {self._from} WITH KEY = "device"'])
        devices = sorted(int(text) for _, text in _values(found))
        return [device for device in devices if least is None or device >= least]

    def _rows_query(self, where: str, limit: int | None) -> str:
        # Each row has its device and field; rows of one time come in any order.
        select = f'SELECT "device", "field", {_COLUMNS}, "seq" {self._from} WHERE {where} AND "kind" < {GONE}'
        return select if limit is None else f"{select} LIMIT {limit}"

    async def _of_devices(
        self, devices: Sequence[int], span: tuple[int, int], limit: int, seq_le: int | None
    ) -> list[list[Any]]:
        """At least the first `limit` rows of several devices together."""
        times = _times(*span)
        if times is None:
            return []
        which = times + _seq_clause(seq_le)
        found = await self._client.query(
            [self._rows_query(f"\"device\" = '{device}' AND {which}", limit + 1) for device in devices]
        )
        rows: list[list[Any]] = []
        for device, series in zip(devices, found, strict=True):
            values = _values(series)
            if len(values) > limit:  # the last moment may be cut in two
                rows += await self._of_device(device, Key(device, "", span[0]), span[1], limit - len(rows), seq_le)
            else:
                rows += sorted(values, key=_by_time_and_field)
            if len(rows) >= limit:
                break
        return rows

    async def _of_device(self, device: int, after: Key, to_us: int, limit: int, seq_le: int | None) -> list[list[Any]]:
        """At least the first `limit` rows of a device that come after a key; fewer where there are no more.

        Each page is cut between two moments, because the engine gives rows of one time in no certain order.
        """
        rows: list[list[Any]] = []
        from_us = after.time_us
        while len(rows) < limit and (times := _times(from_us, to_us)):
            which = f"\"device\" = '{device}' AND {{}}{_seq_clause(seq_le)}"
            [found] = await self._client.query([self._rows_query(which.format(times), limit + 1)])
            values = _values(found)
            more = len(values) > limit
            if more:
                last_us = values[-1][0]
                moment = f"time >= {last_us}000 AND time <= {last_us}000"
                [found] = await self._client.query([self._rows_query(which.format(moment), None)])
                values = [row for row in values if row[0] < last_us] + _values(found)
                from_us = last_us + 1
            ordered = sorted(values, key=_by_time_and_field)
            rows += [row for row in ordered if _by_time_and_field(row) > (after.time_us, after.field)]
            if not more:
                break
        return rows


def _series(device_id: int, field: str) -> str:
    return f'"device" = \'{device_id}\' AND "field" = {literal(tag_text(field))}'


def _times(from_us: int, to_us: int) -> str | None:
    from_us, to_us = max(from_us, EARLIEST_US), min(to_us, LATEST_US)
    return f"time >= {from_us}000 AND time < {to_us}000" if from_us < to_us else None


def _seq_clause(seq_le: int | None) -> str:
    return "" if seq_le is None else f' AND "seq" <= {seq_le}'


def _values(found: Iterable[Series]) -> list[list[Any]]:
    return [values for series in found for values in series.values]


def _by_time_and_field(row: list[Any]) -> tuple[int, str]:
    return row[0], tag_name(row[2])


def _rows(found: Iterable[list[Any]]) -> Rows:
    rows = Rows()
    for time_us, device, field, *columns, seq in found:
        value, unit = decode(columns)
        rows.device_ids.append(int(device))
        rows.fields.append(tag_name(field))
        rows.times_us.append(time_us)
        rows.values.append(value)
        rows.units.append(unit)
        rows.seqs.append(seq)
    return rows
