"""The first schema, with the default application and device template and the built-in Cayenne LPP codec."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create all tables."""
    _create_provisioning()
    _create_activation()
    _create_access()
    _fill()


def _created() -> sa.Column[int]:
    return sa.Column("created_at_us", sa.BigInteger, nullable=False)


def _of_device(*, index: bool = False, primary_key: bool = False) -> sa.Column[int]:
    owner = sa.ForeignKey("device.id", ondelete="CASCADE")
    return sa.Column("device_id", sa.BigInteger, owner, nullable=False, index=index, primary_key=primary_key)


def _create_provisioning() -> None:
    op.create_table(
        "application",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("description", sa.Text, nullable=False),
        _created(),
    )
    op.create_table(
        "codec",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("active_version_id", sa.BigInteger),
        _created(),
    )
    op.create_table(
        "codec_version",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("codec_id", sa.BigInteger, sa.ForeignKey("codec.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("convention", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        _created(),
        sa.UniqueConstraint("codec_id", "number"),
    )
    op.create_table(
        "device_template",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("region", sa.Text),
        sa.Column("lorawan_version", sa.Text, nullable=False),
        sa.Column("supports_join", sa.Boolean, nullable=False),
        sa.Column("codec_id", sa.BigInteger, sa.ForeignKey("codec.id")),
        sa.Column("fcnt_reset_allowed", sa.Boolean, nullable=False),
        sa.Column("uplink_interval_s", sa.Integer),
        sa.Column("rules", sa.JSON, nullable=False),
        _created(),
    )
    op.create_table(
        "device",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("application_id", sa.BigInteger, sa.ForeignKey("application.id"), nullable=False, index=True),
        sa.Column("template_id", sa.BigInteger, sa.ForeignKey("device_template.id"), nullable=False, index=True),
        sa.Column("dev_eui", sa.Text, nullable=False, unique=True),
        sa.Column("join_eui", sa.Text),
        sa.Column("app_key", sa.LargeBinary(16)),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("activation", sa.Text, nullable=False),
        sa.Column("codec_id", sa.BigInteger, sa.ForeignKey("codec.id")),
        sa.Column("fcnt_reset_allowed", sa.Boolean),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("variables", sa.JSON, nullable=False),
        sa.Column("join_nonce", sa.Integer, nullable=False),
        _created(),
        sqlite_autoincrement=True,
    )


def _create_activation() -> None:
    op.create_table(
        "session",
        sa.Column("id", _ID, primary_key=True, autoincrement=False),
        sa.Column(
            "device_id", sa.BigInteger, sa.ForeignKey("device.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("dev_addr", sa.Text, nullable=False),
        sa.Column("nwk_s_key", sa.LargeBinary(16), nullable=False),
        sa.Column("app_s_key", sa.LargeBinary(16), nullable=False),
        sa.Column("fcnt_up", sa.BigInteger, nullable=False),
        sa.Column("fcnt_down", sa.BigInteger, nullable=False),
        sa.Column("rx1_delay_s", sa.Integer, nullable=False),
        sa.Column("rx1_dr_offset", sa.Integer, nullable=False),
        sa.Column("rx2_dr", sa.Integer, nullable=False),
        sa.Column("rx2_freq_hz", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        _created(),
        sa.Column("last_uplink_at_us", sa.BigInteger),
        sa.Column("conf_pending", sa.LargeBinary),
    )
    op.create_table(
        "dev_nonce",
        _of_device(primary_key=True),
        sa.Column("nonce", sa.Integer, primary_key=True),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "downlink",
        sa.Column("id", sa.Text, primary_key=True),
        _of_device(),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("fport", sa.Integer, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("confirmed", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("enqueued_at_us", sa.BigInteger, nullable=False),
        sa.Column("expires_at_us", sa.BigInteger),
        sa.Column("fcnt_down", sa.BigInteger),
        sa.Column("updated_at_us", sa.BigInteger, nullable=False),
        sa.Index("ix_downlink_device_id_state", "device_id", "state"),
    )
    op.create_table(
        "decode_failure",
        sa.Column("uplink_seq", _ID, primary_key=True),
        sa.Column("uplink_id", sa.LargeBinary, nullable=False),
        sa.Column(
            "device_id", sa.BigInteger, sa.ForeignKey("device.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("codec_version_id", sa.BigInteger),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("line", sa.Integer),
        sa.Column("column", sa.Integer),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
    )


def _create_access() -> None:
    op.create_table(
        "gateway",
        sa.Column("eui", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("region", sa.Text),
        sa.Column("accepted", sa.Boolean, nullable=False),
        sa.Column("first_seen_at_us", sa.BigInteger),
        sa.Column("last_seen_at_us", sa.BigInteger),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
        sa.Column("altitude_m", sa.Float),
        sa.Column("tags", sa.JSON, nullable=False),
        _created(),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("permissions", sa.JSON, nullable=False),
        _created(),
        sa.Column("expires_at_us", sa.BigInteger),
        sa.Column("last_used_at_us", sa.BigInteger),
    )


def _fill() -> None:
    at = {"at": time.time_ns() // 1000}
    op.get_bind().execute(
        sa.text("INSERT INTO application (name, description, created_at_us) VALUES ('default', '', :at)"), at
    )
    op.get_bind().execute(
        sa.text(
            "INSERT INTO device_template"
            " (name, lorawan_version, supports_join, fcnt_reset_allowed, rules, created_at_us)"
            " VALUES ('default', '1.0.3', true, false, '{}', :at)"
        ),
        at,
    )
    op.get_bind().execute(sa.text("INSERT INTO codec (name, created_at_us) VALUES ('cayenne-lpp', :at)"), at)
    op.get_bind().execute(
        sa.text(
            "INSERT INTO codec_version (codec_id, number, sha256, source, convention, note, created_at_us)"
            " SELECT id, 1, 'builtin:cayenne-lpp', '', 'builtin', 'Cayenne Low Power Payload', :at FROM codec"
        ),
        at,
    )
    op.get_bind().execute(sa.text("UPDATE codec SET active_version_id = (SELECT id FROM codec_version)"))
