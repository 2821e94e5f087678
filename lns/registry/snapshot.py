"""The bulk read at start and after changes: plain rows, no object mapper, a few microseconds a device."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Text, func, select, true, type_coerce

from lns.mac.queue import DownlinkItem
from lns.registry.downlinks import ITEM_COLUMNS
from lns.registry.gateways import all_gateways
from lns.registry.key_blobs import NO_KEYS, unpack_device
from lns.registry.network_settings import effective
from lns.registry.rows import DeviceRow, NetworkSnapshot, TemplateRow
from lns.registry.schema import application, dev_nonce, device, device_template, downlink, session
from lns.registry.sessions import session_row

Part = Sequence[str] | range | None
"""Which devices: by DevEUI, by a range of ids, or all."""

NO_COUNT = -1
_NAMES_PER_QUERY = 500
_NOTHING: dict[str, str] = {}
_NO_RULES: dict[str, Any] = {}
_decode_texts = msgspec.json.Decoder(dict[str, str]).decode
_decode_rules = msgspec.json.Decoder(dict[str, Any]).decode


Opener = Callable[[bytes], bytes]
"""`Seal.open`."""


def load_network(connection: Connection, unseal: Opener, default_region: str, part: Part = None) -> NetworkSnapshot:
    """Everything the network keeps in memory, of all devices or a part of them."""
    conditions = _conditions(part)

    def rows(chosen: Select[Any]) -> Iterator[Sequence[Any]]:
        return (row for condition in conditions for row in connection.execute(chosen.where(condition)))

    return NetworkSnapshot(
        devices=[_device(row, unseal) for row in rows(_devices(default_region))],
        sessions=[session_row(row, unseal) for row in rows(_of_device(select(*session.c), session))],
        nonces=_nonces(rows(_dev_nonces())),
        downlinks=[DownlinkItem(*row) for row in rows(_downlinks())],
        gateways=all_gateways(connection),
        templates={row.id: TemplateRow(*row) for row in connection.execute(_templates())},
        applications={row.id: row.name for row in connection.execute(select(application.c.id, application.c.name))},
    )


def _conditions(part: Part) -> list[ColumnElement[bool]]:
    if part is None:
        return [true()]
    if isinstance(part, range):
        return [device.c.id.between(part.start, part.stop - 1)]
    return [device.c.dev_eui.in_(part[at : at + _NAMES_PER_QUERY]) for at in range(0, len(part), _NAMES_PER_QUERY)]


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
        d["keys"],
        d.join_nonce,
        func.coalesce(d.rj_count0, NO_COUNT),
        func.coalesce(d.rj_count1, NO_COUNT),
        func.coalesce(t.region, default_region),
        t.lorawan_version,
        func.coalesce(d.codec_id, t.codec_id),
        func.coalesce(d.fcnt_reset_allowed, t.fcnt_reset_allowed),
        d.disabled,
        type_coerce(d.tags, Text),
        type_coerce(d.variables, Text),
        type_coerce(t.network, Text),
        type_coerce(d.network, Text),
        type_coerce(d.rules, Text),
        d.max_measurements_per_hour,
    ).join_from(device, device_template, t.id == d.template_id)


def _device(row: Sequence[Any], unseal: Opener) -> DeviceRow:
    *row, kept, most = row
    *who, keys, join_nonce, rj0, rj1, region, version, codec_id, reset, disabled, tags, variables, template, own = row
    root = NO_KEYS if keys is None else unpack_device(unseal(keys))
    joining = (root.nwk_key, root.app_key, root.gen_app_key, join_nonce, rj0, rj1)
    rules = (region, version, codec_id, reset, disabled)
    settings = effective(template, own)
    return DeviceRow(*(*who, *joining, *rules, _texts(tags), _texts(variables), settings, _rules(kept), most))


def _rules(json: str) -> dict[str, Any]:
    return _NO_RULES if json == "{}" else _decode_rules(json)


def _templates() -> Select[Any]:
    t = device_template.c
    return select(t.id, t.rules, t.codec_version_id, t.fields, t.max_measurements_per_hour)


def _texts(json: str) -> dict[str, str]:
    return _NOTHING if json == "{}" else _decode_texts(json)


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
    columns = select(*ITEM_COLUMNS)
    waiting = (q.state == "queued") | ((q.state == "sent") & q.confirmed)
    return _of_device(columns, downlink).where(waiting).order_by(q.device_id, q.priority.desc(), q.position)
