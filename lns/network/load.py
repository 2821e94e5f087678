"""From registry rows to the network's objects."""

from array import array
from collections import deque
from collections.abc import Iterable

from lns.lorawan.regions import region
from lns.mac.queue import DownlinkItem
from lns.mac.session import Device, Session
from lns.network.devices import Devices
from lns.registry.rows import DeviceRow, NetworkSnapshot, SessionRow


def load(devices: Devices, snapshot: NetworkSnapshot, at_start: bool) -> None:
    """Put every device of `snapshot` into memory, replacing what is there under the same DevEUI.

    Nonces and queues are taken at the start only: from then on memory is ahead of the file.
    """
    for row in snapshot.devices:
        device = devices.by_eui.get(row.dev_eui)
        if device is None or device.id != row.id or device.region.name != row.region:
            devices.forget(row.dev_eui)
            device = _device(row)
            devices.add(device)
        _settings(device, row)
    _load_sessions(devices, snapshot.sessions)
    if at_start:
        for device_id, nonces in snapshot.nonces.items():
            devices.by_id[device_id].nonces = array("H", nonces)
        _load_downlinks(devices, snapshot.downlinks)


def _device(row: DeviceRow) -> Device:
    return Device(row.id, row.dev_eui, row.application_id, region(row.region), row.lorawan_version)


def _settings(device: Device, row: DeviceRow) -> None:
    device.application_id, device.name, device.activation = row.application_id, row.name, row.activation
    device.join_eui, device.app_key, device.lorawan_version = row.join_eui, row.app_key, row.lorawan_version
    device.join_nonce = max(device.join_nonce, row.join_nonce)
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
        session = Session(row.id, device, row.dev_addr, row.nwk_s_key, row.app_s_key)
        session.fcnt_up, session.fcnt_down = row.fcnt_up, row.fcnt_down
        session.rx1_delay_s, session.rx1_dr_offset = row.rx1_delay_s, row.rx1_dr_offset
        session.rx2_dr, session.rx2_freq_hz = row.rx2_dr, row.rx2_freq_hz
        session.created_at_us, session.last_uplink_at_us = row.created_at_us, row.last_uplink_at_us
        devices.put_session(session, pending=row.state == "pending")


def _load_downlinks(devices: Devices, items: Iterable[DownlinkItem]) -> None:
    for item in items:
        device = devices.by_id[item.device_id]
        if item.state == "sent":
            device.awaiting_ack = item
            continue
        if device.queue is None:
            device.queue = deque()
        device.queue.append(item)
