"""Applications: groups of devices. `default` exists from the start and stays."""

from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from lns.clock import now_us
from lns.registry.database import Database
from lns.registry.errors import conflict, not_found
from lns.registry.fields import check_name, check_text
from lns.registry.rows import Application
from lns.registry.schema import application, device, multicast_group

DEFAULT = "default"


class Applications:
    """The table `application`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Application]:
        """All of them, by name."""
        with self._database.read() as connection:
            return [Application(*row) for row in connection.execute(_select().order_by(application.c.name))]

    def get(self, name: str) -> Application:
        """The application called `name`."""
        with self._database.read() as connection:
            return _get(connection, name)

    def add(self, name: str, description: str = "") -> Application:
        """Create one."""
        values = {"name": check_name("name", name), "description": check_text("description", description)}
        with self._database.write() as connection:
            _free(connection, name)
            connection.execute(insert(application).values(**values, created_at_us=now_us()))
            return _get(connection, name)

    def change(self, name: str, changes: dict[str, Any]) -> Application:
        """Change `name` or `description`."""
        with self._database.write() as connection:
            found = _get(connection, name)
            if "description" in changes:
                check_text("description", changes["description"])
            new_name = changes.get("name", name)
            if new_name != name:
                if name == DEFAULT:
                    raise conflict(f"application {DEFAULT!r} takes the devices that name none: it keeps its name")
                check_name("name", new_name)
                _free(connection, new_name)
            if changes:
                connection.execute(update(application).where(application.c.id == found.id).values(**changes))
            return _get(connection, new_name)

    def delete(self, name: str) -> None:
        """Remove one that has no devices."""
        with self._database.write() as connection:
            found = _get(connection, name)
            if name == DEFAULT:
                raise conflict(f"application {DEFAULT!r} takes the devices that name none: it cannot be deleted")
            if found.devices:
                raise conflict(f"application {name!r} has {found.devices} device(s): delete or move them first")
            groups = connection.scalar(select(func.count()).where(multicast_group.c.application_id == found.id))
            if groups:
                raise conflict(f"application {name!r} has {groups} multicast group(s): delete them first")
            connection.execute(delete(application).where(application.c.id == found.id))


def _select() -> Select[Any]:
    devices = select(func.count()).where(device.c.application_id == application.c.id).scalar_subquery()
    return select(*application.c, devices)


def _get(connection: Connection, name: str) -> Application:
    row = connection.execute(_select().where(application.c.name == name)).one_or_none()
    if row is None:
        raise not_found(f"application {name!r} does not exist")
    return Application(*row)


def _free(connection: Connection, name: str) -> None:
    if connection.scalar(select(application.c.id).where(application.c.name == name)) is not None:
        raise conflict(f"application {name!r} exists already")
