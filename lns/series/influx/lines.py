"""Measurements as InfluxDB points: line protocol out, columns of an answer in. Pure.

The engine merges a point with the one it holds under the same key, so a value that changed its type leaves the old one
beside it. `kind` says which column counts and whether the point has a unit.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from lns.exchange.records import Value
from lns.series.store import Row

NUMBER, FLAG, TEXT = 0, 1, 2
HAS_UNIT = 4
GONE = 8  # a removed point, where the engine cannot delete

_ODD = re.compile(
    r"[%\\\x00-\x1f\x7f]"
)  # no line carries a line break in a tag, and a final backslash eats what follows
_CODED = re.compile(r"%([0-9A-F]{2})")


def encode(measurement: str, row: Row) -> str:
    """The line of a row, its time in microseconds; the row has passed `checks`."""
    value = row.value
    if type(value) is bool:
        kind, text = FLAG, f"flag={'true' if value else 'false'}"
    elif isinstance(value, str):
        kind, text = TEXT, f"text={quoted(value)}"
    else:
        kind, text = NUMBER, f"number={float(value) + 0.0!r}"  # adding zero turns a negative zero into zero
    if row.unit is not None:
        kind += HAS_UNIT
        text += f",unit={quoted(row.unit)}"
    return f"{_series(measurement, row.device_id, row.field)} {text},kind={kind}i,seq={row.seq}i {row.time_us}"


def encode_gone(measurement: str, device_id: int, field: str, time_us: int, seq: int) -> str:
    """The line that hides a point."""
    return f"{_series(measurement, device_id, field)} kind={GONE}i,seq={seq}i {time_us}"


def decode(found: Sequence[Any]) -> tuple[Value, str | None]:
    """Value and unit of the columns number, flag, text, unit, kind."""
    number, flag, text, unit, kind = found
    value: Value = (float(number) if number is not None else 0.0, flag, text)[kind % HAS_UNIT]
    return value, unit if kind & HAS_UNIT else None


def quoted(text: str) -> str:
    """A string as a field's value."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def tag_text(name: str) -> str:
    """A name as the tag that is stored: what no tag can hold is written as %XX."""
    return _ODD.sub(lambda found: f"%{ord(found[0]):02X}", name)


def tag_name(stored: str) -> str:
    """The name that `tag_text` was made of."""
    return _CODED.sub(lambda found: chr(int(found[1], 16)), stored)


@lru_cache(100_000)
def _series(measurement: str, device_id: int, field: str) -> str:
    tag = tag_text(field).replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")
    return f"{measurement},device={device_id},field={tag}"
