"""Devices: reading, adding one or many, changing, deleting."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Select, delete, func, insert, or_, select, update

from lns.clock import now_us
from lns.registry.codecs import codec_id
from lns.registry.database import Database
from lns.registry.device_input import ROOT_KEYS, AbpSession, NewDevice, missing_keys, parse_settings
from lns.registry.errors import RegistryError, conflict, invalid, not_found
from lns.registry.key_blobs import NO_KEYS, DeviceKeys, pack_device, share_a_key, unpack_device
from lns.registry.network_settings import changed, check_fits
from lns.registry.rows import Device
from lns.registry.schema import (
    application,
    codec,
    device,
    device_template,
    multicast_group,
    multicast_member,
    session,
)
from lns.registry.seal import Seal
from lns.registry.session_file import FRAMES_UNDER_WAY
from lns.registry.sessions import abp_row, place_abp_sessions, session_row

ROWS_PER_TRANSACTION = 1000

_OWN_FIELDS = (
    "dev_eui",
    "name",
    "activation",
    "join_eui",
    "fcnt_reset_allowed",
    "disabled",
    "tags",
    "variables",
    "network",
    "rules",
    "max_measurements_per_hour",
)

Given = Mapping[str, bytes | None]
"""Root keys to change, by name; None takes one away."""


class Devices:
    """The table `device`, with the sessions that provisioning makes."""

    def __init__(self, database: Database, default_region: str) -> None:
        self._database, self._default_region = database, default_region

    def page(
        self, application_name: str | None = None, search: str | None = None, after: int = 0, limit: int = 100
    ) -> list[Device]:
        """Devices by id from the one after `after`; `search` is a part of a name or DevEUI."""
        chosen = _select().where(device.c.id > after).order_by(device.c.id).limit(limit)
        if application_name is not None:
            chosen = chosen.where(application.c.name == application_name)
        if search is not None:
            part = search.lower()
            named = func.lower(device.c.name).contains(part, autoescape=True)
            chosen = chosen.where(or_(named, device.c.dev_eui.contains(part, autoescape=True)))
        with self._database.read() as connection:
            return _devices(connection, self._database.seal, chosen)

    def get(self, dev_eui: str) -> Device:
        """The device with this DevEUI."""
        with self._database.read() as connection:
            return _get(connection, self._database.seal, dev_eui)

    def keys(self, dev_eui: str) -> DeviceKeys:
        """Its root keys."""
        with self._database.read() as connection:
            found = connection.execute(select(device.c["keys"]).where(device.c.dev_eui == dev_eui)).one_or_none()
        if found is None:
            raise not_found(f"device {dev_eui} does not exist")
        return _opened(self._database.seal, found[0])

    def id(self, dev_eui: str) -> int:
        """The id under which the device's measurements are stored."""
        with self._database.read() as connection:
            found = connection.scalar(select(device.c.id).where(device.c.dev_eui == dev_eui))
        if found is None:
            raise not_found(f"device {dev_eui} does not exist")
        return int(found)

    def last_id(self) -> int:
        """The newest device's id; 0 when there is none."""
        with self._database.read() as connection:
            return connection.scalar(select(func.max(device.c.id))) or 0

    def of_template(self, name: str) -> list[str]:
        """DevEUIs of the devices that follow a template."""
        chosen = select(device.c.dev_eui).join(device_template).where(device_template.c.name == name)
        with self._database.read() as connection:
            return list(connection.scalars(chosen))

    def add(self, new: NewDevice) -> Device:
        """Create one device, and its session when it is ABP."""
        (problem,) = self.add_many([new])
        if problem is not None:
            raise problem
        return self.get(new.dev_eui)

    def add_many(self, news: Sequence[NewDevice], dry_run: bool = False) -> list[RegistryError | None]:
        """Create devices, 1,000 a transaction; gives for each None or why it was not created."""
        problems: list[RegistryError | None] = []
        seen: set[str] = set()
        for at in range(0, len(news), ROWS_PER_TRANSACTION):
            batch = news[at : at + ROWS_PER_TRANSACTION]
            with self._database.read() if dry_run else self._database.write() as connection:
                batch_problems = _check_batch(connection, batch, seen, self._default_region)
                problems += batch_problems
                if not dry_run:
                    good = [new for new, problem in zip(batch, batch_problems, strict=True) if problem is None]
                    _insert(connection, good, self._default_region, self._database.seal)
        return problems

    def change(self, dev_eui: str, values: Mapping[str, Any]) -> Device:
        """Change the given fields; `abp` sets an ABP device's session anew, `network` is merged into what is set."""
        checked = parse_settings(values)
        seal = self._database.seal
        with self._database.write() as connection:
            found = _get(connection, seal, dev_eui)
            _check_change(found, checked)
            abp = checked.pop("abp", None)
            given = {name: checked.pop(name) for name in ROOT_KEYS if name in checked}
            row = _resolve(connection, found, checked)
            self._check_version(connection, found, row, given, abp)
            if "network" in row or "template_id" in row:
                self._check_fits(connection, found, row)
            if given:
                row["keys"] = _sealed(seal, _keys(connection, seal, found.id), given)
            if row:
                connection.execute(update(device).where(device.c.id == found.id).values(**row))
            if abp is not None:
                _replace_session(connection, found, abp, self._default_region, seal)
            if abp is not None or "template_id" in row:
                place_abp_sessions(connection, self._default_region, dev_eui)
            return _get(connection, seal, dev_eui)

    def _check_version(
        self, connection: Connection, found: Device, row: Mapping[str, Any], given: Given, abp: AbpSession | None
    ) -> None:
        """Its keys as they will be have to be those of its template's LoRaWAN version."""
        if not (given or abp is not None or "template_id" in row):
            return
        own = select(device.c.template_id).where(device.c.id == found.id).scalar_subquery()
        template_id = row.get("template_id", own)
        version = connection.scalar(
            select(device_template.c.lorawan_version).where(device_template.c.id == template_id)
        )
        keys = msgspec.structs.replace(_keys(connection, self._database.seal, found.id), **given)
        fixed = abp.keys if abp is not None else found.session.keys if found.session is not None else None
        missing = missing_keys(str(version), keys, None if found.activation == "otaa" else fixed)
        if missing is not None:
            raise invalid(missing)

    def _check_fits(self, connection: Connection, found: Device, row: Mapping[str, Any]) -> None:
        """Its MAC settings have to be had in its template's region."""
        own = select(device.c.template_id).where(device.c.id == found.id).scalar_subquery()
        t = device_template.c
        template = connection.execute(select(t.network, t.region).where(t.id == row.get("template_id", own))).one()
        check_fits(template.network, row.get("network", found.network), template.region or self._default_region)

    def delete(self, dev_eui: str) -> None:
        """Remove a device; its sessions, nonces, downlinks and decode failures go with it."""
        with self._database.write() as connection:
            if not connection.execute(delete(device).where(device.c.dev_eui == dev_eui)).rowcount:
                raise not_found(f"device {dev_eui} does not exist")


def _select() -> Select[Any]:
    d = device.c
    last_seen = select(func.max(session.c.last_uplink_at_us)).where(session.c.device_id == d.id).scalar_subquery()
    columns = select(
        d.id,
        d.dev_eui,
        d.name,
        application.c.name,
        device_template.c.name,
        d.activation,
        d.join_eui,
        d["keys"],
        codec.c.name,
        d.fcnt_reset_allowed,
        d.disabled,
        d.tags,
        d.variables,
        d.network,
        d.created_at_us,
        last_seen,
        d.rules,
        d.max_measurements_per_hour,
    )
    joined = columns.join_from(device, application).join(device_template, device_template.c.id == d.template_id)
    return joined.outerjoin(codec, codec.c.id == d.codec_id)


def _devices(connection: Connection, seal: Seal, chosen: Select[Any]) -> list[Device]:
    rows = connection.execute(chosen).all()
    ids = [row[0] for row in rows]
    active = select(*session.c).where(session.c.device_id.in_(ids), session.c.state == "active")
    sessions = {row.device_id: session_row(row, seal.open) for row in connection.execute(active)} if ids else {}
    found = []
    for *row, rules, most in rows:
        *who, keys, codec_name, reset, disabled, tags, variables, network, created, seen = row
        root = _opened(seal, keys)
        has = (root.nwk_key is not None, root.app_key is not None, root.gen_app_key is not None)
        own = (codec_name, reset, disabled, tags, variables, network)
        found.append(Device(*(*who, *has, *own, created, seen, sessions.get(who[0]), rules, most)))
    return found


def _get(connection: Connection, seal: Seal, dev_eui: str) -> Device:
    found = _devices(connection, seal, _select().where(device.c.dev_eui == dev_eui))
    if not found:
        raise not_found(f"device {dev_eui} does not exist")
    return found[0]


def _opened(seal: Seal, blob: bytes | None) -> DeviceKeys:
    return NO_KEYS if blob is None else unpack_device(seal.open(blob))


def _keys(connection: Connection, seal: Seal, device_id: int) -> DeviceKeys:
    return _opened(seal, connection.scalar(select(device.c["keys"]).where(device.c.id == device_id)))


def _sealed(seal: Seal, known: DeviceKeys, given: Given) -> bytes | None:
    packed = pack_device(msgspec.structs.replace(known, **given))
    return None if packed is None else seal.seal(packed)


def _check_batch(
    connection: Connection, news: Sequence[NewDevice], seen: set[str], default_region: str
) -> list[RegistryError | None]:
    """Why each of `news` cannot be created; `seen` are the DevEUIs of the batches before."""
    applications = set(connection.scalars(select(application.c.name)))
    joins = _pairs(connection, device_template.c.name, device_template.c.supports_join)
    versions = _pairs(connection, device_template.c.name, device_template.c.lorawan_version)
    t = device_template.c
    networks = {name: (network, own) for name, network, own in connection.execute(select(t.name, t.network, t.region))}
    codecs = {None, *connection.scalars(select(codec.c.name))}
    taken = set(connection.scalars(select(device.c.dev_eui).where(device.c.dev_eui.in_([new.dev_eui for new in news]))))
    problems: list[RegistryError | None] = []
    for new in news:
        problem = None
        if new.dev_eui in taken:
            problem = conflict(f"device {new.dev_eui} exists already")
        elif new.dev_eui in seen:
            problem = conflict(f"device {new.dev_eui} is given twice, the first one counts")
        elif new.application not in applications:
            problem = invalid(f"application {new.application!r} does not exist")
        elif new.template not in joins:
            problem = invalid(f"device template {new.template!r} does not exist")
        elif new.codec not in codecs:
            problem = invalid(f"codec {new.codec!r} does not exist")
        elif new.activation == "otaa" and not joins[new.template]:
            problem = invalid(f"device template {new.template!r} does not support joins: give an abp session")
        elif missing := missing_keys(versions[new.template], new.keys, None if new.abp is None else new.abp.keys):
            problem = invalid(missing)
        elif new.network and (misfit := _misfit(networks[new.template], new.network, default_region)) is not None:
            problem = misfit
        else:
            seen.add(new.dev_eui)
        problems.append(problem)
    return problems


def _misfit(
    template: tuple[Mapping[str, Any], str | None], own: Mapping[str, Any], default_region: str
) -> RegistryError | None:
    network, region_name = template
    try:
        check_fits(network, own, region_name or default_region)
    except RegistryError as error:
        return error
    return None


def _insert(connection: Connection, news: Sequence[NewDevice], default_region: str, seal: Seal) -> None:
    if not news:
        return
    applications = _pairs(connection, application.c.name, application.c.id)
    templates = {
        name: (template_id, region or default_region)
        for name, template_id, region in connection.execute(
            select(device_template.c.name, device_template.c.id, device_template.c.region)
        )
    }
    codecs = {None: None, **_pairs(connection, codec.c.name, codec.c.id)}
    at_us = now_us()
    rows = [
        {
            "application_id": applications[new.application],
            "template_id": templates[new.template][0],
            "codec_id": codecs[new.codec],
            "keys": _sealed(seal, new.keys, {}),
            "join_nonce": 0,
            "created_at_us": at_us,
            **{field: getattr(new, field) for field in _OWN_FIELDS},
        }
        for new in news
    ]
    inserted = insert(device).returning(device.c.id, sort_by_parameter_order=True)
    ids = connection.scalars(inserted, rows).all()
    sessions = [
        abp_row(device_id, templates[new.template][1], new.abp, seal)
        for device_id, new in zip(ids, news, strict=True)
        if new.abp is not None
    ]
    if sessions:
        connection.execute(insert(session), sessions)


def _pairs(connection: Connection, key: Column[Any], value: Column[Any]) -> dict[Any, Any]:
    return {row[0]: row[1] for row in connection.execute(select(key, value))}


def _check_change(found: Device, checked: Mapping[str, Any]) -> None:
    otaa = found.activation == "otaa"
    if otaa and checked.get("abp"):
        raise invalid(f"device {found.dev_eui} joins over the air (otaa): it takes no fixed session")
    if otaa and checked.get("app_key", b"") is None:
        raise invalid(f"app_key cannot be taken from {found.dev_eui}: an otaa device joins with it")
    for name in ("app_key", "nwk_key"):
        if not otaa and checked.get(name):
            raise invalid(f"device {found.dev_eui} has a fixed session (abp): it takes no {name}")


def _resolve(connection: Connection, found: Device, checked: Mapping[str, Any]) -> dict[str, Any]:
    """The columns to change, names turned into ids."""
    row = dict(checked)
    if "network" in row:
        row["network"] = changed(found.network, row["network"])
    if "name" in row:
        row["name"] = row["name"] or found.dev_eui
    if "codec" in row:
        row["codec_id"] = codec_id(connection, row.pop("codec"))
    if "application" in row:
        name = row.pop("application")
        row["application_id"] = connection.scalar(select(application.c.id).where(application.c.name == name))
        if row["application_id"] is None:
            raise invalid(f"application {name!r} does not exist")
        if name != found.application:
            _check_no_member(connection, found)
    if "template" in row:
        name = row.pop("template")
        template = select(device_template.c.id, device_template.c.supports_join).where(device_template.c.name == name)
        known = connection.execute(template).one_or_none()
        if known is None:
            raise invalid(f"device template {name!r} does not exist")
        if found.activation == "otaa" and not known.supports_join:
            raise invalid(f"device template {name!r} does not support joins, and {found.dev_eui} is an otaa device")
        row["template_id"] = known.id
    return row


def _check_no_member(connection: Connection, found: Device) -> None:
    """The members of a multicast group belong to its application."""
    groups = select(multicast_group.c.name).join_from(multicast_member, multicast_group)
    group = connection.scalar(groups.where(multicast_member.c.device_id == found.id).limit(1))
    if group is not None:
        raise conflict(f"device {found.dev_eui} is a member of multicast group {group!r}: end that first")


def _replace_session(connection: Connection, found: Device, abp: AbpSession, region_name: str, seal: Seal) -> None:
    old = found.session
    if old is not None and share_a_key(old.keys, abp.keys):
        # a downlink counter is never used twice under one key
        abp = msgspec.structs.replace(
            abp,
            fcnt_down=max(abp.fcnt_down, old.fcnt_down + FRAMES_UNDER_WAY),
            afcnt_down=max(abp.afcnt_down, old.afcnt_down + FRAMES_UNDER_WAY) if old.minor else 0,
        )
    connection.execute(delete(session).where(session.c.device_id == found.id))
    connection.execute(insert(session).values(**abp_row(found.id, region_name, abp, seal)))
