"""A gateway without sockets: its counter, its queue, and what it would hand to the network. Pure; microseconds."""

import msgspec

from lns.lorawan.airtime import airtime_us
from lns.lorawan.gpstime import gps_from_unix, unix_from_gps
from lns.lorawan.modulation import Modulation
from lns.lorawan.regions.region import Channel
from lns.mac.frames import Reception, Transmission, TxOutcome
from simulators.jit import IMMEDIATE_LEAD_US, JitQueue

_WRAP = 0xFFFF_FFFF


class Sending(msgspec.Struct, frozen=True):
    """One transmission of a device that ended at `end_us` UTC; `joins`: its windows are those of a join-accept."""

    phy: bytes
    channel: Channel
    dr: int
    modulation: Modulation
    end_us: int
    joins: bool


class OnAir(msgspec.Struct, frozen=True, order=True):
    """A downlink that starts at `start_us` UTC."""

    start_us: int
    end_us: int
    transmission: Transmission


class Tower:
    """One gateway; it knows GPS time if `has_gps`, and its counter starts with 0 at every boot."""

    def __init__(self, eui: str, booted_us: int = 0, snr_db: float = 7.0, has_gps: bool = True) -> None:
        self.eui = eui
        self.snr_db = snr_db
        self._has_gps = has_gps
        self.restart(booted_us)

    def restart(self, now_us: int) -> None:
        """Begin to count anew, and forget what was queued."""
        self._booted_us = now_us
        self._jit = JitQueue()

    def tmst_us(self, at_us: int) -> int:
        """Its counter at an instant."""
        return at_us - self._booted_us & _WRAP

    def hear(self, sending: Sending) -> Reception:
        """What it tells the network of a frame, as soon as that has ended."""
        gps_ms = round(gps_from_unix(sending.end_us / 1e6) * 1000) if self._has_gps else None
        return Reception(
            sending.phy,
            self.eui,
            sending.channel.freq_hz,
            sending.modulation,
            -110.0 + self.snr_db,
            self.snr_db,
            self.tmst_us(sending.end_us),
            sending.end_us,
            gps_time_ms=gps_ms,
        )

    def offer(self, transmission: Transmission, now_us: int) -> OnAir | TxOutcome:
        """Queue a downlink, or refuse it in the words of TX_ACK."""
        if transmission.tmst_us is not None:
            # the difference is unsigned in the forwarder: what is past is far in the future
            start_us = now_us + (transmission.tmst_us - self.tmst_us(now_us) & _WRAP)
        elif transmission.gps_time_ms is not None:
            if not self._has_gps:
                return TxOutcome(False, "GPS_UNLOCKED")
            start_us = round(unix_from_gps(transmission.gps_time_ms / 1000) * 1e6)
        else:
            start_us = now_us + IMMEDIATE_LEAD_US
        length_us = airtime_us(transmission.modulation, len(transmission.phy_payload), uplink=False)
        error = self._jit.offer(now_us, start_us, length_us)
        return TxOutcome(False, error) if error else OnAir(start_us, start_us + length_us, transmission)
