"""A device's session as JSON: with it a device moves from one server to another and need not join again.

The network writes such objects (`Network.export_session`); here they are read, checked and put in place.
"""

import secrets
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import Connection, delete, func, insert, select, update

from lns.clock import now_us
from lns.lorawan.ids import parse_dev_addr, parse_eui, parse_key
from lns.lorawan.regions import region
from lns.mac.radio import Radio
from lns.registry.database import Database
from lns.registry.errors import conflict, invalid, not_found
from lns.registry.explain import explained
from lns.registry.fields import check_region, check_version, parsed
from lns.registry.key_blobs import SESSION_KEYS, share_a_key
from lns.registry.schema import dev_nonce, device, device_template, session
from lns.registry.seal import Seal

FRAMES_UNDER_WAY = 16
"""FCntDowns skipped when a session is set again under its old key: frames just decided may still carry them."""

Counter = Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
RjCount = Annotated[int, Meta(ge=0, le=0xFFFF)]


def _about(text: str) -> Meta:
    return Meta(description=text)


class SessionFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A session with all counters, keys and channel state."""

    version: Annotated[Literal[1], _about("Version of this form.")]
    dev_eui: Annotated[str, _about("DevEUI, 16 hex digits.")]
    lorawan_version: Annotated[str, _about("LoRaWAN version of the device, as in its template.")]
    minor: Annotated[Literal[0, 1], _about("1: a session of LoRaWAN 1.1, with four keys; 0: of 1.0.x, with two.")]
    region: Annotated[str, _about("Region of the device.")]
    dev_addr: Annotated[str, _about("DevAddr, 8 hex digits.")]
    keys: Annotated[
        dict[str, str],
        _about("By name, hex: nwk_s_key, app_s_key; or f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key, app_s_key."),
    ]
    fcnt_up: Annotated[int, Meta(ge=-1, le=0xFFFF_FFFF, description="Last uplink counter heard; -1: none.")] = -1
    fcnt_down: Annotated[Counter, _about("Next downlink counter, of 1.1 the NFCntDown.")] = 0
    afcnt_down: Annotated[Counter, _about("Next AFCntDown, of 1.1 only.")] = 0
    rx1_delay_s: Annotated[int, Meta(ge=1, le=15, description="Seconds from an uplink to RX1.")] = 1
    rx1_dr_offset: Annotated[int, Meta(ge=0, le=7, description="RX1 data rate offset.")] = 0
    rx2_dr: Annotated[int, Meta(ge=0, le=15)] | None = None
    rx2_freq_hz: int | None = None
    radio: Annotated[
        dict[str, Any] | None,
        _about("Channels, data rate, power, class and MAC dialogue, as this server keeps them; null: the defaults."),
    ] = None
    join_nonce: Annotated[int, Meta(ge=0, le=0xFF_FFFF, description="Last JoinNonce given.")] = 0
    dev_nonces: Annotated[tuple[RjCount, ...], _about("DevNonces used.")] = ()
    rj_count0: Annotated[RjCount | None, _about("Last RJcount0 accepted; null: none.")] = None
    rj_count1: Annotated[RjCount | None, _about("Last RJcount1 accepted; null: none.")] = None


class SessionFiles:
    """Puts sessions in place, in the table `session`."""

    def __init__(self, database: Database, default_region: str) -> None:
        self._database, self._default_region = database, default_region

    def replace(self, dev_eui: str, values: Mapping[str, Any]) -> None:
        """Give a device the session of a file in place of its own. RegistryError: the file is another device's."""
        given = read_session(values)
        keys = _keys(given)
        row = {**_row(given), "keys": self._database.seal.seal(keys)}
        with self._database.write() as connection:
            device_id = self._check_device(connection, dev_eui, given)
            row |= _counters(connection, self._database.seal, device_id, given, keys)
            # a session that a join has just made stays: the first uplink under its keys decides
            old = delete(session).where(session.c.device_id == device_id, session.c.state == "active")
            connection.execute(old)
            connection.execute(insert(session).values(device_id=device_id, **row))
            _raise_counts(connection, device_id, given)

    def _check_device(self, connection: Connection, dev_eui: str, given: SessionFile) -> int:
        """The device's id. It has to be the device of the file, as the file describes it."""
        t = device_template.c
        where = func.coalesce(t.region, self._default_region)
        chosen = select(device.c.id, t.name, t.lorawan_version, where).join_from(device, device_template)
        row = connection.execute(chosen.where(device.c.dev_eui == dev_eui)).one_or_none()
        if row is None:
            raise not_found(f"device {dev_eui} does not exist")
        device_id, template, version, region_name = row
        if parsed("dev_eui", parse_eui, given.dev_eui) != dev_eui:
            raise conflict(f"the session is that of device {given.dev_eui}, not of {dev_eui}")
        for what, theirs, ours in (
            ("lorawan", check_version("lorawan_version", given.lorawan_version), version),
            ("region", check_region("region", given.region), region_name),
        ):
            if theirs != ours:
                text = (
                    f"the session is of {what} {theirs}, device {dev_eui} of {ours} by its device template {template!r}"
                )
                raise conflict(text)
        return int(device_id)


def read_session(values: Mapping[str, Any]) -> SessionFile:
    """A session file, each field checked by itself. RegistryError names field, value and limit, but no key."""
    try:
        return msgspec.convert(dict(values), SessionFile)
    except msgspec.ValidationError as error:
        raise invalid(explained(str(error), values, SessionFile)) from error


def _keys(given: SessionFile) -> bytes:
    names = SESSION_KEYS[given.minor]
    if set(given.keys) != set(names):
        have = ", ".join(sorted(given.keys)) or "none"
        raise invalid(f"keys has {have}: a session with minor {given.minor} has {', '.join(names)}")
    if given.minor and check_version("lorawan_version", given.lorawan_version) != "1.1":
        raise invalid(f"minor is 1, but a device of lorawan {given.lorawan_version} has sessions with minor 0 only")
    return b"".join([parsed(f"keys.{name}", parse_key, given.keys[name]) for name in names])


def _row(given: SessionFile) -> dict[str, Any]:
    """The columns that follow from the file alone."""
    plan = region(check_region("region", given.region) or "")
    rx2_dr = plan.rx2_dr if given.rx2_dr is None else given.rx2_dr
    rx2_freq_hz = plan.rx2_freq_hz if given.rx2_freq_hz is None else given.rx2_freq_hz
    if plan.max_macpayload(rx2_dr, downlink=True) is None:
        raise invalid(f"rx2_dr is {rx2_dr}, which is no downlink data rate of {plan.name}")
    try:
        plan.downlink_eirp_dbm(rx2_freq_hz)
    except ValueError as error:
        raise invalid(f"rx2_freq_hz: {error}") from error
    radio = None if given.radio is None else msgspec.json.encode(given.radio)
    if radio is not None:
        try:
            Radio.load(plan, radio)
        except ValueError as error:
            raise invalid(f"radio: {error}") from error
    return {
        "id": secrets.randbits(62),
        "region": plan.name,
        "dev_addr": parsed("dev_addr", parse_dev_addr, given.dev_addr),
        "minor": given.minor,
        "fcnt_up": given.fcnt_up,
        "rx1_delay_s": given.rx1_delay_s,
        "rx1_dr_offset": given.rx1_dr_offset,
        "rx2_dr": rx2_dr,
        "rx2_freq_hz": rx2_freq_hz,
        "radio": radio,
        "state": "active",
        "created_at_us": now_us(),
    }


def _counters(connection: Connection, seal: Seal, device_id: int, given: SessionFile, keys: bytes) -> dict[str, int]:
    """The downlink counters of the file, or later ones where this server has used its keys already."""
    s = session.c
    known = select(s["keys"], s.fcnt_down, s.afcnt_down).where(s.device_id == device_id)
    old = [row for row in connection.execute(known) if share_a_key(seal.open(row[0]), keys)]
    return {
        "fcnt_down": max([given.fcnt_down, *(row.fcnt_down + FRAMES_UNDER_WAY for row in old)]),
        "afcnt_down": max([given.afcnt_down, *(row.afcnt_down + FRAMES_UNDER_WAY for row in old if given.minor)]),
    }


def _raise_counts(connection: Connection, device_id: int, given: SessionFile) -> None:
    """Nonces and counts of joins never go back, whatever a file says."""
    values: dict[str, Any] = {"join_nonce": func.max(device.c.join_nonce, given.join_nonce)}
    for name in ("rj_count0", "rj_count1"):
        if getattr(given, name) is not None:
            values[name] = func.max(func.coalesce(device.c[name], 0), getattr(given, name))
    connection.execute(update(device).where(device.c.id == device_id).values(**values))
    at_us = now_us()
    rows = [{"device_id": device_id, "nonce": nonce, "at_us": at_us} for nonce in dict.fromkeys(given.dev_nonces)]
    if rows:
        connection.execute(insert(dev_nonce).prefix_with("OR IGNORE"), rows)
