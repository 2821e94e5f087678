"""Answers of the network to the MAC commands that need the uplink's receptions: LinkCheckReq and DeviceTimeReq."""

from collections.abc import Mapping, Sequence

from lns.lorawan.commands import Command, encode_command
from lns.lorawan.gpstime import gps_from_unix
from lns.mac.frames import Reception
from lns.mac.margin import margin_db

_NOTHING_KNOWN: Mapping[str, float] = {}
_WRONG_CLOCK_S = 3600.0
"""A GPS time this far from the server's is none: receivers without a fix, and 1024-week rollovers, are years off."""


def answer(
    commands: Sequence[Command], receptions: Sequence[Reception], one_way_s: Mapping[str, float] = _NOTHING_KNOWN
) -> bytes:
    """The answers to `commands`, encoded; `receptions` are the copies of the uplink, best first.

    Both answers belong into the receive windows of this very uplink (LoRaWAN 1.0.3: DeviceTimeAns).
    """
    out = b""
    names = {command.name for command in commands}
    if "LinkCheckReq" in names:
        out += encode_command(
            "LinkCheckAns", uplink=False, margin=_margin_db(receptions[0]), gw_cnt=min(_gateways(receptions), 255)
        )
    if "DeviceTimeReq" in names:
        gps_us = round(end_of_uplink_gps_s(receptions, one_way_s) * 1e6)
        seconds, rest_us = divmod(gps_us, 1_000_000)
        out += encode_command(
            "DeviceTimeAns",
            uplink=False,
            gps_seconds=seconds & 0xFFFF_FFFF,
            fraction_256=rest_us * 256 // 1_000_000,
        )
    return out


def _gateways(receptions: Sequence[Reception]) -> int:
    return len({reception.gateway_eui for reception in receptions})


def _margin_db(best: Reception) -> int:
    """LinkCheckAns margin: dB above the demodulation floor, 0 to 254."""
    return max(0, min(254, int(margin_db(best.snr_db, best.modulation))))


def end_of_uplink_gps_s(receptions: Sequence[Reception], one_way_s: Mapping[str, float] = _NOTHING_KNOWN) -> float:
    """GPS time of the end of the uplink, in seconds.

    A forwarder's GPS time (`tmms`) is that of its `tmst`: the end of the reception. Without any it is the server's
    first sight of the frame, less the way from that gateway where `one_way_s` knows it by EUI.
    """
    seen_s = min([r.received_at_us / 1e6 - one_way_s.get(r.gateway_eui, 0.0) for r in receptions])
    server_s = gps_from_unix(seen_s)
    for reception in receptions:
        if reception.gps_time_ms is not None and abs(reception.gps_time_ms / 1000 - server_s) < _WRONG_CLOCK_S:
            return reception.gps_time_ms / 1000
    return server_s
