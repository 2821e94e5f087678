"""Gateways that somebody accepted or named. Those that only called are known to the links, not here."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, func, insert, select, update

from lns.clock import now_us
from lns.lorawan.ids import parse_eui
from lns.registry.database import Database
from lns.registry.errors import conflict, invalid, not_found
from lns.registry.fields import MAX_DEVICE_NAME, check_pairs, check_region, check_text, parsed
from lns.registry.rows import Gateway
from lns.registry.schema import gateway

_LIMITS = {"latitude": 90.0, "longitude": 180.0, "altitude_m": 100_000.0}


class Gateways:
    """The table `gateway`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Gateway]:
        """All of them, by EUI."""
        with self._database.read() as connection:
            return all_gateways(connection)

    def get(self, eui: str) -> Gateway:
        """The gateway with this EUI."""
        with self._database.read() as connection:
            return _get(connection, eui)

    def add(self, values: Mapping[str, Any]) -> Gateway:
        """Add one from `eui` and any of the fields of `Gateway`."""
        row = {**_defaults(), **check_gateway(values)}
        row["name"] = row["name"] or row["eui"]
        with self._database.write() as connection:
            if connection.scalar(select(gateway.c.eui).where(gateway.c.eui == row["eui"])) is not None:
                raise conflict(f"gateway {row['eui']} exists already")
            connection.execute(insert(gateway).values(**row))
            return _get(connection, row["eui"])

    def change(self, eui: str, values: Mapping[str, Any]) -> Gateway:
        """Change the given fields."""
        row = check_gateway(values)
        if "name" in row:
            row["name"] = row["name"] or eui
        with self._database.write() as connection:
            _get(connection, eui)
            if row:
                connection.execute(update(gateway).where(gateway.c.eui == eui).values(**row))
            return _get(connection, eui)

    def accept(self, eui: str) -> Gateway:
        """Serve a gateway, known here already or not."""
        parsed("eui", parse_eui, eui)
        with self._database.write() as connection:
            changed = connection.execute(update(gateway).where(gateway.c.eui == eui).values(accepted=True))
            if not changed.rowcount:
                connection.execute(insert(gateway).values(**{**_defaults(), "eui": eui, "name": eui}))
            return _get(connection, eui)

    def delete(self, eui: str) -> None:
        """Forget a gateway."""
        with self._database.write() as connection:
            if not connection.execute(delete(gateway).where(gateway.c.eui == eui)).rowcount:
                raise not_found(f"gateway {eui} does not exist")

    def seen(self, last_seen_at_us: Mapping[str, int]) -> None:
        """Note when gateways were last heard; unknown ones are not stored, so that a flood of EUIs fills no disk."""
        if not last_seen_at_us:
            return
        at: BindParameter[int] = bindparam("at")
        noted = (
            update(gateway)
            .where(gateway.c.eui == bindparam("of"))
            .values(last_seen_at_us=at, first_seen_at_us=func.coalesce(gateway.c.first_seen_at_us, at))
        )
        with self._database.write() as connection:
            connection.execute(noted, [{"of": eui, "at": at_us} for eui, at_us in last_seen_at_us.items()])


def all_gateways(connection: Connection) -> list[Gateway]:
    """Every row, by EUI."""
    return [Gateway(*row) for row in connection.execute(select(*gateway.c).order_by(gateway.c.eui))]


def check_gateway(values: Mapping[str, Any]) -> dict[str, Any]:
    """The given fields, checked."""
    row = dict(values)
    if "eui" in row:
        row["eui"] = parsed("eui", parse_eui, row["eui"])
    if "name" in row:
        check_text("name", row["name"], MAX_DEVICE_NAME)
    if "region" in row:
        row["region"] = check_region("region", row["region"])
    if "tags" in row:
        check_pairs("tags", row["tags"])
    for field, limit in _LIMITS.items():
        value = row.get(field)
        if value is not None and not -limit <= value <= limit:
            raise invalid(f"{field} is {value:g}, -{limit:g} to {limit:g} is allowed")
    return row


def _defaults() -> dict[str, Any]:
    return {"name": "", "region": None, "accepted": True, "tags": {}, "created_at_us": now_us()}


def _get(connection: Connection, eui: str) -> Gateway:
    row = connection.execute(select(*gateway.c).where(gateway.c.eui == eui)).one_or_none()
    if row is None:
        raise not_found(f"gateway {eui} does not exist")
    return Gateway(*row)
