"""Outlets: where the messages of an application are sent; their settings hold secrets and are sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table."""
    owner = sa.ForeignKey("application.id", ondelete="CASCADE")
    op.create_table(
        "outlet",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("application_id", sa.BigInteger, owner, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("settings", sa.LargeBinary, nullable=False),
        sa.Column("filter", sa.JSON, nullable=False),
        sa.Column("sending", sa.JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("created_at_us", sa.BigInteger, nullable=False),
        sa.Column("changed_at_us", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("application_id", "name"),
        sqlite_autoincrement=True,
    )
