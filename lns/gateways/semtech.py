"""The Semtech UDP packet forwarder protocol, versions 1 and 2, for both ends of the link. Pure.

A datagram is version (1 octet), token (2), type (1), then the gateway's EUI (8) where the gateway is the sender, then
JSON. Any octets give a value: what cannot be used is `Bad` with a reason slug, or a problem slug inside `PushData`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from lns.gateways import receptions as _receptions
from lns.gateways import txpk as _txpk
from lns.gateways.rxpk import GatewayStat
from lns.gateways.txpk import Txpk
from lns.gateways.words import words_of
from lns.mac.frames import Reception, Transmission, TxOutcome

PUSH_DATA, PUSH_ACK, PULL_DATA, PULL_RESP, PULL_ACK, TX_ACK = range(6)
_FROM_GATEWAY = frozenset((PUSH_DATA, PULL_DATA, TX_ACK))
_FROM_SERVER = frozenset((PUSH_ACK, PULL_RESP, PULL_ACK))
_ACK_OF = {PUSH_DATA: PUSH_ACK, PULL_DATA: PULL_ACK}

VERSIONS = (1, 2)
GATEWAY_HEADER_OCTETS = 12
SERVER_HEADER_OCTETS = 4
MAX_PULL_RESP_OCTETS = 999
"""The forwarder's receive buffer; what is longer arrives cut, and is ignored."""


class PushData(Struct, frozen=True, gc=False):
    """Uplinks and status of a gateway; `problems` has a slug for each frame or field that was lost.

    `crc_…` and `bad_…` cost a frame (`bad_json` and `bad_status` perhaps none), `odd_…` a field.
    """

    version: int
    token: bytes
    gateway_eui: str
    receptions: list[Reception]
    stat: GatewayStat | None
    problems: list[str]


class PullData(Struct, frozen=True, gc=False):
    """A gateway's keep-alive; downlinks go to where the newest one came from."""

    version: int
    token: bytes
    gateway_eui: str


class TxAck(Struct, frozen=True, gc=False):
    """A gateway's answer to the PULL_RESP of the same token; `outcome` None: it cannot be read."""

    version: int
    token: bytes
    gateway_eui: str
    outcome: TxOutcome | None


class PushAck(Struct, frozen=True, gc=False):
    """The server has a PUSH_DATA."""

    version: int
    token: bytes


class PullAck(Struct, frozen=True, gc=False):
    """The server has a PULL_DATA."""

    version: int
    token: bytes


class PullResp(Struct, frozen=True, gc=False):
    """A downlink as the forwarder reads it; `txpk` None: it ignores it, without a TX_ACK, because of `problem`."""

    version: int
    token: bytes
    txpk: Txpk | None
    problem: str | None


class Bad(Struct, frozen=True, gc=False):
    """A datagram that is none of the protocol's: short, version, type, direction, blank or too_big."""

    reason: str


FromGateway = PushData | PullData | TxAck | Bad
FromServer = PushAck | PullAck | PullResp | Bad


def sender(datagram: bytes) -> bytes | None:
    """The EUI octets of the gateway that a datagram claims to be from; None when `parse` would say `Bad`.

    It reads the header only, so that a limit can be applied before anything is parsed.
    """
    if (
        len(datagram) >= GATEWAY_HEADER_OCTETS
        and datagram[0] in VERSIONS
        and datagram[3] in (PUSH_DATA, PULL_DATA, TX_ACK)
    ):
        return datagram[4:GATEWAY_HEADER_OCTETS]
    return None


def parse(datagram: bytes, received_at_us: int) -> FromGateway:
    """What a gateway sent; `received_at_us` is the server's UTC clock."""
    if len(datagram) < SERVER_HEADER_OCTETS:
        return Bad("short")
    version, token, kind = datagram[0], datagram[1:3], datagram[3]
    if version not in VERSIONS:
        return Bad("version")
    if kind not in _FROM_GATEWAY:
        return Bad("direction" if kind in _FROM_SERVER else "type")
    if len(datagram) < GATEWAY_HEADER_OCTETS:
        return Bad("short")
    gateway_eui = datagram[4:GATEWAY_HEADER_OCTETS].hex()
    if kind == PUSH_DATA:
        read = _receptions.read(datagram[GATEWAY_HEADER_OCTETS:], gateway_eui, received_at_us)
        return Bad("blank") if read is None else PushData(version, token, gateway_eui, *read)
    if kind == PULL_DATA:
        return PullData(version, token, gateway_eui)
    return TxAck(version, token, gateway_eui, _txpk.read_tx_ack(datagram[GATEWAY_HEADER_OCTETS:]))


def reply(message: FromGateway) -> bytes | None:
    """The datagram that acknowledges a message; None when nothing is answered."""
    if isinstance(message, PushData):
        return _header(message.version, message.token, PUSH_ACK)
    if isinstance(message, PullData):
        return _header(message.version, message.token, PULL_ACK)
    return None


def acknowledgement(datagram: bytes) -> bytes | None:
    """What `reply` would answer, told from the header alone: for gateways whose data is not to be read."""
    kind = _ACK_OF.get(datagram[3])
    return None if kind is None else _header(datagram[0], datagram[1:3], kind)


def build_pull_resp(version: int, token: bytes, transmission: Transmission) -> bytes:
    """A downlink. ValueError when no forwarder could send it."""
    body = msgspec.json.encode({"txpk": _txpk.txpk(transmission)})
    return _header(version, token, PULL_RESP) + body


def parse_server(datagram: bytes) -> FromServer:
    """What a server sent, as a gateway sees it."""
    if len(datagram) < SERVER_HEADER_OCTETS:
        return Bad("short")
    version, token, kind = datagram[0], datagram[1:3], datagram[3]
    if version not in VERSIONS:
        return Bad("version")
    if kind == PUSH_ACK:
        return PushAck(version, token)
    if kind == PULL_ACK:
        return PullAck(version, token)
    if kind != PULL_RESP:
        return Bad("direction" if kind in _FROM_GATEWAY else "type")
    if len(datagram) > MAX_PULL_RESP_OCTETS:
        return Bad("too_big")
    txpk = _txpk.read_txpk(datagram[SERVER_HEADER_OCTETS:])
    if isinstance(txpk, str):
        return PullResp(version, token, None, txpk)
    return PullResp(version, token, txpk, None)


def rxpk_of(reception: Reception) -> dict[str, Any]:
    """The `rxpk` object of a reception, in the order and with the fields of the sx1302 forwarder."""
    fields = {
        "tmst": reception.tmst_us,
        "tmms": reception.gps_time_ms,
        "ftime": reception.fine_time_ns,
        "chan": reception.chan,
        "rfch": reception.rf_chain,
        "freq": reception.freq_hz / 1e6,
        "stat": 1 if reception.crc_ok else -1,
        **words_of(reception.modulation),
        "rssis": reception.rssis_dbm,
        "lsnr": reception.snr_db,
        "foff": reception.freq_offset_hz,
        "rssi": reception.rssi_dbm,
        "size": len(reception.phy_payload),
        "data": reception.phy_payload,
    }
    return {name: value for name, value in fields.items() if value is not None}


def build_push_data(
    token: bytes, gateway_eui: str, rxpk: Sequence[dict[str, Any]], stat: dict[str, Any] | None = None, version: int = 2
) -> bytes:
    """Uplinks and status; `data` of an rxpk may be octets or base64."""
    body: dict[str, Any] = {"rxpk": rxpk} if rxpk else {}
    if stat is not None:
        body["stat"] = stat
    return _gateway_header(version, token, PUSH_DATA, gateway_eui) + msgspec.json.encode(body)


def build_pull_data(token: bytes, gateway_eui: str, version: int = 2) -> bytes:
    """A keep-alive."""
    return _gateway_header(version, token, PULL_DATA, gateway_eui)


def build_tx_ack(token: bytes, gateway_eui: str, outcome: TxOutcome, version: int = 2) -> bytes:
    """The answer to a PULL_RESP; without error and warning it has no body, as forwarders send it."""
    fields = {"error": outcome.error, "warn": outcome.warn, "value": outcome.value}
    said = {name: value for name, value in fields.items() if value is not None}
    body = msgspec.json.encode({"txpk_ack": said}) if said else b""
    return _gateway_header(version, token, TX_ACK, gateway_eui) + body


def _header(version: int, token: bytes, kind: int) -> bytes:
    return bytes((version, token[0], token[1], kind))


def _gateway_header(version: int, token: bytes, kind: int, gateway_eui: str) -> bytes:
    return _header(version, token, kind) + bytes.fromhex(gateway_eui)
