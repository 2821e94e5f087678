"""Rows as PostgreSQL's binary COPY format, and the staging table for those that may be there already.

Packed by hand, one `struct` call a row: more than a million rows/s.
Source: PostgreSQL documentation, COPY, "Binary Format".
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from struct import Struct

from lns.series.postgres.connecting import PG_EPOCH_US, Conn
from lns.series.store import Rejected, Rows

STAGING = """
CREATE TEMPORARY SEQUENCE staging_n MINVALUE 0 CACHE 1000;
CREATE TEMPORARY TABLE staging (
    device_id integer, field_id integer, time timestamptz, seq bigint,
    number double precision, flag boolean, label text, unit_id integer, n integer DEFAULT nextval('staging_n')
) ON COMMIT DELETE ROWS
"""
_FROM_0 = "SELECT setval('staging_n', 0, false)"
_COPY = "COPY {} (device_id, field_id, time, seq, number, flag, label, unit_id) FROM STDIN (FORMAT BINARY)"

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_COLUMNS = 8
_NULLS = -1  # one NULL as int32, two beside each other as int64
# How many columns, then length and value of each. Where it spares a number, a length and its value are one: the fewer
# there are, the faster it packs.
_KEY = ">hqqiqiq"
_NUMBER = {True: Struct(_KEY + "idqq").pack, False: Struct(_KEY + "idqi").pack}  # with a unit, or without
_FLAG = {True: Struct(_KEY + "ii?iq").pack, False: Struct(_KEY + "ii?ii").pack}
_LABEL = Struct(_KEY + "qi").pack
_UNIT = {True: Struct(">q").pack, False: Struct(">i").pack}
_INT4_LENGTH = 4 << 32
_LOW = 0xFFFF_FFFF
_PIECE = 1000  # rows that are on their way while the next are encoded

_INT4 = range(-(2**31), 2**31)
_INT8 = range(-(2**63), 2**63)


def escaped(text: str) -> str:
    """A text as PostgreSQL can hold it: without U+0000."""
    if "\0" not in text and "\x1a" not in text:
        return text
    return text.replace("\x1a", "\x1a1").replace("\0", "\x1a0")


def plain(text: str) -> str:
    """The text that was escaped."""
    return text if "\x1a" not in text else text.replace("\x1a0", "\0").replace("\x1a1", "\x1a")


def unfit(rows: Rows) -> list[Rejected]:
    """Rows whose integers are too large for their columns."""
    if not rows or (_fits(rows.device_ids, _INT4) and _fits(rows.seqs, _INT8)):
        return []
    found = []
    for index, (device_id, seq) in enumerate(zip(rows.device_ids, rows.seqs, strict=True)):
        for what, number, fitting in (("device id", device_id, _INT4), ("seq", seq, _INT8)):
            if number not in fitting:
                found.append(Rejected(index, "constraint", f"{what} is {number}, at most {fitting[-1]} fits"))
                break
    return found


def _fits(numbers: Sequence[int], fitting: range) -> bool:
    return min(numbers) in fitting and max(numbers) in fitting


def copy_in(connection: Conn, pieces: Iterable[bytes], meanwhile: Callable[[], None]) -> None:
    """Copy encoded rows straight into the measurements; psycopg.Error where one is there already.

    `meanwhile` is called when all is sent and the server still works on it.
    """
    _copy(connection, "measurement", pieces, meanwhile)


def stage(connection: Conn, pieces: Iterable[bytes], meanwhile: Callable[[], None]) -> None:
    """Copy encoded rows into the staging table, numbered from 0."""
    connection.execute(_FROM_0)
    _copy(connection, "staging", pieces, meanwhile)


def _copy(connection: Conn, table: str, pieces: Iterable[bytes], meanwhile: Callable[[], None]) -> None:
    with connection.cursor().copy(_COPY.format(table)) as copy:
        for piece in pieces:
            copy.write(piece)
        meanwhile()


def encode(rows: Rows, field_ids: Sequence[int], unit_ids: Sequence[int | None]) -> Iterator[bytes]:
    """The whole table in the binary format, piece by piece."""
    yield _HEADER
    for start in range(0, len(rows), _PIECE):
        end = start + _PIECE
        some = Rows(
            rows.device_ids[start:end], [], rows.times_us[start:end], rows.values[start:end], [], rows.seqs[start:end]
        )
        yield _encoded(some, field_ids[start:end], unit_ids[start:end])
    yield _TRAILER


def _encoded(rows: Rows, field_ids: Sequence[int], unit_ids: Sequence[int | None]) -> bytes:
    parts: list[bytes] = []
    add = parts.append
    columns = zip(rows.device_ids, field_ids, rows.times_us, rows.values, unit_ids, rows.seqs, strict=True)
    for device_id, field_id, time_us, value, unit_id, seq in columns:
        device, field, at = _INT4_LENGTH | device_id & _LOW, _INT4_LENGTH | field_id, time_us - PG_EPOCH_US
        has_unit = unit_id is not None
        unit = _NULLS if unit_id is None else _INT4_LENGTH | unit_id
        if type(value) is bool:
            add(_FLAG[has_unit](_COLUMNS, device, field, 8, at, 8, seq, _NULLS, 1, value, _NULLS, unit))
        elif isinstance(value, str):
            octets = escaped(value).encode()
            add(_LABEL(_COLUMNS, device, field, 8, at, 8, seq, _NULLS, len(octets)))
            add(octets)
            add(_UNIT[has_unit](unit))
        else:  # + 0.0: no negative zero, no integer
            add(_NUMBER[has_unit](_COLUMNS, device, field, 8, at, 8, seq, 8, value + 0.0, _NULLS, unit))
    return b"".join(parts)
