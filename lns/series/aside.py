"""The form in which stores keep the rows they set aside. Pure."""

import json
from hashlib import blake2b

from lns.series.store import Rejected, Row


def encode(row: Row) -> str:
    """A row as JSON; the standard library's carries NaN and half surrogates there and back."""
    columns = (row.device_id, row.field, row.time_us, row.value, row.unit, row.seq)
    return json.dumps(columns, default=repr)


def decode(text: str) -> Row:
    """The row that was encoded."""
    return Row(*json.loads(text))


def digest(text: str) -> bytes:
    """What an encoded row is known by: one that comes again is not kept twice."""
    return blake2b(text.encode(), digest_size=16).digest()


def why(rejected: Rejected) -> dict[str, str]:
    """The columns that say why it was set aside."""
    return {"code": rejected.code, "reason": rejected.reason}
