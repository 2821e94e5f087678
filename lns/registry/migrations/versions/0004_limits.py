"""Limits of what is stored and sent: per hour and device, and rules of a device's own."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns; nothing is limited by them."""
    op.add_column("device_template", sa.Column("max_measurements_per_hour", sa.Integer))
    op.add_column("device", sa.Column("max_measurements_per_hour", sa.Integer))
    op.add_column("device", sa.Column("rules", sa.JSON, nullable=False, server_default="{}"))
