"""Answers of the network to the MAC commands of a device (LoRaWAN 1.0.x, class A)."""

from collections.abc import Sequence

from lns.lorawan.commands import Command, encode_command
from lns.lorawan.gpstime import gps_from_unix
from lns.lorawan.modulation import Lora
from lns.mac.frames import Reception

_REQUIRED_SNR_DB = {5: -2.5, 6: -5.0, 7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
"""Demodulation floor of LoRa by spreading factor (Semtech SX1272/SX1276 data sheets)."""


def answer(commands: Sequence[Command], receptions: Sequence[Reception]) -> bytes:
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
        seconds, fraction = divmod(_end_of_uplink_gps_s(receptions), 1.0)
        out += encode_command(
            "DeviceTimeAns", uplink=False, gps_seconds=int(seconds) & 0xFFFF_FFFF, fraction_256=int(fraction * 256)
        )
    return out


def _gateways(receptions: Sequence[Reception]) -> int:
    return len({reception.gateway_eui for reception in receptions})


def _margin_db(best: Reception) -> int:
    """LinkCheckAns margin: dB above the demodulation floor, 0 to 254."""
    if best.snr_db is None or not isinstance(best.modulation, Lora):
        return 0
    return max(0, min(254, int(best.snr_db - _REQUIRED_SNR_DB.get(best.modulation.sf, -20.0))))


def _end_of_uplink_gps_s(receptions: Sequence[Reception]) -> float:
    """GPS time of the end of the uplink: a gateway's GPS clock where one has it, else the server's first sight."""
    for reception in receptions:
        if reception.gps_time_ms is not None:
            return reception.gps_time_ms / 1000
    return gps_from_unix(min(reception.received_at_us for reception in receptions) / 1e6)
