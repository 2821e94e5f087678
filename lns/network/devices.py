"""All devices and sessions in memory, and the changes that activations make to them."""

import secrets
from collections.abc import Callable

from lns import metrics
from lns.lorawan.ids import dev_addr_prefix
from lns.mac.session import Device, Session, Sessions
from lns.network.state import NetworkState


def new_session_id() -> int:
    """A random 62-bit id: unique without asking the database."""
    return secrets.randbits(62)


class Devices:
    """The index by DevEUI, by id and by DevAddr."""

    def __init__(self, state: NetworkState, net_id: str) -> None:
        self._state, self._net_id = state, net_id
        self.by_eui: dict[str, Device] = {}
        self.by_id: dict[int, Device] = {}
        self.sessions = Sessions()
        self.on_forgotten: list[Callable[[int], None]] = []
        """Told the ids of devices that are gone, or that are loaded anew."""
        metrics.sessions.read = lambda: [((), float(self.sessions.count))]

    def stranger(self, dev_addr: str) -> str:
        """What to say of an address that no session has."""
        prefix, bits = dev_addr_prefix(self._net_id)
        if bits and int(dev_addr, 16) >> (32 - bits) != prefix >> (32 - bits):
            return f"dev_addr {dev_addr} is not of net_id {self._net_id}: a device of another network"
        return f"no session has dev_addr {dev_addr}: not registered here, or it has to join again"

    def add(self, device: Device) -> None:
        self.by_eui[device.dev_eui] = device
        self.by_id[device.id] = device

    def put_session(self, session: Session, pending: bool) -> None:
        """A session the registry already has: loaded at start, or provisioned for ABP in place of the old one."""
        device = session.device
        known = device.pending if pending else device.session
        if known is not None:
            self.sessions.remove(known)
        if pending:
            device.pending = session
        else:
            device.session = session
        self.sessions.add(session)

    def add_pending(self, session: Session) -> None:
        """A join was granted: old and new session are both kept until the first uplink under the new keys."""
        device = session.device
        if device.pending is not None:
            self._drop(device.pending)
        device.pending = session
        self.sessions.add(session)

    def promote(self, session: Session) -> None:
        """The first uplink under the new keys has come: the old session goes."""
        device = session.device
        if device.session is not None:
            self._drop(device.session)
        device.session, device.pending = session, None
        self._state.promoted(session)
        if device.rj_count0 >= 0:
            device.rj_count0 = -1  # it counts the rejoin-requests of one session (LoRaWAN 1.1, chapter 6.2.4)
            self._state.joined(device, None, 0)

    def renew(self, session: Session, now_us: int) -> Session:
        """A permitted counter reset: the same keys and FCntDown under a new id, so that record ids stay unique."""
        device = session.device
        fresh = Session.of(new_session_id(), device, session.dev_addr, session.keys, session.minor)
        fresh.fcnt_down, fresh.afcnt_down = session.fcnt_down, session.afcnt_down
        fresh.conf_fcnts_down = session.conf_fcnts_down
        fresh.rx1_delay_s, fresh.rx1_dr_offset = session.rx1_delay_s, session.rx1_dr_offset
        fresh.rx2_dr, fresh.rx2_freq_hz = session.rx2_dr, session.rx2_freq_hz
        fresh.radio, fresh.radio_octets = session.radio, session.radio_octets
        if fresh.radio is not None or fresh.radio_octets is not None:
            fresh.known_radio().restart_counts()
        if device.pending is session:
            device.pending = None
            if device.session is not None:
                self._drop(device.session)
        self._drop(session)
        device.session = fresh
        self.sessions.add(fresh)
        self._state.created(fresh, "active", now_us)
        return fresh

    def _drop(self, session: Session) -> None:
        self.sessions.remove(session)
        self._state.removed(session)

    def forget(self, dev_eui: str) -> None:
        """Take a device out of memory; the registry has already changed."""
        device = self.by_eui.pop(dev_eui, None)
        if device is None:
            return
        self.by_id.pop(device.id, None)
        for session in (device.session, device.pending):
            if session is not None:
                self.sessions.remove(session)
        for listener in self.on_forgotten:
            listener(device.id)
