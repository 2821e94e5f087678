"""The JSON of a PULL_RESP (`txpk`) and of a TX_ACK (`txpk_ack`), for both ends of the link. Pure."""

import math
import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from lns.gateways.words import MAX_PHY_PAYLOAD_OCTETS, UNREADABLE, modulation_of, octets_of, words_of
from lns.lorawan.modulation import Fsk, Lora, LrFhss, Modulation
from lns.mac.frames import Transmission, TxOutcome

_TMST_WRAP = 2**32
_FSK_DEVIATION_HZ = 25_000
_ERROR_LENGTH = 64
"""Characters kept of what a gateway names as its error."""


def txpk(transmission: Transmission) -> dict[str, Any]:
    """The `txpk` object of a transmission. ValueError when no forwarder could send it."""
    size, modulation = len(transmission.phy_payload), transmission.modulation
    if not 0 < size <= MAX_PHY_PAYLOAD_OCTETS:
        raise ValueError(f"payload is {size} octets, 1 to {MAX_PHY_PAYLOAD_OCTETS} can be sent")
    if isinstance(modulation, LrFhss):
        raise ValueError("lr-fhss is for uplinks only")
    fields = _when(transmission)
    fields |= {"freq": _freq_mhz(transmission.freq_hz), "rfch": transmission.rf_chain}
    # forwarders cut a fraction towards zero; downwards is what a power limit allows
    fields |= {"powe": math.floor(transmission.power_dbm), **words_of(modulation)}
    if isinstance(modulation, Fsk):
        fields["fdev"] = _FSK_DEVIATION_HZ
    else:
        # a LoRaWAN downlink is sent with inverted polarity and no payload CRC; forwarders do neither by themselves
        fields |= {"ipol": transmission.invert_polarity, "ncrc": True}
    if transmission.antenna is not None:
        fields["ant"] = transmission.antenna
    if transmission.board is not None:
        fields["brd"] = transmission.board
    return {**fields, "size": size, "data": transmission.phy_payload}


def _when(transmission: Transmission) -> dict[str, Any]:
    """One of the three: forwarders prefer `imme` to `tmst`, and `tmst` to `tmms`, which only a GPS receiver serves."""
    if transmission.tmst_us is not None:
        return {"tmst": transmission.tmst_us % _TMST_WRAP}
    if transmission.gps_time_ms is not None:
        return {"tmms": transmission.gps_time_ms}
    return {"imme": True}


def _freq_mhz(freq_hz: int) -> float:
    """The float that forwarders, which cut `1e6 * freq` to an integer, read as `freq_hz`."""
    mhz = freq_hz / 1e6
    while int(1e6 * mhz) < freq_hz:
        mhz = math.nextafter(mhz, math.inf)
    return mhz


class Txpk(Struct, frozen=True, gc=False):
    """A `txpk` as the sx1302 forwarder reads it. Without `tmst_us` it is sent at `gps_time_ms`, else at once."""

    phy_payload: bytes
    freq_hz: int
    modulation: Modulation
    power_dbm: float
    rf_chain: int
    tmst_us: int | None
    gps_time_ms: int | None
    preamble_symbols: int
    invert_polarity: bool
    no_crc: bool
    no_header: bool
    fsk_deviation_hz: int | None


class _TxpkJson(Struct):
    freq: Annotated[float, Meta(gt=0, le=10_000)]
    rfch: int
    modu: str
    datr: str | int
    size: int
    data: str
    imme: Any = False
    tmst: int | None = None
    tmms: int | None = None
    powe: float = 0.0
    codr: str | None = None
    fdev: Annotated[float, Meta(gt=0, le=1e6)] | None = None
    ipol: bool = False
    prea: int | None = None
    ncrc: bool = False
    nhdr: bool = False


class _PullRespJson(Struct):
    txpk: _TxpkJson


_decode_pull_resp = msgspec.json.Decoder(_PullRespJson).decode

_STRING_OR_COMMENT = re.compile(rb'("(?:[^"\\]|\\.)*+")|/\*.*?\*/|//[^\n]*+', re.DOTALL)

_PREAMBLES: dict[type[Modulation], tuple[int, int]] = {Lora: (6, 8), Fsk: (3, 5)}
"""Least and usual preamble length in symbols (LoRa) and octets (FSK)."""


def read_txpk(body: bytes) -> Txpk | str:
    """What a forwarder makes of a PULL_RESP's body; a problem slug where it would ignore it without a TX_ACK."""
    try:
        # the forwarder's JSON reader allows comments
        fields = _decode_pull_resp(_STRING_OR_COMMENT.sub(rb"\1", body)).txpk
    except msgspec.ValidationError:
        return "bad_txpk"
    except UNREADABLE:
        return "bad_json"
    immediate = fields.imme is True
    if not immediate and fields.tmst is None and fields.tmms is None:
        return "bad_tmst"
    modulation = modulation_of(fields.modu, fields.datr, fields.codr)
    if isinstance(modulation, str):
        return modulation
    if isinstance(modulation, LrFhss):
        return "bad_modu"
    if isinstance(modulation, Fsk) and fields.fdev is None:
        return "bad_fdev"
    payload = _payload(fields.data, fields.size)
    if payload is None:
        return "bad_data"
    least, usual = _PREAMBLES[type(modulation)]
    by_counter = not immediate and fields.tmst is not None
    return Txpk(
        phy_payload=payload,
        freq_hz=int(1e6 * fields.freq),
        modulation=modulation,
        power_dbm=fields.powe,
        rf_chain=fields.rfch,
        tmst_us=fields.tmst % _TMST_WRAP if by_counter and fields.tmst is not None else None,
        gps_time_ms=None if immediate or by_counter else fields.tmms,
        preamble_symbols=usual if fields.prea is None else max(fields.prea, least),
        invert_polarity=fields.ipol,
        no_crc=fields.ncrc,
        no_header=fields.nhdr,
        fsk_deviation_hz=None if fields.fdev is None else int(fields.fdev),
    )


def _payload(data: str, size: int) -> bytes | None:
    """`size` octets, as the forwarder sends them whatever the length of the data."""
    octets = octets_of(data)
    if octets is None or not 0 < size <= MAX_PHY_PAYLOAD_OCTETS:
        return None
    return octets[:size].ljust(size, b"\0")


def read_tx_ack(body: bytes) -> TxOutcome | None:
    """What a TX_ACK's body says; None when it cannot be read. No body, or no error in it, is an acceptance."""
    body = body.strip(b" \t\r\n\0")
    if not body:
        return TxOutcome(accepted=True)
    try:
        tree = msgspec.json.decode(body)
    except UNREADABLE:
        return None
    ack = tree.get("txpk_ack", {}) if isinstance(tree, dict) else None
    if not isinstance(ack, dict):
        return None
    # sx1301 forwarders name their success: NONE
    error, warn = (_name(ack.get(field)) for field in ("error", "warn"))
    return TxOutcome(accepted=error is None, error=error, warn=warn, value=_number(ack.get("value")))


def _name(value: object) -> str | None:
    return None if value in (None, "", "NONE") else str(value)[:_ERROR_LENGTH]


def _number(value: object) -> float | None:
    """A number, which some forwarders send as text."""
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
