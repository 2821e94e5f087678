"""Downlinks as they are stored, also those that have left the queue; the network writes them."""

from typing import Any

from sqlalchemy import Connection, Select, delete, literal_column, select, text

from lns.mac.queue import DownlinkItem
from lns.registry.database import Database
from lns.registry.errors import not_found
from lns.registry.rows import StoredDownlink
from lns.registry.schema import device, downlink, multicast_downlink

_AT_ONCE = 10_000
ITEM_COLUMNS = tuple(downlink.c[name] for name in DownlinkItem.__struct_fields__)
"""The columns of an item, in the order of its fields."""
_ROWID: Any = literal_column("downlink.rowid")


class Downlinks:
    """The tables `downlink` and `multicast_downlink`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, dev_eui: str, before: int | None = None, limit: int = 100) -> list[StoredDownlink]:
        """A device's downlinks in every state, queued last first, from the one before place `before`."""
        chosen = _select().where(device.c.dev_eui == dev_eui).order_by(_ROWID.desc()).limit(limit)
        if before is not None:
            chosen = chosen.where(_ROWID.between(0, before - 1))
        with self._database.read() as connection:
            found = [_stored(row) for row in connection.execute(chosen)]
            if not found:
                _check_device(connection, dev_eui)
        return found

    def get(self, dev_eui: str, item_id: str) -> StoredDownlink:
        """One downlink of a device, in whatever state it is."""
        chosen = _select().where(device.c.dev_eui == dev_eui, downlink.c.id == item_id)
        with self._database.read() as connection:
            row = connection.execute(chosen).one_or_none()
            if row is None:
                _check_device(connection, dev_eui)
                raise not_found(f"device {dev_eui} has no downlink {item_id}")
        return _stored(row)

    def expire(self, before_us: int) -> int:
        """Forget downlinks whose state is the last one since before that time; returns how many, at most 10,000."""
        q, m = downlink.c, multicast_downlink.c
        # the first condition is that of the index, which SQLite knows again only word for word
        settled = text("state != 'queued'"), ~((q.state == "sent") & q.confirmed)
        old = select(q.id).where(*settled, q.updated_at_us < before_us).limit(_AT_ONCE)
        with self._database.write() as connection:
            forgotten = connection.execute(delete(downlink).where(q.id.in_(old))).rowcount
            old_of_groups = delete(multicast_downlink).where(m.state != "queued", m.updated_at_us < before_us)
            return forgotten + connection.execute(old_of_groups).rowcount


def _select() -> Select[Any]:
    columns = select(*ITEM_COLUMNS, downlink.c.updated_at_us, _ROWID)
    return columns.join_from(downlink, device, downlink.c.device_id == device.c.id)


def _stored(row: Any) -> StoredDownlink:
    *item, updated_at_us, place = row
    return StoredDownlink(DownlinkItem(*item), updated_at_us, place)


def _check_device(connection: Connection, dev_eui: str) -> None:
    if connection.scalar(select(device.c.id).where(device.c.dev_eui == dev_eui)) is None:
        raise not_found(f"device {dev_eui} does not exist")
