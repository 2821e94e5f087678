"""Device templates: what devices of one kind share. `default` exists from the start and stays."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, delete, func, insert, select, update

from decoders.naming import is_known
from lns.clock import now_us
from lns.registry.codec_pin import pinned
from lns.registry.codecs import codec_id
from lns.registry.database import Database
from lns.registry.device_input import missing_keys
from lns.registry.errors import RegistryError, conflict, invalid, not_found
from lns.registry.fields import check_name, check_range, check_region, check_text, check_version
from lns.registry.key_blobs import NO_KEYS, unpack_device
from lns.registry.network_settings import changed, check_fits
from lns.registry.rows import DeviceTemplate
from lns.registry.rules import MAX_FIELD_NAME, check_per_hour, check_rules
from lns.registry.schema import codec, codec_version, device, device_template, session
from lns.registry.sessions import place_abp_sessions

DEFAULT = "default"
MAX_INTERVAL_S = 31_536_000
MAX_FIELDS = 512


class FieldInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What people and dashboards may know of a measurement field; a value beyond `min` or `max` is not plausible.

    `name` is the vocabulary's name that it is stored under, its own to leave it alone.
    """

    label: str = ""
    unit: str = ""
    min: float | None = None
    max: float | None = None
    name: str = ""


class Templates:
    """The table `device_template`."""

    def __init__(self, database: Database, default_region: str) -> None:
        self._database, self._default_region = database, default_region

    def all(self) -> list[DeviceTemplate]:
        """All of them, by name."""
        with self._database.read() as connection:
            return [DeviceTemplate(*row) for row in connection.execute(_select().order_by(device_template.c.name))]

    def get(self, name: str) -> DeviceTemplate:
        """The template called `name`."""
        with self._database.read() as connection:
            return _get(connection, name)

    def add(self, values: Mapping[str, Any], library_item: str | None = None) -> DeviceTemplate:
        """Create one from `name` and any of the fields of `DeviceTemplate`; `codec` is a codec's name.

        `codec_version` is the number of the version to stay with, `library_item` where the template comes from.
        """
        row = {
            "lorawan_version": "1.0.3",
            "supports_join": True,
            "fcnt_reset_allowed": False,
            "rules": {},
            **check_template(values),
            "network": changed({}, values.get("network") or {}),
        }
        check_fits(row["network"], {}, row.get("region") or self._default_region)
        with self._database.write() as connection:
            _free(connection, values["name"])
            row["codec_id"] = codec_id(connection, row.pop("codec", None))
            row["codec_version_id"] = pinned(connection, row["codec_id"], row.pop("codec_version", None))
            connection.execute(insert(device_template).values(**row, library_item=library_item, created_at_us=now_us()))
            return _get(connection, values["name"])

    def change(self, name: str, values: Mapping[str, Any]) -> DeviceTemplate:
        """Change the given fields, `network` merged into what is set; sessions of ABP devices follow a new region."""
        row = check_template(values)
        new_name = row.get("name", name)
        with self._database.write() as connection:
            found = _get(connection, name)
            if new_name != name:
                if name == DEFAULT:
                    raise conflict(f"device template {DEFAULT!r} serves the devices that name none: it keeps its name")
                _free(connection, new_name)
            if "codec" in row or "codec_version" in row:
                name_of_codec = row.pop("codec", found.codec)
                # another codec has other versions: a pin goes with the codec it was for
                kept = found.codec_version if name_of_codec == found.codec else None
                row["codec_id"] = codec_id(connection, name_of_codec)
                row["codec_version_id"] = pinned(connection, row["codec_id"], row.pop("codec_version", kept))
            if "network" in row:
                row["network"] = changed(found.network, row["network"] or {})
            if "network" in row or "region" in row:
                self._check_fits(connection, found, row)
            if "lorawan_version" in row:
                self._check_devices(connection, found, row["lorawan_version"])
            if row:
                connection.execute(update(device_template).where(device_template.c.id == found.id).values(**row))
            if "region" in row:
                place_abp_sessions(connection, self._default_region)
            return _get(connection, new_name)

    def delete(self, name: str) -> None:
        """Remove one that no device follows."""
        with self._database.write() as connection:
            found = _get(connection, name)
            if name == DEFAULT:
                raise conflict(f"device template {DEFAULT!r} serves the devices that name none: it cannot be deleted")
            if found.devices:
                raise conflict(f"device template {name!r} has {found.devices} device(s): delete or move them first")
            connection.execute(delete(device_template).where(device_template.c.id == found.id))

    def _check_fits(self, connection: Connection, found: DeviceTemplate, row: Mapping[str, Any]) -> None:
        """The template's settings in its region, and under those of its devices."""
        network = row.get("network", found.network)
        region_name = row.get("region", found.region) or self._default_region
        check_fits(network, {}, region_name)
        followers = select(device.c.dev_eui, device.c.network).where(device.c.template_id == found.id)
        for dev_eui, own in connection.execute(followers):
            try:
                if own:
                    check_fits(network, own, region_name)
            except RegistryError as error:
                raise conflict(f"device {dev_eui} follows device template {found.name!r}: {error}") from error

    def _check_devices(self, connection: Connection, found: DeviceTemplate, version: str) -> None:
        """A version across the line between 1.0 and 1.1 needs other keys of every device."""
        if (version == "1.1") == (found.lorawan_version == "1.1"):
            return
        seal = self._database.seal
        followers = (
            select(device.c.dev_eui, device.c["keys"], session.c["keys"])
            .outerjoin(session, (session.c.device_id == device.c.id) & (device.c.activation == "abp"))
            .where(device.c.template_id == found.id)
        )
        for dev_eui, root, fixed in connection.execute(followers):
            keys = NO_KEYS if root is None else unpack_device(seal.open(root))
            missing = missing_keys(version, keys, None if fixed is None else seal.open(fixed))
            if missing is not None:
                raise conflict(f"device {dev_eui} follows device template {found.name!r}: {missing}")


def check_template(values: Mapping[str, Any]) -> dict[str, Any]:
    """The given fields, checked."""
    row = dict(values)
    if "name" in row:
        check_name("name", row["name"])
    if "region" in row:
        row["region"] = check_region("region", row["region"])
    if "lorawan_version" in row:
        row["lorawan_version"] = check_version("lorawan_version", row["lorawan_version"])
    if row.get("uplink_interval_s") is not None:
        check_range("uplink_interval_s", row["uplink_interval_s"], 1, MAX_INTERVAL_S)
    if "description" in row:
        check_text("description", row["description"])
    if "fields" in row:
        row["fields"] = _checked_fields(row["fields"])
    if "rules" in row:
        row["rules"] = check_rules(row["rules"])
    if "max_measurements_per_hour" in row:
        check_per_hour(row["max_measurements_per_hour"])
    return row


def _checked_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    if len(fields) > MAX_FIELDS:
        raise invalid(f"fields has {len(fields)} entries, at most {MAX_FIELDS} fit")
    return {name: _checked_field(name, field) for name, field in fields.items()}


def _checked_field(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    if not 0 < len(name) <= MAX_FIELD_NAME:
        raise invalid(f"fields has the name {name[:40]!r}: 1 to {MAX_FIELD_NAME} characters are needed")
    try:
        info = msgspec.convert(given, FieldInfo)
    except msgspec.ValidationError as error:
        raise invalid(f"fields.{name}: {error}") from error
    if info.min is not None and info.max is not None and info.min > info.max:
        raise invalid(f"fields.{name}.min is {info.min:g}, at most the max {info.max:g} is allowed")
    if info.name not in ("", name) and not is_known(info.name):
        raise invalid(f"fields.{name}.name is {info.name[:40]!r}, which is no name of the vocabulary")
    plain: dict[str, Any] = msgspec.to_builtins(info)
    return plain


def _select() -> Select[Any]:
    t = device_template.c
    devices = select(func.count()).where(device.c.template_id == t.id).scalar_subquery()
    return select(
        t.id,
        t.name,
        t.region,
        t.lorawan_version,
        t.supports_join,
        codec.c.name,
        t.fcnt_reset_allowed,
        t.uplink_interval_s,
        t.rules,
        t.network,
        t.created_at_us,
        devices,
        codec_version.c.number,
        t.description,
        t.fields,
        t.library_item,
        t.max_measurements_per_hour,
    ).select_from(
        device_template.outerjoin(codec, codec.c.id == t.codec_id).outerjoin(
            codec_version, codec_version.c.id == t.codec_version_id
        )
    )


def _get(connection: Connection, name: str) -> DeviceTemplate:
    row = connection.execute(_select().where(device_template.c.name == name)).one_or_none()
    if row is None:
        raise not_found(f"device template {name!r} does not exist")
    return DeviceTemplate(*row)


def _free(connection: Connection, name: str) -> None:
    if connection.scalar(select(device_template.c.id).where(device_template.c.name == name)) is not None:
        raise conflict(f"device template {name!r} exists already")
