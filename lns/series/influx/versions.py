"""What differs between the APIs of InfluxDB 1, 2 and 3, and what their refusals of a write mean. Pure.

Sources: docs.influxdata.com, influxdb/v1 "InfluxDB API reference", influxdb/v2 "InfluxDB v2 API" (write, delete) and
"1.x compatibility API", influxdb3/core "Write data with the v3 write_lp endpoint" (its section on partial writes gives
the refusal). All three answer InfluxQL on /query; version 3 takes one statement a request ("must provide only one
InfluxQl statement per query" is an error of its server).
"""

import base64
import re
from collections.abc import Sequence
from enum import Enum
from typing import Any

import msgspec

from lns.config.stores import Influx


class Deletes(Enum):
    """How points are deleted."""

    INFLUXQL = "a DELETE statement"
    PREDICATE = "a request with a predicate"
    HIDING = "not at all: a point is overwritten by one that says it is gone"


class Create(Enum):
    """How a database is made."""

    INFLUXQL = "a CREATE DATABASE statement"
    REQUEST = "a request of its own"
    BY_HAND = "by its owner: a bucket belongs to an organisation"


class Api(msgspec.Struct, frozen=True):
    """The requests of one major version."""

    write_path: str
    database_key: str
    precision: str
    scheme: str  # of the Authorization header
    deletes: Deletes
    create: Create
    statements: int  # of InfluxQL in one request


APIS = {
    1: Api("/write", "db", "u", "Basic", Deletes.INFLUXQL, Create.INFLUXQL, 200),
    2: Api("/api/v2/write", "bucket", "us", "Token", Deletes.PREDICATE, Create.BY_HAND, 200),
    3: Api("/api/v3/write_lp", "db", "microsecond", "Bearer", Deletes.HIDING, Create.REQUEST, 1),
}


def write_params(settings: Influx) -> dict[str, str]:
    """The query string of a write."""
    api = APIS[settings.version]
    params = {api.database_key: settings.database, "precision": api.precision}
    return params | ({"org": settings.org} if settings.version == 2 else {})


def authorization(settings: Influx, secret: str) -> dict[str, str]:
    """The header that logs in; none where no secret is given."""
    if not secret:
        return {}
    if settings.version == 1:
        secret = base64.b64encode(f"{settings.username}:{secret}".encode()).decode()
    return {"Authorization": f"{APIS[settings.version].scheme} {secret}"}


class Fault(msgspec.Struct, frozen=True):
    """A write refused for its points. `named`: index to reason of those the answer names, or of all where it counts
    them all; `rest_stored`: the others are in the store; where it is false they have to be sent again."""

    text: str
    named: dict[int, str]
    rest_stored: bool


class _Body(msgspec.Struct):
    error: str = ""
    message: str = ""
    data: Any = None


REFUSED, PAST_RETENTION = "refused", "past_retention"
_BEYOND_RETENTION = "beyond retention policy"
_ROW_FAULTS = ("unable to parse", "field type conflict", _BEYOND_RETENTION, "partial write of line protocol")
_DROPPED = re.compile(r" dropped=([1-9]\d*)")


def fault(status: int, body: bytes, lines: Sequence[str]) -> Fault | None:
    """What a refusal says of the points sent; None where it is no point's fault."""
    text, data = refusal(body)
    if status not in (400, 422) or not any(known in text for known in _ROW_FAULTS):
        return None
    named = _numbered(data, len(lines))
    if not named:
        start = "unable to parse '{}': "
        for index, line in enumerate(lines):
            _, found, reason = text.partition(start.format(line))
            if found:
                named[index] = _DROPPED.sub("", reason.partition("\nunable to parse '")[0]).removesuffix(" dropped=0")
    dropped = _DROPPED.search(text)
    if dropped and int(dropped[1]) >= len(lines):
        named = dict.fromkeys(range(len(lines)), _DROPPED.sub("", text))
    partial = "partial write" in text
    return Fault(text, named, partial and (data is not None or not dropped))


def code_of(reason: str) -> str:
    """The slug of a refused point: what is older than the server keeps is no sign of a wrong schema."""
    return PAST_RETENTION if _BEYOND_RETENTION in reason else REFUSED


def refusal(body: bytes) -> tuple[str, Any]:
    """The sentence of an error answer, and the list of lines that version 3 adds."""
    try:
        decoded = msgspec.json.decode(body, type=_Body)
    except msgspec.MsgspecError:  # a proxy's page
        return body[:200].decode("utf-8", "replace"), None
    return decoded.error or decoded.message, decoded.data


def _numbered(data: Any, count: int) -> dict[int, str]:
    named = {}
    for item in data if isinstance(data, list) else []:
        number = item.get("line_number") if isinstance(item, dict) else None
        if isinstance(number, int) and 1 <= number <= count:
            named[number - 1] = str(item.get("error_message", "refused"))
    return named
