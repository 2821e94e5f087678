"""Measurements as MongoDB documents. Pure.

A document is {_id: {d: device, t: time, f: field}, v: value, u: unit, s: seq}; without a unit there is no u. Its key is
unique because _id is. Times are UTC microseconds in an int64: BSON's own dates are milliseconds.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from lns.exchange.records import Value
from lns.series.store import Key, Point, Rejected, Row, Rows

Document = dict[str, Any]

_INT64 = range(-(2**63), 2**63)


def key_of(device_id: int, field: str, time_us: int) -> Document:
    """An _id. Documents are compared field by field, so a device's rows lie in the order of time, then field."""
    return {"d": device_id, "t": time_us, "f": field}


def ends(device_id: int, from_us: int, to_us: int) -> Document:
    """The condition on _id of a device's rows in [from_us, to_us): a document is less than one it is the start of."""
    return {"$gte": {"d": device_id, "t": int64(from_us)}, "$lt": {"d": device_id, "t": int64(to_us)}}


def int64(number: int) -> int:
    """The nearest integer that BSON can hold."""
    return min(max(number, _INT64[0]), _INT64[-1])


def unfit(rows: Rows, indexes: Iterable[int]) -> list[Rejected]:
    """Rows whose integers BSON cannot hold."""
    if not rows or (_fit(rows.device_ids) and _fit(rows.seqs)):
        return []
    found = []
    for index in indexes:
        for what, number in (("device id", rows.device_ids[index]), ("seq", rows.seqs[index])):
            if number not in _INT64:
                found.append(Rejected(index, "constraint", f"{what} is {number}, at most {_INT64[-1]} fits"))
                break
    return found


def _fit(numbers: Sequence[int]) -> bool:
    return min(numbers) in _INT64 and max(numbers) in _INT64


def newest(rows: Rows, indexes: Iterable[int]) -> list[int]:
    """Of rows with one key the index of the one with the highest seq, the first of equals."""
    best: dict[tuple[int, int, str], int] = {}
    for index in indexes:
        key = (rows.device_ids[index], rows.times_us[index], rows.fields[index])
        other = best.setdefault(key, index)
        if rows.seqs[index] > rows.seqs[other]:
            best[key] = index
    return list(best.values())


def encode(rows: Rows, indexes: Iterable[int]) -> list[Document]:
    """The documents of rows that have passed `checks`; by column, because an object per row costs as much again."""
    devices, fields, times, seqs = rows.device_ids, rows.fields, rows.times_us, rows.seqs
    values, units = rows.values, rows.units
    documents: list[Document] = []
    for i in indexes:
        key = {"d": devices[i], "t": times[i], "f": fields[i]}
        if units[i] is None:
            documents.append({"_id": key, "v": stored(values[i]), "s": seqs[i]})
        else:
            documents.append({"_id": key, "v": stored(values[i]), "u": units[i], "s": seqs[i]})
    return documents


def stored(value: Value) -> Value:
    """Numbers are float64; adding zero turns a negative zero into zero."""
    return value if type(value) is bool or isinstance(value, str) else float(value) + 0.0


def decode(document: Document) -> Row:
    key = document["_id"]
    return Row(key["d"], key["f"], key["t"], document["v"], document.get("u"), document["s"])


def point(document: Document) -> Point:
    return Point(document["_id"]["t"], document["v"], document.get("u"))


def after(key: Key, from_us: int, to_us: int) -> Document:
    """The condition on _id of what comes after `key` among its device's rows in [from_us, to_us)."""
    condition = ends(key.device_id, from_us, to_us)
    if key.time_us >= from_us:
        del condition["$gte"]
        condition["$gt"] = key_of(key.device_id, key.field, int64(key.time_us))
    return condition
