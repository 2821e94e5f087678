"""A class A answer: when it can be sent (windows); and what any downlink carries (the frame)."""

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from lns.lorawan.crypto import DOWN
from lns.lorawan.modulation import Modulation
from lns.lorawan.phy import ACK, FPENDING, MType, build_data
from lns.lorawan.regions import region as region_named
from lns.lorawan.regions.region import Region
from lns.mac.frames import Reception, Transmission
from lns.mac.queue import MAX_FOPTS_OCTETS, DownlinkItem
from lns.mac.session import Session


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
    """RX1 and RX2 of the session on each gateway."""
    radio = session.radio
    dwell = region.downlink_dwell_400ms if radio is None else radio.downlink_dwell
    delay_s, rx2 = session.rx1_delay_s, (session.rx2_freq_hz, session.rx2_dr)
    windows = []
    for reception in _answerable(region, receptions):
        freq_hz, dr = region.rx1(reception.freq_hz, uplink_dr, session.rx1_dr_offset, dwell)
        if radio is not None and radio.dl_freq_hz:
            freq_hz = _moved(session, reception.freq_hz, freq_hz)
        windows.append(_window("rx1", region, reception, delay_s, (freq_hz, dr), dwell))
        windows.append(_window("rx2", region, reception, delay_s + 1, rx2, dwell))
    return windows


def _moved(session: Session, uplink_hz: int, freq_hz: int) -> int:
    """RX1 of a channel that a DlChannelReq moved."""
    radio = session.known_radio()
    for channel in radio.channels.values():
        if channel.freq_hz == uplink_hz and channel.index in radio.dl_freq_hz:
            return radio.dl_freq_hz[channel.index]
    return freq_hz


def join_windows(region: Region, receptions: Sequence[Reception], uplink_dr: int) -> list[Window]:
    """RX1 and RX2 for a join-accept: the region's defaults, whatever the device is given in it."""
    delay_s, dwell = region.join_accept_delay1_s, region.downlink_dwell_400ms
    windows = []
    for reception in _answerable(region, receptions):
        rx1, rx2 = region.join_rx1(reception.freq_hz, uplink_dr), region.join_rx2(reception.freq_hz)
        windows.append(_window("rx1", region, reception, delay_s, rx1, dwell))
        windows.append(_window("rx2", region, reception, delay_s + 1, rx2, dwell))
    return windows


def _answerable(region: Region, receptions: Sequence[Reception]) -> list[Reception]:
    """Without those that give no clock to answer by, and ghost images beside the band."""
    return [r for r in receptions if r.tmst_us is not None and uplink_allowed(region.name, r.freq_hz)]


def _window(
    name: str, region: Region, reception: Reception, delay_s: int, tuned: tuple[int, int], dwell: bool
) -> Window:
    freq_hz, dr = tuned
    modulation, room, power_dbm = _tuning(region.name, freq_hz, dr, dwell)
    return Window(name, reception, delay_s, freq_hz, dr, modulation, room, power_dbm)


@lru_cache(1024)
def uplink_allowed(region_name: str, freq_hz: int) -> bool:
    """`Region.uplink_channel_allowed`, remembered: it looks through the bands."""
    return region_named(region_name).uplink_channel_allowed(freq_hz)


@lru_cache(4096)
def _tuning(region_name: str, freq_hz: int, dr: int, dwell: bool) -> tuple[Modulation, int, float]:
    """Modulation, room and power: a network uses few frequencies and data rates again and again."""
    known = region_named(region_name)
    room = known.max_macpayload(dr, True, dwell) or 0
    return known.downlink_modulation(dr), room, known.downlink_eirp_dbm(freq_hz)


class Content(msgspec.Struct, frozen=True, gc=False):
    """What one downlink carries. `commands` are MAC commands in clear; `acks_fcnt_up` the uplink acknowledged."""

    item: DownlinkItem | None = None
    commands: bytes = b""
    fpending: bool = False
    acks_fcnt_up: int | None = None


class Frame(msgspec.Struct, frozen=True, gc=False):
    """A downlink ready for the air, and the counter it has used."""

    phy_payload: bytes
    fcnt_down: int


def build(session: Session, content: Content) -> Frame:
    """The encrypted and signed frame; call `advance` for it.

    MAC commands go into FOpts; more than 15 octets of them go alone on FPort 0 (and the item has to wait). In 1.1 an
    FPort above 0 takes the counter AFCntDown, everything else NFCntDown (LoRaWAN 1.1, chapter 4.3.1.5).
    """
    item, fopts = content.item, content.commands
    fport, payload, mtype = None, b"", MType.UNCONFIRMED_DOWN
    if item is not None:
        fport, payload = item.fport, item.payload
        mtype = MType.CONFIRMED_DOWN if item.confirmed else MType.UNCONFIRMED_DOWN
    elif len(fopts) > MAX_FOPTS_OCTETS:
        fport, payload, fopts = 0, fopts, b""
    afcnt = session.keys_1_1 is not None and item is not None
    fcnt = session.afcnt_down if afcnt else session.fcnt_down
    if fopts:
        fopts = session.crypt_fopts(fopts, fcnt, DOWN, afcnt)
    encrypted = session.crypt(payload, fport, fcnt, DOWN) if payload else b""
    acked = content.acks_fcnt_up
    flags = (ACK if acked is not None else 0) | (FPENDING if content.fpending else 0)
    message = build_data(mtype, session.dev_addr, flags, fcnt, fopts, fport, encrypted)
    return Frame(message + session.sign(message, fcnt, acked or 0), fcnt)


def advance(session: Session, content: Content) -> None:
    """The counter of a built frame is used up, whether the frame is heard or not."""
    item = content.item
    afcnt = session.keys_1_1 is not None and item is not None
    fcnt = session.afcnt_down if afcnt else session.fcnt_down
    if item is not None and item.confirmed:
        session.conf_fcnts_down = (*session.conf_fcnts_down, fcnt) if item.attempts else (fcnt,)
    if afcnt:
        session.afcnt_down += 1
    else:
        session.fcnt_down += 1
