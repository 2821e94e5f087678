"""Decode failures: what the decoder left beside the log, to be listed and tried again."""

from typing import Any

from sqlalchemy import Select, func, select

from lns.registry.database import Database
from lns.registry.rows import DecodeFailure
from lns.registry.schema import codec, codec_version, decode_failure, device, device_template


class Failures:
    """The table `decode_failure`, which the decoder writes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, dev_eui: str | None = None, before: int | None = None, limit: int = 100) -> list[DecodeFailure]:
        """Failures that no retry has mended, newest first, from the one before uplink seq `before`."""
        f = decode_failure.c
        columns = select(
            f.uplink_seq,
            device.c.dev_eui,
            device.c.name,
            codec.c.name,
            codec_version.c.number,
            f.reason,
            f.message,
            f.line,
            f.column,
            f.at_us,
            f.state,
        )
        chosen = _open(columns, dev_eui).order_by(f.uplink_seq.desc()).limit(limit)
        if before is not None:
            chosen = chosen.where(f.uplink_seq < before)
        with self._database.read() as connection:
            return [DecodeFailure(*row) for row in connection.execute(chosen)]

    def uplink_seqs(self, dev_eui: str | None = None, codec_name: str | None = None) -> list[int]:
        """Seqs of the open failures of a device, or of the devices a codec decodes, oldest first."""
        chosen = _open(select(decode_failure.c.uplink_seq), dev_eui).order_by(decode_failure.c.uplink_seq)
        if codec_name is not None:
            in_use = func.coalesce(device.c.codec_id, device_template.c.codec_id)
            assigned = select(device.c.id).join_from(device, device_template).join(codec, codec.c.id == in_use)
            assigned = assigned.where(codec.c.name == codec_name)
            chosen = chosen.where(decode_failure.c.device_id.in_(assigned))
        with self._database.read() as connection:
            return list(connection.scalars(chosen))


def _open(columns: Select[Any], dev_eui: str | None) -> Select[Any]:
    joined = (
        columns.join_from(decode_failure, device)
        .outerjoin(codec_version, codec_version.c.id == decode_failure.c.codec_version_id)
        .outerjoin(codec, codec.c.id == codec_version.c.codec_id)
        .where(decode_failure.c.state == "open")
    )
    return joined if dev_eui is None else joined.where(device.c.dev_eui == dev_eui)
