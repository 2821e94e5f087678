"""From the body of a PUSH_DATA to receptions. Pure; any octets give a value.

A sound body is decoded in one typed go. Only when that fails is it taken apart, so that an odd field or a bad rxpk
costs nothing but itself. Each problem is a slug: `bad_…` and `crc_…` cost a frame, `odd_…` a field.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from lns.gateways.rxpk import GatewayStat, Rsig, Rxpk
from lns.gateways.salvage import take_apart
from lns.gateways.words import MAX_PHY_PAYLOAD_OCTETS, UNREADABLE, modulation_of
from lns.mac.frames import Reception

Read = tuple[list[Reception], GatewayStat | None, list[str]]


class _Body(msgspec.Struct):
    rxpk: list[Rxpk] = []
    stat: GatewayStat | None = None


_decode_body = msgspec.json.Decoder(_Body).decode

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def read(body: bytes, gateway_eui: str, received_at_us: int) -> Read | None:
    """Receptions, status and problem slugs of a body; None when it is blank."""
    problems: list[str] = []
    try:
        whole = _decode_body(body)
    except UNREADABLE:
        body = body.strip(b" \t\r\n\0").removeprefix(b"\xef\xbb\xbf")
        if not body:
            return None
        packets, stat = take_apart(body, problems)
    else:
        packets, stat = whole.rxpk, whole.stat
    receptions = []
    for rxpk in packets:
        outcome = _reception(rxpk, gateway_eui, received_at_us)
        if isinstance(outcome, str):
            problems.append(outcome)
        else:
            receptions.append(outcome)
    return receptions, stat, problems


def _reception(rxpk: Rxpk, gateway_eui: str, received_at_us: int) -> Reception | str:
    """The reception, or why it is none."""
    if rxpk.stat != 1:
        return "crc_bad" if rxpk.stat else "crc_none"
    modulation = modulation_of(rxpk.modu, rxpk.datr, rxpk.codr, rxpk.hpw)
    if isinstance(modulation, str):
        return modulation
    size = len(rxpk.data)
    if not 0 < size <= MAX_PHY_PAYLOAD_OCTETS:
        return "bad_data"
    if rxpk.size is not None and rxpk.size != size:
        return "bad_size"
    if rxpk.rsig:
        _take_best_antenna(rxpk, rxpk.rsig)
    # by position, in the order of the fields: keywords would add 0.7 us to a frame
    return Reception(
        rxpk.data,
        gateway_eui,
        round(rxpk.freq * 1e6),
        modulation,
        rxpk.rssi,
        rxpk.lsnr,
        rxpk.tmst,
        received_at_us,
        True,
        rxpk.chan,
        rxpk.rfch,
        rxpk.ant,
        rxpk.brd,
        rxpk.rssis,
        rxpk.foff,
        None if rxpk.time is None else (rxpk.time - _EPOCH) // _MICROSECOND,
        rxpk.tmms,
        rxpk.ftime,
    )


_ANTENNA_FIELDS = (
    ("ant", "ant"),
    ("chan", "chan"),
    ("rssic", "rssi"),
    ("lsnr", "lsnr"),
    ("rssis", "rssis"),
    ("foff", "foff"),
    ("ftime", "ftime"),
)


def _take_best_antenna(rxpk: Rxpk, antennas: list[Rsig]) -> None:
    """Let the antenna with the best SNR, then RSSI, speak for the packet.

    `etime`, the encrypted fine timestamp, stays unread: only the owner of the gateway's AES key can open it.
    """
    best = max(antennas, key=_signal)
    for name, packet_name in _ANTENNA_FIELDS:
        value = getattr(best, name)
        if value is not None:
            setattr(rxpk, packet_name, value)


def _signal(antenna: Rsig) -> tuple[float, float]:
    return (
        -999.0 if antenna.lsnr is None else antenna.lsnr,
        -999.0 if antenna.rssic is None else antenna.rssic,
    )
