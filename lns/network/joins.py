"""Joins: checks a join-request, makes the pending session, and lets the join-accept leave once all is durable."""

import secrets
import time
from array import array

from lns.exchange.sqlite import SqliteExchange
from lns.live import Live
from lns.lorawan.ids import make_dev_addr
from lns.lorawan.phy import JoinRequest
from lns.mac import join
from lns.mac.downlink import join_windows
from lns.mac.frames import Reception
from lns.mac.join import JoinSettings
from lns.mac.refusal import Reason, Refused
from lns.mac.session import Device, Session
from lns.network import show
from lns.network.devices import Devices, new_session_id
from lns.network.downlinks import Downlinks
from lns.network.state import NetworkState


class Joins:
    """Answers join-requests of registered devices."""

    def __init__(
        self,
        settings: dict[str, JoinSettings],
        exchange: SqliteExchange,
        state: NetworkState,
        devices: Devices,
        downlinks: Downlinks,
        live: Live,
    ) -> None:
        self._settings = settings  # by region name
        self._exchange, self._state, self._live = exchange, state, live
        self._devices, self._downlinks = devices, downlinks

    def handle(self, request: JoinRequest, receptions: list[Reception], opened_at: float) -> Refused | None:
        """Answer a join-request, or say why not."""
        device = self._devices.by_eui.get(request.dev_eui)
        if device is None:
            text = f"no device has dev_eui {request.dev_eui}; add it with: lns device add {request.dev_eui}"
            return Refused(Reason.UNKNOWN_DEV_EUI, text, None, request.dev_eui)
        best = receptions[0]
        dr = device.region.uplink_dr(best.modulation)
        if dr is None:
            text = f"{show.modulation_text(best.modulation)} is no uplink data rate of {device.region.name}"
            return Refused(Reason.DATA_RATE_NOT_IN_REGION, text, None, request.dev_eui)
        refused = join.check(request, best.phy_payload, device)
        if refused is not None:
            return refused
        settings = self._settings[device.region.name]
        granted = join.accept(request, device, self._new_dev_addr(settings.net_id), settings)
        now_us = time.time_ns() // 1000
        device.nonces = device.nonces if device.nonces is not None else array("H")
        device.nonces.append(granted.dev_nonce)
        device.join_nonce = granted.join_nonce
        session = Session(new_session_id(), device, granted.dev_addr, granted.nwk_s_key, granted.app_s_key)
        session.rx1_delay_s = granted.rx1_delay_s
        self._devices.add_pending(session)
        self._state.joined(device.id, granted.dev_nonce, granted.join_nonce, now_us)
        self._state.created(session, "pending", now_us)
        self._downlinks.event(
            "join", device, now_us, dev_addr=granted.dev_addr, dev_nonce=granted.dev_nonce, join_eui=request.join_eui
        )
        self._downlinks.send_join_accept(device, granted.accept, join_windows(device.region, receptions, dr), opened_at)
        self._show(device, granted.dev_addr, now_us)
        return None

    def _new_dev_addr(self, net_id: str) -> str:
        """A random address of the NetID, free if a few draws find one; a shared one works as well."""
        for _ in range(8):
            dev_addr = make_dev_addr(net_id, secrets.randbits(25))
            if dev_addr not in self._devices.sessions:
                break
        return dev_addr

    def _show(self, device: Device, dev_addr: str, now_us: int) -> None:
        if self._live.watched:
            self._live.publish(show.event("join", now_us, device, dev_addr=dev_addr))
