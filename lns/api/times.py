"""Instants and durations as the API writes and reads them: RFC 3339 in UTC with microseconds, and `90s` or `1h`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def text(at_us: int) -> str:
    """RFC 3339 of UTC microseconds."""
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="microseconds")[:-6] + "Z"


def text_or_none(at_us: int | None) -> str | None:
    """RFC 3339, or None for never."""
    return None if at_us is None else text(at_us)


def parse_instant(value: object) -> int:
    """UTC microseconds of an RFC 3339 text; a time without a zone is UTC. ValueError names the value."""
    try:
        when = datetime.fromisoformat(str(value))
        at = when.replace(tzinfo=UTC) if when.tzinfo is None else when
        return (at - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        raise ValueError(f"{str(value)[:40]!r} is not a time such as 2026-01-31T08:00:00Z") from None


def parse_duration(value: object) -> int:
    """Seconds of `90s`, `15m`, `1h`, `7d` or `2w`. ValueError names the value."""
    match = re.fullmatch(r"([0-9]{1,9})([smhdw])", str(value))
    if match is None or int(match[1]) == 0:
        raise ValueError(f"{str(value)[:40]!r} is not a duration such as 90s, 15m, 1h, 7d or 2w")
    return int(match[1]) * _UNITS_S[match[2]]


Instant = Annotated[
    int,
    BeforeValidator(parse_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T08:00:00Z"]}),
]
"""A query parameter given as RFC 3339, received as UTC microseconds."""

Duration = Annotated[
    int, BeforeValidator(parse_duration), WithJsonSchema({"type": "string", "examples": ["15m", "1h", "1d"]})
]
"""A query parameter given as 15m or 1h, received as seconds."""
