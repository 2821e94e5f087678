"""From registry rows to the network's objects."""

from array import array
from collections import deque
from collections.abc import Iterable
from functools import lru_cache

from lns.lorawan.joining import SessionKeys
from lns.lorawan.regions import region
from lns.mac.fitting import fitted
from lns.mac.queue import DownlinkItem
from lns.mac.session import Device, Session
from lns.network.devices import Devices
from lns.registry.rows import DeviceRow, NetworkSnapshot, SessionRow

KEY_OCTETS = 16


@lru_cache(1024)
def _shared(octets: bytes) -> bytes:
    """The same object for equal octets: of what a join-accept gives there are a few values for all devices."""
    return octets


def load(devices: Devices, snapshot: NetworkSnapshot, at_start: bool) -> None:
    """Put every device of `snapshot` into memory, replacing what is there under the same DevEUI.

    Queues are taken at the start only: from then on memory is ahead of the file.
    """
    for row in snapshot.devices:
        device = devices.by_eui.get(row.dev_eui)
        if device is None or device.id != row.id or device.region.name != row.region:
            devices.forget(row.dev_eui)
            device = _device(row)
            devices.add(device)
        _settings(device, row)
    _load_sessions(devices, snapshot.sessions)
    for device_id, nonces in snapshot.nonces.items():
        device = devices.by_id[device_id]
        known: array[int] = device.nonces or array("H")
        used = set(known)
        # with an imported session come nonces of another network
        device.nonces = array("H", [nonce for nonce in nonces if nonce not in used]) + known
    if at_start:
        _load_downlinks(devices, snapshot.downlinks)


def _device(row: DeviceRow) -> Device:
    return Device(row.id, row.dev_eui, row.application_id, region(row.region), row.lorawan_version)


def _settings(device: Device, row: DeviceRow) -> None:
    device.application_id, device.name, device.activation = row.application_id, row.name, row.activation
    device.join_eui, device.lorawan_version = row.join_eui, row.lorawan_version
    device.app_key, device.nwk_key = row.app_key, row.nwk_key
    # refused when they are given, but the configuration may have another region now for templates that name none
    device.settings = fitted(row.settings, row.region)
    # memory is ahead of the file
    device.join_nonce = max(device.join_nonce, row.join_nonce)
    device.rj_count0, device.rj_count1 = max(device.rj_count0, row.rj_count0), max(device.rj_count1, row.rj_count1)
    device.fcnt_reset_allowed, device.disabled = row.fcnt_reset_allowed, row.disabled


def _load_sessions(devices: Devices, rows: Iterable[SessionRow]) -> None:
    """A session of memory gives way only to a younger one: its changes may not be on the disk yet."""
    for row in sorted(rows, key=lambda row: row.created_at_us):
        device = devices.by_id.get(row.device_id)
        if device is None:
            continue
        known = [session.created_at_us for session in (device.session, device.pending) if session is not None]
        if known and row.created_at_us <= max(known):
            continue
        devices.put_session(_session(device, row), pending=row.state == "pending")


def _session(device: Device, row: SessionRow) -> Session:
    parts = [row.keys[at : at + KEY_OCTETS] for at in range(0, len(row.keys), KEY_OCTETS)]
    keys = SessionKeys(*parts) if row.minor else SessionKeys(parts[0], parts[0], parts[0], parts[1])
    session = Session.of(row.id, device, row.dev_addr, keys, row.minor)
    session.fcnt_up, session.fcnt_down, session.afcnt_down = row.fcnt_up, row.fcnt_down, row.afcnt_down
    session.rx1_delay_s, session.rx1_dr_offset = row.rx1_delay_s, row.rx1_dr_offset
    session.rx2_dr, session.rx2_freq_hz = row.rx2_dr, row.rx2_freq_hz
    session.created_at_us, session.last_uplink_at_us = row.created_at_us, row.last_uplink_at_us
    session.radio_octets = None if row.radio is None else _shared(row.radio)
    return session


def _load_downlinks(devices: Devices, items: Iterable[DownlinkItem]) -> None:
    for item in items:
        device = devices.by_id[item.device_id]
        if item.state == "sent":
            device.awaiting_ack = item
            if device.session is not None and item.fcnt_down is not None:
                device.session.conf_fcnts_down = (item.fcnt_down,)
            continue
        if device.queue is None:
            device.queue = deque()
        device.queue.append(item)
