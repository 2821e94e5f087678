"""The version of a codec that a device template stays with, whichever is active."""

from sqlalchemy import Connection, select

from lns.registry.errors import conflict, invalid
from lns.registry.schema import codec_version


def pinned(connection: Connection, codec_id: int | None, number: int | None) -> int | None:
    """The id of version `number` of a codec. A draft may be tried on one template, but not with failing examples."""
    if number is None:
        return None
    if codec_id is None:
        raise invalid(f"codec_version is {number}, but no codec is named")
    v = codec_version.c
    row = connection.execute(select(v.id, v.state, v.failed).where(v.codec_id == codec_id, v.number == number)).first()
    if row is None:
        raise invalid(f"codec_version is {number}: the codec has no such version")
    if row.state == "draft" and row.failed:
        raise conflict(f"codec_version is {number}: {row.failed} example(s) of that draft fail")
    return int(row.id)
