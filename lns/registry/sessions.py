"""Sessions that provisioning makes: the fixed ones of ABP devices. Those of joins are written by the network."""

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, func, select, update

from lns.clock import now_us
from lns.lorawan.regions import region
from lns.registry.device_input import AbpSession
from lns.registry.key_blobs import session_minor
from lns.registry.rows import SessionRow
from lns.registry.schema import device, device_template, session
from lns.registry.seal import Seal


def session_row(row: Sequence[Any], unseal: Callable[[bytes], bytes]) -> SessionRow:
    """A row of the table with its keys opened."""
    id_, device_id, region_name, dev_addr, keys, *rest = row
    return SessionRow(id_, device_id, region_name, dev_addr, unseal(keys), *rest)


def abp_row(device_id: int, region_name: str, given: AbpSession, seal: Seal) -> dict[str, Any]:
    """A row of the table `session`; an ABP device has its region's default receive windows."""
    return {
        "id": secrets.randbits(62),
        "device_id": device_id,
        "dev_addr": given.dev_addr,
        "keys": seal.seal(given.keys),
        "minor": session_minor(given.keys),
        "fcnt_up": given.fcnt_up,
        "fcnt_down": given.fcnt_down,
        "afcnt_down": given.afcnt_down,
        "rx1_delay_s": 1,
        "rx1_dr_offset": 0,
        "state": "active",
        "created_at_us": now_us(),
        **_windows(region_name),
    }


def place_abp_sessions(connection: Connection, default_region: str, dev_eui: str | None = None) -> None:
    """Give ABP sessions (or that of one device) the region of the device's template, or the server's.

    An ABP device cannot be told a region: it is where its template or the configuration says.
    """
    wanted = func.coalesce(device_template.c.region, default_region)
    astray = (
        select(wanted, session.c.id)
        .join_from(session, device)
        .join(device_template)
        .where(device.c.activation == "abp", session.c.region != wanted)
    )
    if dev_eui is not None:
        astray = astray.where(device.c.dev_eui == dev_eui)
    moved: dict[str, list[int]] = {}
    for name, session_id in connection.execute(astray):
        moved.setdefault(name, []).append(session_id)
    for name, session_ids in moved.items():
        for at in range(0, len(session_ids), 500):
            chosen = session.c.id.in_(session_ids[at : at + 500])
            connection.execute(update(session).where(chosen).values(**_windows(name)))


def _windows(region_name: str) -> dict[str, Any]:
    known = region(region_name)
    return {"region": region_name, "rx2_dr": known.rx2_dr, "rx2_freq_hz": known.rx2_freq_hz}
