"""Reads what can be read of a PUSH_DATA body that is not sound as a whole. Pure; time is linear in the length.

Three depths: JSON that is well formed is split by its syntax and each rxpk read on its own, field by field where it
must be; broken JSON is first rid of the bare words that C forwarders print; what is still broken is cut at its braces.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from lns.gateways.rxpk import GatewayStat, Rsig, Rxpk
from lns.gateways.words import UNREADABLE, octets_of

MAX_RXPK = 255
"""Most rxpk read of one body: sx1302 forwarders fetch up to 255 packets at once."""

MAX_ANTENNAS = 16
"""Most antennas read of one rxpk that has an odd field."""


_Piece = Raw | bytes


class _LooseBody(Struct):
    rxpk: Raw = Raw(b"[]")
    stat: Raw = Raw(b"null")


_decode_loose = msgspec.json.Decoder(_LooseBody).decode
_decode_list = msgspec.json.Decoder(list[Raw]).decode
_decode_rxpk = msgspec.json.Decoder(Rxpk).decode
_decode_stat: Callable[[_Piece], GatewayStat | None] = msgspec.json.Decoder(GatewayStat | None).decode


def take_apart(body: bytes, problems: list[str]) -> tuple[list[Rxpk], GatewayStat | None]:
    """Read each rxpk and the status on its own."""
    pieces, stat = _pieces(body, problems)
    if len(pieces) > MAX_RXPK:
        problems.append("too_many_rxpk")
        del pieces[MAX_RXPK:]
    packets = [rxpk for piece in pieces if (rxpk := _read_rxpk(piece, problems)) is not None]
    return packets, None if stat is None else _read_stat(stat, problems)


def _pieces(body: bytes, problems: list[str]) -> tuple[list[_Piece], _Piece | None]:
    """The JSON texts of the rxpk and of the status in a body whose own JSON may be broken."""
    try:
        loose = _decode_loose(body)
    except UNREADABLE:
        problems.append("bad_json")
        # `"stat":?` and `"lsnr":nan` are what C forwarders print for an undefined value
        body = _BARE_WORD.sub(rb"\1null", body)
        try:
            loose = _decode_loose(body)
        except UNREADABLE:
            return _cut_objects(body), _cut_stat(body)
    try:
        return list(_decode_list(loose.rxpk)), loose.stat
    except UNREADABLE:
        problems.append("bad_rxpk")
        return [], loose.stat


_BARE_WORD = re.compile(rb"([:\[,]\s*+)(?:\?|-?(?i:nan|inf(?:inity)?))(?=\s*+[,}\]])")
_RXPK_START = re.compile(rb'"rxpk"\s*+:\s*+\[')
# an object with at most one level of objects (rsig) in it; possessive, so that time stays linear in the length
_OBJECT = re.compile(rb"\{[^{}]*+(?:\{[^{}]*+\}[^{}]*+)*+\}")
_STAT = re.compile(rb'"stat"\s*+:\s*+(\{[^{}]*+)(\}\s*+\})?')


def _cut_objects(body: bytes) -> list[_Piece]:
    """Objects between `"rxpk":[` and the `]` that ends it, found by their braces alone."""
    start = _RXPK_START.search(body)
    end = start.end() if start else len(body)
    pieces: list[_Piece] = []
    for found in _OBJECT.finditer(body, end):
        if b"]" in body[end : found.start()] or len(pieces) > MAX_RXPK:
            break
        end = found.end()
        pieces.append(found[0])
    return pieces


def _cut_stat(body: bytes) -> bytes | None:
    """The status object; without its last field when it was cut, as forwarders do with one over 200 octets."""
    found = _STAT.search(body)
    if found is None:
        return None
    return found[1] + b"}" if found[2] else found[1].rpartition(b",")[0] + b"}"


_REQUIRED = ("data", "freq", "modu", "datr")
_DECISIVE = (*_REQUIRED, "codr", "tmst")
"""Fields whose oddness costs the frame: it could not be read, told apart or answered."""


def _read_rxpk(piece: _Piece, problems: list[str]) -> Rxpk | None:
    """One rxpk, at the price of its odd fields; None when what is left cannot be used."""
    try:
        return _decode_rxpk(piece)
    except UNREADABLE:
        fields = _object(piece)
    if fields is None:
        problems.append("bad_rxpk")
        return None
    odd: list[str] = []
    if isinstance(fields.get("data"), str):
        fields["data"] = octets_of(fields["data"])
    if isinstance(fields.get("rsig"), list):
        fields["rsig"] = _antennas(fields["rsig"], odd)
    fitting = _fitting(fields, Rxpk, odd)
    for name in _DECISIVE:
        if f"odd_{name}" in odd or (name in _REQUIRED and name not in fitting):
            problems.append(f"bad_{name}")
            return None
    problems += odd
    return Rxpk(**fitting)


def _antennas(entries: list[Any], odd: list[str]) -> list[dict[str, Any]]:
    """What fits of each antenna."""
    antennas = []
    for entry in entries[:MAX_ANTENNAS]:
        if isinstance(entry, dict):
            antennas.append(_fitting(entry, Rsig, odd))
        else:
            odd.append("odd_rsig")
    return antennas


def _read_stat(piece: _Piece, problems: list[str]) -> GatewayStat | None:
    try:
        return _decode_stat(piece)
    except UNREADABLE:
        fields = _object(piece)
    if fields is None:
        problems.append("bad_status")
        return None
    problems.append("odd_status")
    return GatewayStat(**_fitting(fields, GatewayStat, []))


def _object(piece: _Piece) -> dict[str, Any] | None:
    """The JSON object in `piece`, octets that are no UTF-8 replaced; None when there is none."""
    try:
        value = msgspec.json.decode(bytes(piece).decode(errors="replace"))
    except UNREADABLE:
        return None
    return value if isinstance(value, dict) else None


# one struct a field: msgspec prepares a struct's types once, and converting to it takes 0.3 us
_FIELDS: dict[type[Struct], dict[str, type[Struct]]] = {
    struct: {
        field.name: msgspec.defstruct(field.name, [(field.name, field.type)])
        for field in msgspec.structs.fields(struct)
    }
    for struct in (Rsig, Rxpk, GatewayStat)
}


def _fitting(fields: dict[str, Any], struct: type[Struct], odd: list[str]) -> dict[str, Any]:
    """The fields that fit `struct`, converted; each that does not adds `odd_` and its name to `odd`."""
    fitting = {}
    for name, single in _FIELDS[struct].items():
        if name not in fields:
            continue
        value = fields[name]
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        try:
            fitting[name] = getattr(msgspec.convert({name: value}, single), name)
        except msgspec.ValidationError:
            odd.append(f"odd_{name}")
    return fitting
