"""The bulk read at start and after changes: plain rows, no object mapper, a few microseconds a device."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, Text, func, select, type_coerce

from lns.mac.queue import DownlinkItem
from lns.registry.gateways import all_gateways
from lns.registry.rows import DeviceRow, NetworkSnapshot, SessionRow, TemplateRow
from lns.registry.schema import application, dev_nonce, device, device_template, downlink, session

_NAMES_PER_QUERY = 500
_NO_VARIABLES: dict[str, str] = {}
_decode_variables = msgspec.json.Decoder(dict[str, str]).decode


def load_network(connection: Connection, default_region: str, dev_euis: Iterable[str] | None = None) -> NetworkSnapshot:
    """Everything the network keeps in memory, of all devices or of those named."""
    part = None if dev_euis is None else list(dev_euis)
    return NetworkSnapshot(
        devices=[_device(row) for row in _rows(connection, _devices(default_region), part)],
        sessions=[SessionRow(*row) for row in _rows(connection, _of_device(select(*session.c), session), part)],
        nonces=_nonces(_rows(connection, _dev_nonces(), part)),
        downlinks=[_item(row) for row in _rows(connection, _downlinks(), part)],
        gateways=all_gateways(connection),
        templates={
            row.id: TemplateRow(row.id, row.rules)
            for row in connection.execute(select(device_template.c.id, device_template.c.rules))
        },
        applications={row.id: row.name for row in connection.execute(select(application.c.id, application.c.name))},
    )


def _rows(connection: Connection, chosen: Select[Any], dev_euis: Sequence[str] | None) -> Iterator[Sequence[Any]]:
    if dev_euis is None:
        yield from connection.execute(chosen)
        return
    for at in range(0, len(dev_euis), _NAMES_PER_QUERY):
        yield from connection.execute(chosen.where(device.c.dev_eui.in_(dev_euis[at : at + _NAMES_PER_QUERY])))


def _of_device(columns: Select[Any], table: Any) -> Select[Any]:
    return columns.join_from(table, device, table.c.device_id == device.c.id)


def _devices(default_region: str) -> Select[Any]:
    d, t = device.c, device_template.c
    return select(
        d.id,
        d.application_id,
        d.template_id,
        d.dev_eui,
        d.name,
        d.activation,
        d.join_eui,
        d.app_key,
        d.join_nonce,
        func.coalesce(t.region, default_region),
        t.lorawan_version,
        func.coalesce(d.codec_id, t.codec_id),
        func.coalesce(d.fcnt_reset_allowed, t.fcnt_reset_allowed),
        d.disabled,
        type_coerce(d.variables, Text),
    ).join_from(device, device_template, t.id == d.template_id)


def _device(row: Sequence[Any]) -> DeviceRow:
    variables = _NO_VARIABLES if row[-1] == "{}" else _decode_variables(row[-1])
    return DeviceRow(*(*row[:-1], variables))


def _dev_nonces() -> Select[Any]:
    columns = select(dev_nonce.c.device_id, dev_nonce.c.nonce)
    return _of_device(columns, dev_nonce).order_by(dev_nonce.c.device_id, dev_nonce.c.at_us)


def _nonces(rows: Iterable[Sequence[Any]]) -> dict[int, list[int]]:
    nonces: dict[int, list[int]] = {}
    for device_id, nonce in rows:
        nonces.setdefault(device_id, []).append(nonce)
    return nonces


def _downlinks() -> Select[Any]:
    q = downlink.c
    columns = select(
        q.id,
        q.device_id,
        q.fport,
        q.payload,
        q.confirmed,
        q.enqueued_at_us,
        q.expires_at_us,
        q.state,
        q.reason,
        q.fcnt_down,
        q.position,
    )
    waiting = (q.state == "queued") | ((q.state == "sent") & q.confirmed)
    return _of_device(columns, downlink).where(waiting).order_by(q.device_id, q.position)


def _item(row: Sequence[Any]) -> DownlinkItem:
    return DownlinkItem(*row)
