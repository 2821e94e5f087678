"""Joins and rejoins: checks the request, makes the pending session; the join-accept leaves once all is durable."""

import secrets
from array import array
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from lns.exchange.sqlite import SqliteExchange
from lns.live import Live
from lns.lorawan.ids import make_dev_addr
from lns.lorawan.joinaccept import cflist_masks
from lns.lorawan.phy import JoinRequest, RejoinRequest
from lns.lorawan.regions import region
from lns.mac import join
from lns.mac.downlink import join_windows
from lns.mac.frames import Reception
from lns.mac.join import Grant, Joined
from lns.mac.radio import Radio
from lns.mac.refusal import Reason, Refused
from lns.mac.session import Device, Session
from lns.mac.settings import RegionSettings
from lns.network import show
from lns.network.clocks import Clocks
from lns.network.devices import Devices, new_session_id
from lns.network.downlinks import Downlinks
from lns.network.state import NetworkState

_BEFORE_MASKS = ("1.0.0", "1.0.1", "1.0.2")
"""Versions whose regional parameters know no CFList of type 1: such devices ignore it."""


class Joins:
    """Answers join-requests and rejoin-requests of registered devices."""

    def __init__(
        self,
        net_id: str,
        settings: Callable[[str], RegionSettings],
        exchange: SqliteExchange,
        state: NetworkState,
        devices: Devices,
        downlinks: Downlinks,
        live: Live,
        clocks: Clocks,
    ) -> None:
        self._net_id, self._settings = net_id, settings
        self._exchange, self._state, self._live, self._clocks = exchange, state, live, clocks
        self._devices, self._downlinks = devices, downlinks

    def handle(self, request: JoinRequest, receptions: list[Reception], opened_at: float) -> Refused | None:
        """Answer a join-request, or say why not."""
        device = self._devices.by_eui.get(request.dev_eui)
        if device is None:
            return _stranger(request.dev_eui, request.join_eui)
        dr = device.region.uplink_dr(receptions[0].modulation)
        refused = _unheard(device, receptions[0], dr) or join.check(request, receptions[0].phy_payload, device)
        if refused is not None or dr is None:
            return refused
        joined = join.accept(request, device, self._grant(device, receptions[0]))
        device.nonces = device.nonces if device.nonces is not None else array("H")
        device.nonces.append(request.dev_nonce)
        if joined.minor:
            # rejoin-requests do not carry it, and the keys of later sessions are derived with it
            device.join_eui = request.join_eui
        session = join.open_session(new_session_id(), device, joined)
        session.radio_octets = _radio_octets(device, joined.cflist)
        self._open(session, joined, request.dev_nonce, {"dev_nonce": request.dev_nonce, "join_eui": request.join_eui})
        windows = join_windows(device.region, receptions, dr)
        self._downlinks.send_join_accept(device, joined.accept, windows, opened_at)
        return None

    def handle_rejoin(self, request: RejoinRequest, receptions: list[Reception], opened_at: float) -> Refused | None:
        """Answer a rejoin-request, or say why not."""
        device = self._devices.by_eui.get(request.dev_eui)
        if device is None:
            return _stranger(request.dev_eui, request.join_eui)
        best = receptions[0]
        dr = device.region.uplink_dr(best.modulation)
        refused = _unheard(device, best, dr) or join.check_rejoin(request, best.phy_payload, device, self._net_id)
        if refused is not None or dr is None:
            return refused
        if device.pending is not None and join.signed_by_pending(request, best.phy_payload, device):
            self._devices.promote(device.pending)
        joined = join.accept_rejoin(request, device, self._grant(device, best))
        if request.rejoin_type == 1:
            device.rj_count1 = request.rj_count
        else:
            device.rj_count0 = request.rj_count
        session = join.open_session(new_session_id(), device, joined)
        before = device.session or device.pending
        if request.rejoin_type == join.KEEP_RADIO and before is not None:
            session.radio_octets = _kept(before)
        else:
            session.radio_octets = _radio_octets(device, joined.cflist)
        told: dict[str, Any] = {"rejoin_type": request.rejoin_type, "rj_count": request.rj_count}
        self._open(session, joined, None, told)
        windows = join_windows(device.region, receptions, dr)
        self._downlinks.send_join_accept(device, joined.accept, windows, opened_at)
        return None

    def _grant(self, device: Device, best: Reception) -> Grant:
        return Grant(self._net_id, self._new_dev_addr(), best.freq_hz, self._settings(device.region.name))

    def _open(self, session: Session, joined: Joined, dev_nonce: int | None, told: dict[str, Any]) -> None:
        """Keep the session beside the old one until the device uses it, and note what was used up for it."""
        device, now_us = session.device, self._clocks.utc_us()
        device.join_nonce = joined.join_nonce
        self._devices.add_pending(session)
        self._state.joined(device, dev_nonce, now_us)
        self._state.created(session, "pending", now_us)
        what = f"1.{session.minor}" if session.minor else device.lorawan_version
        self._downlinks.event("join", device, now_us, dev_addr=session.dev_addr, lorawan=what, **told)
        if self._live.watched:
            self._live.publish(show.event("join", now_us, device, dev_addr=session.dev_addr))

    def _new_dev_addr(self) -> str:
        """A random address of the NetID, free if a few draws find one; a shared one works as well."""
        for _ in range(8):
            dev_addr = make_dev_addr(self._net_id, secrets.randbits(25))
            if dev_addr not in self._devices.sessions:
                break
        return dev_addr


def _stranger(dev_eui: str, join_eui: str | None) -> Refused:
    origin = f" (join_eui {join_eui})" if join_eui else ""
    text = f"no device has dev_eui {dev_eui}{origin}; add it with: lns device add {dev_eui}"
    return Refused(Reason.UNKNOWN_DEV_EUI, text, None, dev_eui)


def _unheard(device: Device, best: Reception, dr: int | None) -> Refused | None:
    """A request that its region forbids."""
    if dr is None:
        text = f"{show.modulation_text(best.modulation)} is no uplink data rate of {device.region.name}"
        return Refused(Reason.DATA_RATE_NOT_IN_REGION, text, None, device.dev_eui)
    if not device.region.uplink_channel_allowed(best.freq_hz):
        text = f"{best.freq_hz} Hz is no uplink frequency of {device.region.name}"
        return Refused(Reason.FREQUENCY_NOT_IN_REGION, text, None, device.dev_eui)
    return None


def _kept(before: Session) -> bytes:
    """The radio of a device that keeps it in a new session, whose counters start anew; a forced rejoin is done."""
    radio = Radio.load(before.device.region, before.known_radio().dump())
    radio.restart_counts()
    radio.wishes.pop("force_rejoin", None)
    radio.asked.pop("force_rejoin", None)
    return radio.dump()


def _radio_octets(device: Device, cflist: bytes | None) -> bytes | None:
    """What the device has after the join-accept; None where that is the region's default."""
    if cflist is None or (cflist_masks(cflist) is not None and device.lorawan_version in _BEFORE_MASKS):
        return None
    return _told(device.region.name, cflist)


@lru_cache(256)
def _told(region_name: str, cflist: bytes) -> bytes:
    radio = Radio(region(region_name))
    radio.use_cflist(region(region_name), cflist)
    return radio.dump()
