"""Multicast groups: their settings, keys, members and what waits to be sent to them.

The network writes `fcnt` and the downlinks. Keys follow TS005: a group has an McKey, from which its session keys come;
where devices were given session keys only, the McKey stays unknown.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from lns.clock import now_us
from lns.lorawan.ids import dev_addr_prefix, make_dev_addr, parse_dev_addr, parse_key
from lns.lorawan.multicast import mc_keys
from lns.lorawan.regions import region
from lns.mac.multicast import MulticastDownlink
from lns.registry.database import Database
from lns.registry.errors import conflict, invalid, not_found
from lns.registry.fields import check_name, check_range, check_region, parsed
from lns.registry.key_blobs import GROUP_KEYS
from lns.registry.rows import MulticastGroup, MulticastSnapshot
from lns.registry.schema import (
    application,
    device,
    device_template,
    multicast_downlink,
    multicast_group,
    multicast_member,
)

MAX_FCNT = 0xFFFF_FFFF
MAX_MEMBERS = 10_000
CLASSES = ("B", "C")
_KEYS = MulticastGroup.__struct_fields__.index("keys")
Opener = Callable[[bytes], bytes]


class Multicast:
    """The tables `multicast_group`, `multicast_member` and `multicast_downlink`."""

    def __init__(self, database: Database, default_region: str) -> None:
        self._database, self._default_region = database, default_region

    def all(self, application_name: str | None = None) -> list[MulticastGroup]:
        """Groups by application and name."""
        chosen = _select().order_by(application.c.name, multicast_group.c.name)
        if application_name is not None:
            chosen = chosen.where(application.c.name == application_name)
        with self._database.read() as connection:
            return [_group(row, self._database.seal.open) for row in connection.execute(chosen)]

    def get(self, group_id: int) -> MulticastGroup:
        """The group with this id."""
        with self._database.read() as connection:
            return self._get(connection, group_id)

    def add(self, values: Mapping[str, Any], net_id: str = "000000") -> MulticastGroup:
        """Create one from its fields; `application` is a name. Without keys or McAddr random ones are made."""
        name = check_name("name", values["name"])
        row = {"device_class": "C", "region": self._default_region, "fcnt": 0, **_checked(values)}
        row["mc_addr"] = _mc_addr(values.get("mc_addr"), net_id)
        row["keys"] = self._database.seal.seal(_keys(values, row["mc_addr"]))
        _place(row)
        with self._database.write() as connection:
            application_id = _application_id(connection, values.get("application") or "default")
            _free(connection, application_id, name)
            row |= {"name": name, "application_id": application_id, "created_at_us": now_us()}
            group_id = connection.scalar(insert(multicast_group).values(**row).returning(multicast_group.c.id))
            return self._get(connection, int(group_id or 0))

    def change(self, group_id: int, values: Mapping[str, Any]) -> MulticastGroup:
        """Change `name`, `device_class`, `dr`, `freq_hz`, `ping_periodicity` or `expires_at_us`."""
        row = _checked(values)
        with self._database.write() as connection:
            found = self._get(connection, group_id)
            if "name" in values and values["name"] != found.name:
                row["name"] = check_name("name", values["name"])
                _free(connection, found.application_id, row["name"])
            whole = {name: getattr(found, name) for name in ("region", "device_class", "dr", "freq_hz")}
            whole |= {"ping_periodicity": found.ping_periodicity, **row}
            _place(whole)
            row |= {name: whole[name] for name in ("dr", "freq_hz", "ping_periodicity")}
            connection.execute(update(multicast_group).where(multicast_group.c.id == group_id).values(**row))
            return self._get(connection, group_id)

    def delete(self, group_id: int) -> None:
        """Remove a group with its downlinks; its members stay devices."""
        with self._database.write() as connection:
            self._get(connection, group_id)
            connection.execute(delete(multicast_group).where(multicast_group.c.id == group_id))

    def members(self, group_id: int) -> list[tuple[str, str]]:
        """DevEUI and name of each member, by DevEUI."""
        chosen = (
            select(device.c.dev_eui, device.c.name)
            .join_from(multicast_member, device)
            .where(multicast_member.c.group_id == group_id)
            .order_by(device.c.dev_eui)
        )
        with self._database.read() as connection:
            self._get(connection, group_id)
            return [(dev_eui, name) for dev_eui, name in connection.execute(chosen)]

    def join(self, group_id: int, dev_euis: Sequence[str]) -> None:
        """Make devices members; all of them or, when one cannot be, none."""
        with self._database.write() as connection:
            group = self._get(connection, group_id)
            ids = [self._member(connection, group, dev_eui) for dev_eui in dict.fromkeys(dev_euis)]
            known = set(
                connection.scalars(select(multicast_member.c.device_id).where(multicast_member.c.group_id == group_id))
            )
            fresh = [{"group_id": group_id, "device_id": device_id} for device_id in ids if device_id not in known]
            if len(known) + len(fresh) > MAX_MEMBERS:
                raise invalid(f"the group would have {len(known) + len(fresh)} members, at most {MAX_MEMBERS} may be")
            if fresh:
                connection.execute(insert(multicast_member), fresh)

    def leave(self, group_id: int, dev_eui: str) -> None:
        """End a device's membership."""
        device_id = select(device.c.id).where(device.c.dev_eui == dev_eui).scalar_subquery()
        m = multicast_member.c
        with self._database.write() as connection:
            group = self._get(connection, group_id)
            gone = delete(multicast_member).where(m.group_id == group_id, m.device_id == device_id)
            if not connection.execute(gone).rowcount:
                raise not_found(f"device {dev_eui} is no member of multicast group {group.name!r}")

    def downlinks(self, group_id: int, limit: int = 100) -> list[MulticastDownlink]:
        """The group's downlinks in every state, queued last first."""
        q = multicast_downlink.c
        chosen = _downlinks().where(q.group_id == group_id).order_by(q.enqueued_at_us.desc(), q.id).limit(limit)
        with self._database.read() as connection:
            self._get(connection, group_id)
            return [MulticastDownlink(*row) for row in connection.execute(chosen)]

    def _get(self, connection: Connection, group_id: int) -> MulticastGroup:
        row = connection.execute(_select().where(multicast_group.c.id == group_id)).one_or_none()
        if row is None:
            raise not_found(f"multicast group {group_id} does not exist")
        return _group(row, self._database.seal.open)

    def _member(self, connection: Connection, group: MulticastGroup, dev_eui: str) -> int:
        """The id of a device that may be a member: of the group's application and region."""
        where = func.coalesce(device_template.c.region, self._default_region)
        chosen = select(device.c.id, device.c.application_id, where).join(device_template)
        row = connection.execute(chosen.where(device.c.dev_eui == dev_eui)).one_or_none()
        if row is None:
            raise not_found(f"device {dev_eui} does not exist")
        device_id, application_id, region_name = row
        if application_id != group.application_id:
            raise conflict(f"device {dev_eui} is not of application {group.application!r}, as the group is")
        if region_name != group.region:
            raise conflict(f"device {dev_eui} is in region {region_name}, the group in {group.region}")
        return int(device_id)


def load_multicast(connection: Connection, unseal: Opener, group_ids: Sequence[int] | None = None) -> MulticastSnapshot:
    """What the network keeps of all groups or some of them."""
    g, m, q = multicast_group.c, multicast_member.c, multicast_downlink.c
    groups, members, waiting = _select(), select(m.group_id, m.device_id), _downlinks().where(q.state == "queued")
    if group_ids is not None:
        groups, members = groups.where(g.id.in_(group_ids)), members.where(m.group_id.in_(group_ids))
        waiting = waiting.where(q.group_id.in_(group_ids))
    found = [_group(row, unseal) for row in connection.execute(groups.order_by(g.id))]
    by_group: dict[int, list[int]] = {group.id: [] for group in found}
    for group_id, device_id in connection.execute(members.order_by(m.group_id, m.device_id)):
        by_group[group_id].append(device_id)
    items = [MulticastDownlink(*row) for row in connection.execute(waiting.order_by(q.enqueued_at_us, q.id))]
    return MulticastSnapshot(found, by_group, items)


def _select() -> Select[Any]:
    g, m = multicast_group.c, multicast_member.c
    members = select(func.count()).where(m.group_id == g.id).scalar_subquery()
    return select(
        g.id,
        g.application_id,
        application.c.name,
        g.name,
        g.device_class,
        g.region,
        g.mc_addr,
        g["keys"],
        g.fcnt,
        g.dr,
        g.freq_hz,
        g.ping_periodicity,
        g.expires_at_us,
        g.created_at_us,
        members,
    ).join_from(multicast_group, application)


def _group(row: Sequence[Any], unseal: Opener) -> MulticastGroup:
    return MulticastGroup(*(*row[:_KEYS], unseal(row[_KEYS]), *row[_KEYS + 1 :]))


def _downlinks() -> Select[Any]:
    q = multicast_downlink.c
    return select(
        q.id,
        q.group_id,
        q.fport,
        q.payload,
        q.enqueued_at_us,
        q.expires_at_us,
        q.at_us,
        q.state,
        q.reason,
        q.fcnt,
    )


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The plain fields that are given, each checked by itself."""
    names = ("device_class", "region", "dr", "freq_hz", "ping_periodicity", "expires_at_us", "fcnt")
    row = {name: values[name] for name in names if values.get(name) is not None}
    if values.get("expires_at_us", 0) is None:
        row["expires_at_us"] = None
    if "region" in row:
        row["region"] = check_region("region", row["region"])
    if row.get("device_class", "C") not in CLASSES:
        raise invalid(f"device_class is {row['device_class']!r}, B and C have multicast")
    if "ping_periodicity" in row:
        check_range("ping_periodicity", row["ping_periodicity"], 0, 7)
    if "fcnt" in row:
        check_range("fcnt", row["fcnt"], 0, MAX_FCNT)
    return row


def _place(row: dict[str, Any]) -> None:
    """Fill in where and how the group is sent to by its region and class, and check that it can be."""
    plan = region(row["region"])
    if row["device_class"] == "B":
        row.setdefault("dr", plan.class_b.ping_slot_dr)
        row.setdefault("freq_hz", plan.class_b.ping_slot_freqs_hz[0])
        if row.get("ping_periodicity") is None:
            row["ping_periodicity"] = 0
    else:
        row.setdefault("dr", plan.rx2_dr)
        row.setdefault("freq_hz", plan.rx2_freq_hz)
        row["ping_periodicity"] = None
    if plan.max_macpayload(row["dr"], downlink=True) is None:
        raise invalid(f"dr is {row['dr']}, which is no downlink data rate of {plan.name}")
    try:
        plan.downlink_eirp_dbm(row["freq_hz"])
    except ValueError as error:
        raise invalid(f"freq_hz is {row['freq_hz']}: {error}") from error


def _mc_addr(given: str | None, net_id: str) -> str:
    if given:
        return parsed("mc_addr", parse_dev_addr, given)
    _, shared_bits = dev_addr_prefix(net_id)
    return make_dev_addr(net_id, secrets.randbits(32 - shared_bits))


def _keys(values: Mapping[str, Any], mc_addr: str) -> bytes:
    """McNwkSKey | McAppSKey, and the McKey where it is given or made."""
    network, payload, root = (values.get(name) for name in GROUP_KEYS)
    if bool(network) != bool(payload):
        missing = GROUP_KEYS[1] if network else GROUP_KEYS[0]
        raise invalid(f"{missing} is missing: give mc_key, or mc_nwk_s_key and mc_app_s_key, or none")
    if network and payload:
        if root:
            raise invalid("mc_key is given beside the keys that follow from it: leave it or them out")
        return parsed(GROUP_KEYS[0], parse_key, network) + parsed(GROUP_KEYS[1], parse_key, payload)
    mc_key = parsed("mc_key", parse_key, root) if root else secrets.token_bytes(16)
    return b"".join(mc_keys(mc_key, mc_addr)) + mc_key


def _application_id(connection: Connection, name: str) -> int:
    found = connection.scalar(select(application.c.id).where(application.c.name == name))
    if found is None:
        raise invalid(f"application {name!r} does not exist")
    return int(found)


def _free(connection: Connection, application_id: int, name: str) -> None:
    g = multicast_group.c
    taken = select(g.id).where(g.application_id == application_id, g.name == name)
    if connection.scalar(taken) is not None:
        raise conflict(f"multicast group {name!r} exists already in this application")
