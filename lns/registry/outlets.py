"""Outlets: where the messages of an application are sent. What they are set to holds passwords and is sealed.

Whether a definition can work is for those who send to say, before it is stored here.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, delete, insert, select, update

from lns.clock import now_us
from lns.outlets.definition import Outlet
from lns.registry.database import Database
from lns.registry.errors import conflict, not_found
from lns.registry.rows import StoredOutlet
from lns.registry.schema import application, outlet
from lns.registry.seal import Seal

MAX_OUTLETS = 100
"""Of one application: each has connections and a place in the log of its own."""


class Outlets:
    """The table `outlet`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, application_name: str | None = None) -> list[StoredOutlet]:
        """Outlets by application and name."""
        chosen = _select().order_by(application.c.name, outlet.c.name)
        if application_name is not None:
            chosen = chosen.where(application.c.name == application_name)
        with self._database.read() as connection:
            return [_stored(row, self._database.seal) for row in connection.execute(chosen)]

    def get(self, application_name: str, name: str) -> StoredOutlet:
        """The outlet `name` of an application."""
        with self._database.read() as connection:
            return self._get(connection, application_name, name)

    def application_id(self, name: str) -> int:
        """The id of an application, which outlets are defined with."""
        with self._database.read() as connection:
            return _application_id(connection, name)

    def add(self, new: Outlet) -> StoredOutlet:
        """Keep a new one."""
        at_us = now_us()
        with self._database.write() as connection:
            owner = connection.scalar(select(application.c.name).where(application.c.id == new.application_id))
            if owner is None:
                raise not_found(f"application {new.application_id} does not exist")
            _room(connection, new, owner)
            row = {**_row(new, self._database.seal), "created_at_us": at_us, "changed_at_us": at_us}
            connection.execute(insert(outlet).values(**row))
            return self._get(connection, owner, new.name)

    def change(self, known: StoredOutlet, new: Outlet) -> StoredOutlet:
        """Let `new` take the place of a known one; its name, application and position stay."""
        kept = known.outlet
        new = msgspec.structs.replace(new, name=kept.name, application_id=kept.application_id, position=kept.position)
        with self._database.write() as connection:
            row = {**_row(new, self._database.seal), "changed_at_us": now_us()}
            if not connection.execute(update(outlet).where(outlet.c.id == known.id).values(**row)).rowcount:
                raise _unknown(known.application, kept.name)
            return self._get(connection, known.application, kept.name)

    def set_state(self, known: StoredOutlet, state: str) -> StoredOutlet:
        """Note that it is active or paused."""
        with self._database.write() as connection:
            changed = {"state": state, "changed_at_us": now_us()}
            if not connection.execute(update(outlet).where(outlet.c.id == known.id).values(**changed)).rowcount:
                raise _unknown(known.application, known.outlet.name)
            return self._get(connection, known.application, known.outlet.name)

    def delete(self, known: StoredOutlet) -> None:
        """Remove one."""
        with self._database.write() as connection:
            connection.execute(delete(outlet).where(outlet.c.id == known.id))

    def _get(self, connection: Connection, application_name: str, name: str) -> StoredOutlet:
        _application_id(connection, application_name)
        chosen = _select().where(application.c.name == application_name, outlet.c.name == name)
        row = connection.execute(chosen).one_or_none()
        if row is None:
            raise _unknown(application_name, name)
        return _stored(row, self._database.seal)


def _select() -> Select[Any]:
    return select(application.c.name.label("application"), *outlet.c).join_from(outlet, application)


def _stored(row: Any, seal: Seal) -> StoredOutlet:
    fields: Mapping[str, Any] = row._mapping
    taken = {name: fields[name] for name in ("name", "application_id", "kind", "format", "state", "position")}
    opened = {"settings": msgspec.json.decode(seal.open(fields["settings"]))}
    rest = {name: fields[name] for name in ("filter", "sending")}
    definition = msgspec.convert({**taken, **opened, **rest}, Outlet)
    return StoredOutlet(
        fields["id"], fields["application"], definition, fields["created_at_us"], fields["changed_at_us"]
    )


def _row(one: Outlet, seal: Seal) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(one)
    return {**values, "settings": seal.seal(msgspec.json.encode(values["settings"]))}


def _application_id(connection: Connection, name: str) -> int:
    found = connection.scalar(select(application.c.id).where(application.c.name == name))
    if found is None:
        raise not_found(f"application {name!r} does not exist")
    return int(found)


def _room(connection: Connection, new: Outlet, owner: str) -> None:
    known = outlet.c
    names = connection.scalars(select(known.name).where(known.application_id == new.application_id)).all()
    if new.name in names:
        raise conflict(f"application {owner!r} has an outlet {new.name!r} already")
    if len(names) >= MAX_OUTLETS:
        raise conflict(f"application {owner!r} has {len(names)} outlets, at most {MAX_OUTLETS} fit")


def _unknown(application_name: str, name: str) -> Exception:
    return not_found(f"application {application_name!r} has no outlet {name!r}")
