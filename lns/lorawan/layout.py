"""Tables of commands: what a command's octets look like, and the two functions that read and write them.

The MAC commands and the application-layer packages are such tables. A command has no length of its own, so an unknown
CID or a cut-off command ends a run; those before it still count. Frequencies are in Hz, identifiers in display order,
keys as they are.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

import construct as c
import msgspec


class Command(msgspec.Struct, frozen=True):
    """One command; `fields` is JSON-ready."""

    cid: int
    name: str
    fields: dict[str, Any]


class Row(msgspec.Struct, frozen=True):
    """A command's place in a table.

    `parts` follow each other in the octets and share the fields; a part finds those before it in its `_params`.
    """

    cid: int
    name: str
    parts: tuple[Any, ...] = ()


class _Frequency(c.Adapter):  # type: ignore[misc]
    """24 bits in steps of 100 Hz, as Hz."""

    def _decode(self, obj: int, context: Any, path: str) -> int:
        return obj * 100

    def _encode(self, obj: int, context: Any, path: str) -> int:
        if obj % 100:
            raise c.ValidationError(f"{obj} Hz is not a multiple of 100 Hz", path=path)
        return obj // 100


class Hex(c.Adapter):  # type: ignore[misc]
    """Octets as hex in the order they are sent."""

    def _decode(self, obj: bytes, context: Any, path: str) -> str:
        return obj.hex()

    def _encode(self, obj: str, context: Any, path: str) -> bytes:
        return bytes.fromhex(obj)


class Names(c.Adapter):  # type: ignore[misc]
    """A number whose bits, from bit 0 on, have names: the list of those that are set."""

    def __init__(self, *names: str) -> None:
        super().__init__(c.BitsInteger(len(names)))
        self._names = names

    def _decode(self, obj: int, context: Any, path: str) -> list[str]:
        return [name for bit, name in enumerate(self._names) if obj >> bit & 1]

    def _encode(self, obj: list[str], context: Any, path: str) -> int:
        if unknown := set(obj).difference(self._names):
            raise c.ValidationError(f"{min(unknown)} is none of {', '.join(self._names)}", path=path)
        return sum(1 << bit for bit, name in enumerate(self._names) if name in obj)


def le(bits: int) -> Any:
    """A little-endian number."""
    return c.BitsInteger(bits, swapped=True)


def le_bits(*fields: Any) -> Any:
    """Bit fields of a little-endian number of several octets, the most significant first."""
    return c.ByteSwapped(c.BitStruct(*fields))


RFU = c.Padding
u = c.BitsInteger
octets = c.BitStruct  # bit fields, the most significant of the first octet first

FREQUENCY = _Frequency(le(24))
DEV_ADDR = Hex(c.ByteSwapped(c.Bytes(4)))


def flags(*names: str) -> tuple[Any]:
    """One octet of flags, bit 0 first."""
    return (octets(RFU(8 - len(names)), *(name / c.Flag for name in reversed(names))),)


class Table:
    """The commands of both directions."""

    def __init__(self, uplink: Iterable[Row], downlink: Iterable[Row]) -> None:
        self._rows = {True: tuple(uplink), False: tuple(downlink)}
        self._by_cid = {way: {row.cid: row for row in rows} for way, rows in self._rows.items()}
        self._by_name = {way: {row.name: row for row in rows} for way, rows in self._rows.items()}

    def parse(self, data: bytes, uplink: bool) -> tuple[list[Command], str | None]:
        """The commands in `data`, in clear, and what ended the run before its end, if anything did."""
        rows = self._by_cid[uplink]
        commands: list[Command] = []
        stream = BytesIO(data)
        while octet := stream.read(1):
            cid = octet[0]
            row = rows.get(cid)
            if row is None:
                return commands, f"cid {cid:02x} at octet {stream.tell() - 1} is not known"
            at = stream.tell()
            try:
                fields = _parse_fields(row, stream)
            except c.StreamError:
                return commands, f"{row.name} is cut off after {len(data) - at} octets"
            commands.append(Command(cid, row.name, fields))
        return commands, None

    def encode(self, name: str, uplink: bool, **fields: Any) -> bytes:
        """CID and payload of one command. ValueError for an unknown name, a wrong set of fields, a value too big."""
        row = self._by_name[uplink].get(name)
        if row is None:
            raise ValueError(f"{name} is no {'uplink' if uplink else 'downlink'} command")
        try:
            built = b"".join([part.build(fields, **fields) for part in row.parts])
        except KeyError as error:
            raise ValueError(f"{name} needs the field {error.args[0]}") from error
        except c.ConstructError as error:
            raise ValueError(f"{name} cannot be built: {error}") from error
        if unknown := fields.keys() - _parse_fields(row, BytesIO(built)).keys():
            raise ValueError(f"{name} has no field {min(unknown)}")
        return bytes((row.cid,)) + built


def _parse_fields(row: Row, stream: BytesIO) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for part in row.parts:
        fields.update(part.parse_stream(stream, **fields))
        fields.pop("_io", None)  # construct leaves its stream there
    return fields
