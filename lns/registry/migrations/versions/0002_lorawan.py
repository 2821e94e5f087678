"""The whole of LoRaWAN: keys at rest sealed, 1.1 keys and counters, MAC settings and state, multicast groups."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "0002"
down_revision = "0001"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ROWS = 1000
_APP_KEY_ONLY = b"\x02"
"""Head of a device's unsealed keys: a bit for each that follows, 1 NwkKey, 2 AppKey, 4 GenAppKey."""


def upgrade() -> None:
    """Change the tables with what is in them."""
    _extend_provisioning()
    _seal_app_keys()
    _renew_sessions()
    _create_multicast()


def _extend_provisioning() -> None:
    op.add_column("device_template", sa.Column("network", sa.JSON, nullable=False, server_default="{}"))
    op.add_column("device", sa.Column("network", sa.JSON, nullable=False, server_default="{}"))
    op.add_column("device", sa.Column("keys", sa.LargeBinary))
    op.add_column("device", sa.Column("rj_count0", sa.Integer))
    op.add_column("device", sa.Column("rj_count1", sa.Integer))
    op.add_column("downlink", sa.Column("priority", sa.Integer, nullable=False, server_default="0"))
    op.add_column("downlink", sa.Column("attempts", sa.Integer, nullable=False, server_default="0"))
    op.add_column("downlink", sa.Column("at_us", sa.BigInteger))
    settled = sa.text("state != 'queued'")
    op.create_index("ix_downlink_settled", "downlink", ["updated_at_us"], sqlite_where=settled)


def _seal_app_keys() -> None:
    seal = context.config.attributes["seal"].seal
    bind = op.get_bind()
    found = bind.execute(sa.text("SELECT id, app_key FROM device WHERE app_key IS NOT NULL")).all()
    sealed = sa.text("UPDATE device SET keys = :keys WHERE id = :id")
    for part in _parts(found):
        bind.execute(sealed, [{"id": id_, "keys": seal(_APP_KEY_ONLY + app_key)} for id_, app_key in part])
    op.drop_column("device", "app_key")


def _renew_sessions() -> None:
    """SQLite gives a table no new NOT NULL column without a default, so the rows move to a new table."""
    seal = context.config.attributes["seal"].seal
    bind = op.get_bind()
    op.drop_index("ix_session_device_id", "session")
    op.rename_table("session", "session_0001")
    new = _create_session()
    kept = [column.name for column in new.c if column.name not in ("keys", "minor", "afcnt_down", "radio")]
    found = bind.execute(sa.text(f"SELECT nwk_s_key, app_s_key, {', '.join(kept)} FROM session_0001")).all()
    for part in _parts(found):
        rows = [{**dict(zip(kept, row, strict=True)), "keys": seal(nwk + app)} for nwk, app, *row in part]
        bind.execute(sa.insert(new).values(minor=0, afcnt_down=0), rows)
    op.drop_table("session_0001")


def _parts(rows: Any) -> Iterator[Any]:
    return (rows[at : at + _ROWS] for at in range(0, len(rows), _ROWS))


def _create_session() -> sa.Table:
    owner = sa.ForeignKey("device.id", ondelete="CASCADE")
    return op.create_table(
        "session",
        sa.Column("id", _ID, primary_key=True, autoincrement=False),
        sa.Column("device_id", sa.BigInteger, owner, nullable=False, index=True),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("dev_addr", sa.Text, nullable=False),
        sa.Column("keys", sa.LargeBinary, nullable=False),
        sa.Column("minor", sa.Integer, nullable=False),
        sa.Column("fcnt_up", sa.BigInteger, nullable=False),
        sa.Column("fcnt_down", sa.BigInteger, nullable=False),
        sa.Column("afcnt_down", sa.BigInteger, nullable=False),
        sa.Column("rx1_delay_s", sa.Integer, nullable=False),
        sa.Column("rx1_dr_offset", sa.Integer, nullable=False),
        sa.Column("rx2_dr", sa.Integer, nullable=False),
        sa.Column("rx2_freq_hz", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at_us", sa.BigInteger, nullable=False),
        sa.Column("last_uplink_at_us", sa.BigInteger),
        sa.Column("radio", sa.LargeBinary),
    )


def _create_multicast() -> None:
    op.create_table(
        "multicast_group",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("application_id", sa.BigInteger, sa.ForeignKey("application.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("device_class", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("mc_addr", sa.Text, nullable=False),
        sa.Column("keys", sa.LargeBinary, nullable=False),
        sa.Column("fcnt", sa.BigInteger, nullable=False),
        sa.Column("dr", sa.Integer, nullable=False),
        sa.Column("freq_hz", sa.BigInteger, nullable=False),
        sa.Column("ping_periodicity", sa.Integer),
        sa.Column("expires_at_us", sa.BigInteger),
        sa.Column("created_at_us", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("application_id", "name"),
        sqlite_autoincrement=True,
    )
    group, again = (sa.ForeignKey("multicast_group.id", ondelete="CASCADE") for _ in range(2))
    member = sa.ForeignKey("device.id", ondelete="CASCADE")
    op.create_table(
        "multicast_member",
        sa.Column("group_id", sa.BigInteger, group, primary_key=True),
        sa.Column("device_id", sa.BigInteger, member, primary_key=True, index=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "multicast_downlink",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("group_id", sa.BigInteger, again, nullable=False),
        sa.Column("fport", sa.Integer, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("enqueued_at_us", sa.BigInteger, nullable=False),
        sa.Column("expires_at_us", sa.BigInteger),
        sa.Column("at_us", sa.BigInteger),
        sa.Column("fcnt", sa.BigInteger),
        sa.Column("updated_at_us", sa.BigInteger, nullable=False),
        sa.Index("ix_multicast_downlink_group_id_state", "group_id", "state"),
    )
