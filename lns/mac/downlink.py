"""A class A answer: when and how it can be sent (windows) and what it carries (the frame)."""

from collections.abc import Sequence

import msgspec

from lns.lorawan.crypto import DOWN
from lns.lorawan.modulation import Modulation
from lns.lorawan.phy import ACK, FPENDING, MType, build_data
from lns.lorawan.regions.region import Region
from lns.mac.frames import Reception, Transmission
from lns.mac.queue import DownlinkItem
from lns.mac.session import Session

FHDR_OCTETS = 7
FPORT_OCTETS = 1
MAX_FOPTS_OCTETS = 15


class Window(msgspec.Struct, frozen=True):
    """One receive window on one gateway. `delay_s` counts from the end of the uplink; `room` is MACPayload octets."""

    name: str
    reception: Reception
    delay_s: int
    freq_hz: int
    dr: int
    modulation: Modulation
    room: int
    power_dbm: float

    def transmission(self, phy_payload: bytes) -> Transmission:
        """The frame in this window; the gateway's counter wraps at 32 bits."""
        tmst_us = self.reception.tmst_us
        assert tmst_us is not None
        return Transmission(
            phy_payload=phy_payload,
            gateway_eui=self.reception.gateway_eui,
            freq_hz=self.freq_hz,
            modulation=self.modulation,
            power_dbm=self.power_dbm,
            tmst_us=(tmst_us + self.delay_s * 1_000_000) & 0xFFFF_FFFF,
            rf_chain=0,
            antenna=self.reception.antenna,
            board=self.reception.board,
        )


def data_windows(region: Region, session: Session, receptions: Sequence[Reception], uplink_dr: int) -> list[Window]:
    """RX1 and RX2 of the session on each gateway, the order in which they are tried."""
    delay_s = session.rx1_delay_s
    return _windows(region, receptions, uplink_dr, session.rx1_dr_offset, session.rx2_freq_hz, session.rx2_dr, delay_s)


def join_windows(region: Region, receptions: Sequence[Reception], uplink_dr: int) -> list[Window]:
    """RX1 and RX2 for a join-accept: the region's defaults, whatever the device is given in it."""
    return _windows(region, receptions, uplink_dr, 0, region.rx2_freq_hz, region.rx2_dr, region.join_accept_delay1_s)


def _windows(
    region: Region,
    receptions: Sequence[Reception],
    uplink_dr: int,
    rx1_dr_offset: int,
    rx2_freq_hz: int,
    rx2_dr: int,
    delay_s: int,
) -> list[Window]:
    windows = []
    for reception in receptions:
        if reception.tmst_us is None or not region.uplink_channel_allowed(reception.freq_hz):
            continue  # no clock to answer by, or a ghost image beside the band
        freq_hz, dr = region.rx1(reception.freq_hz, uplink_dr, rx1_dr_offset)
        windows.append(_window("rx1", region, reception, delay_s, freq_hz, dr))
        windows.append(_window("rx2", region, reception, delay_s + 1, rx2_freq_hz, rx2_dr))
    return windows


def _window(name: str, region: Region, reception: Reception, delay_s: int, freq_hz: int, dr: int) -> Window:
    return Window(
        name=name,
        reception=reception,
        delay_s=delay_s,
        freq_hz=freq_hz,
        dr=dr,
        modulation=region.downlink_modulation(dr),
        room=region.max_macpayload(dr, downlink=True) or 0,
        power_dbm=region.downlink_eirp_dbm(freq_hz),
    )


def fits(item: DownlinkItem, answers: bytes, window: Window) -> bool:
    """Whether the item and the MAC answers go into one frame of that window."""
    return FHDR_OCTETS + len(answers) + FPORT_OCTETS + len(item.payload) <= window.room


def build(session: Session, item: DownlinkItem | None, ack: bool, answers: bytes, fpending: bool) -> bytes:
    """The encrypted and signed PHYPayload with `session.fcnt_down`; the caller advances the counter.

    MAC answers go into FOpts; more than 15 octets of them go alone on FPort 0 (and the item has to wait).
    """
    fport, payload, mtype = None, b"", MType.UNCONFIRMED_DOWN
    fopts = answers
    if item is not None:
        fport, payload = item.fport, item.payload
        mtype = MType.CONFIRMED_DOWN if item.confirmed else MType.UNCONFIRMED_DOWN
    elif len(answers) > MAX_FOPTS_OCTETS:
        fport, payload, fopts = 0, answers, b""
    fcnt = session.fcnt_down
    encrypted = session.crypt(payload, fport, fcnt, DOWN) if payload else b""
    flags = (ACK if ack else 0) | (FPENDING if fpending else 0)
    message = build_data(mtype, session.dev_addr, flags, fcnt, fopts, fport, encrypted)
    return message + session.mic.mic(message, session.dev_addr_le, fcnt, DOWN)
