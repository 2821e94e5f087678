"""Uplinks as Parquet and back, every field of them. The only module that knows pyarrow.

Receptions are a list of structs; times are timestamps in UTC microseconds, so that query engines read them as such;
a modulation is its name and the columns that it has, the others are null.
"""

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from lns.archive.manifest import Numbered
from lns.errors import StoreError
from lns.exchange.records import Rx, Stored, Uplink
from lns.lorawan.modulation import Modulation

_UTC_US = pa.timestamp("us", tz="UTC")
_PIECE = 2000  # uplinks made into a column at once: no other thread runs while pyarrow does that
_TAG = "type"  # msgspec's name of what tells modulations apart

UPLINK_COLUMNS = {  # field of an uplink: column, type
    "id": ("id", pa.binary(16)),
    "device_id": ("device_id", pa.int64()),
    "application_id": ("application_id", pa.int64()),
    "dev_eui": ("dev_eui", pa.string()),
    "dev_addr": ("dev_addr", pa.string()),
    "fcnt_up": ("fcnt_up", pa.int64()),
    "fport": ("fport", pa.int16()),
    "data": ("data", pa.binary()),
    "confirmed": ("confirmed", pa.bool_()),
    "adr": ("adr", pa.bool_()),
    "dr": ("dr", pa.int16()),
    "freq_hz": ("freq_hz", pa.int64()),
    "received_at_us": ("received_at", _UTC_US),
    "region": ("region", pa.string()),
    "version": ("version", pa.int32()),
}
RX_COLUMNS = {  # the same of a reception
    "gateway_eui": ("gateway_eui", pa.string()),
    "rssi_dbm": ("rssi_dbm", pa.float64()),
    "snr_db": ("snr_db", pa.float64()),
    "tmst_us": ("tmst_us", pa.int64()),
    "received_at_us": ("received_at", _UTC_US),
    "chan": ("chan", pa.int32()),
    "rf_chain": ("rf_chain", pa.int32()),
    "antenna": ("antenna", pa.int32()),
    "gateway_time_us": ("gateway_time", _UTC_US),
    "gps_time_ms": ("gps_time_ms", pa.int64()),
    "fine_time_ns": ("fine_time_ns", pa.int64()),
    "freq_offset_hz": ("freq_offset_hz", pa.int64()),
}
MODULATION_COLUMNS = {
    _TAG: ("modulation", pa.string()),
    "sf": ("sf", pa.int16()),
    "bw_hz": ("bw_hz", pa.int64()),
    "coding_rate": ("coding_rate", pa.string()),
    "bitrate_bps": ("bitrate_bps", pa.int64()),
    "ocw_hz": ("ocw_hz", pa.int64()),
    "grid_steps": ("grid_steps", pa.int32()),
}
_RX_TYPE = pa.struct(list(RX_COLUMNS.values()))
SCHEMA = pa.schema(
    [
        ("seq", pa.int64()),
        *UPLINK_COLUMNS.values(),
        *MODULATION_COLUMNS.values(),
        ("rx", pa.list_(_RX_TYPE)),
    ],
    metadata={"inflight.uplinks": "1"},
)
DECODES_SCHEMA = pa.schema(
    [("uplink_seq", pa.int64()), ("codec_version_id", pa.int64())], metadata={"inflight.decodes": "1"}
)


def encode(part: Sequence[Numbered]) -> bytes:
    """A Parquet file of uplinks in the order of their seqs; the same uplinks give the same bytes."""
    tables = [_table(part[start : start + _PIECE]) for start in range(0, len(part), _PIECE)]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.concat_tables(tables), sink, compression="zstd")
    return bytes(sink.getvalue())


def _table(part: Sequence[Numbered]) -> Any:
    uplinks = [uplink for _, uplink in part]
    modulations = [msgspec.to_builtins(uplink.modulation) for uplink in uplinks]
    arrays = [pa.array([seq for seq, _ in part], pa.int64())]
    arrays += _arrays(uplinks, UPLINK_COLUMNS)
    arrays += [pa.array([m.get(name) for m in modulations], kind) for name, (_, kind) in MODULATION_COLUMNS.items()]
    arrays.append(_receptions(uplinks))
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _arrays(records: Sequence[Any], columns: dict[str, tuple[str, Any]]) -> list[Any]:
    return [pa.array([getattr(one, name) for one in records], kind) for name, (_, kind) in columns.items()]


def _receptions(uplinks: Sequence[Uplink]) -> Any:
    """A list of structs for each uplink, made column by column: a dictionary for each reception costs more."""
    offsets = [0]
    for uplink in uplinks:
        offsets.append(offsets[-1] + len(uplink.rx))
    columns = _arrays([rx for uplink in uplinks for rx in uplink.rx], RX_COLUMNS)
    structs = pa.StructArray.from_arrays(columns, fields=list(_RX_TYPE))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs)


def encode_decodes(versions: dict[int, int | None]) -> bytes:
    """A Parquet file of codec versions by the seq of the uplink that they have decoded; null: none was in use."""
    seqs = sorted(versions)
    columns = [pa.array(seqs, pa.int64()), pa.array([versions[seq] for seq in seqs], pa.int64())]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(columns, schema=DECODES_SCHEMA), sink, compression="zstd")
    return bytes(sink.getvalue())


def decode_decodes(name: str, data: bytes) -> dict[int, int | None]:
    """What `encode_decodes` was given. StoreError: `data`, called `name` in the text, is no such file."""
    seqs, versions = _read(name, data, DECODES_SCHEMA).columns
    return dict(zip(seqs.to_pylist(), versions.to_pylist(), strict=True))


def _read(name: str, data: bytes, schema: Any) -> Any:
    try:
        table = pq.ParquetFile(pa.BufferReader(data)).read()
    except (pa.ArrowException, OSError) as error:
        raise StoreError(f"the archive's file {name} is damaged: {_first_line(error)}") from error
    if missing := set(schema.names) - set(table.schema.names):
        raise StoreError(f"the archive's file {name} has no column {', '.join(sorted(missing))}")
    return table


class UplinkFile:
    """A file's uplinks. StoreError: `data`, called `name` in the text, is no such file."""

    def __init__(self, name: str, data: bytes) -> None:
        self._table = _read(name, data, SCHEMA)
        self.seqs: list[int] = self._table.column("seq").to_pylist()

    def after(self, seq: int, limit: int) -> list[Stored]:
        """The first `limit` uplinks after a seq."""
        start = bisect_right(self.seqs, seq)
        return _stored(self._table.slice(start, limit)) if start < len(self.seqs) else []


def _stored(table: Any) -> list[Stored]:
    whole = table.combine_chunks()
    columns = {name: _values(whole.column(column)) for name, (column, _) in UPLINK_COLUMNS.items()}
    modulation_columns = (whole.column(column).to_pylist() for column, _ in MODULATION_COLUMNS.values())
    columns["modulation"] = [_modulation(values) for values in zip(*modulation_columns, strict=True)]
    columns["rx"] = _receptions_of(whole.column("rx").combine_chunks())
    in_order = (columns[name] for name in Uplink.__struct_fields__)
    uplinks = [Uplink(*values) for values in zip(*in_order, strict=True)]
    seqs = whole.column("seq").to_pylist()
    return [Stored(seq, "uplink", uplink) for seq, uplink in zip(seqs, uplinks, strict=True)]


def _values(column: Any) -> list[Any]:
    """Python values; times as integers, which hold more than a datetime does."""
    values: list[Any] = (column.cast(pa.int64()) if column.type == _UTC_US else column).to_pylist()
    return values


def _receptions_of(lists: Any) -> list[tuple[Rx, ...]]:
    columns = dict(zip((name for name, _ in RX_COLUMNS.values()), lists.flatten().flatten(), strict=True))
    fields = [_values(columns[RX_COLUMNS[name][0]]) for name in Rx.__struct_fields__]
    flat = map(Rx, *fields)
    return [tuple(islice(flat, count)) for count in lists.value_lengths().to_pylist()]


@lru_cache(maxsize=1024)
def _modulation(values: tuple[Any, ...]) -> Modulation:
    given = {name: value for name, value in zip(MODULATION_COLUMNS, values, strict=True) if value is not None}
    found: Modulation = msgspec.convert(given, Modulation)
    return found


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
