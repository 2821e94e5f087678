"""The life of codecs: who added a version and when it was used, examples, pinned versions, the template library."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Change the tables with what is in them."""
    _extend_versions()
    _create_activations()
    _extend_templates()
    _create_library()


def _extend_versions() -> None:
    """A version that is not in use was so once when a later one is, as uploading used to activate."""
    op.add_column("codec_version", sa.Column("author", sa.Text, nullable=False, server_default=sa.text("''")))
    op.add_column("codec_version", sa.Column("state", sa.Text, nullable=False, server_default="draft"))
    op.add_column("codec_version", sa.Column("examples", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("codec_version", sa.Column("passed", sa.Integer, nullable=False, server_default="0"))
    op.add_column("codec_version", sa.Column("failed", sa.Integer, nullable=False, server_default="0"))
    op.execute(
        "UPDATE codec_version SET state = 'active'"
        " WHERE id IN (SELECT active_version_id FROM codec WHERE active_version_id IS NOT NULL)"
    )
    op.execute(
        "UPDATE codec_version SET state = 'retired' WHERE number < (SELECT a.number FROM codec_version AS a"
        " JOIN codec ON codec.active_version_id = a.id WHERE codec.id = codec_version.codec_id)"
    )


def _create_activations() -> None:
    op.create_table(
        "codec_activation",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("version_id", sa.BigInteger, _version(), nullable=False, index=True),
        sa.Column("replaced_id", sa.BigInteger),
        sa.Column("rollback", sa.Boolean, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )


def _version() -> sa.ForeignKey:
    return sa.ForeignKey("codec_version.id", ondelete="CASCADE")


def _extend_templates() -> None:
    op.add_column("device_template", sa.Column("codec_version_id", sa.BigInteger))
    op.add_column("device_template", sa.Column("description", sa.Text, nullable=False, server_default=sa.text("''")))
    op.add_column("device_template", sa.Column("fields", sa.JSON, nullable=False, server_default="{}"))
    op.add_column("device_template", sa.Column("library_item", sa.Text))


def _create_library() -> None:
    op.create_table(
        "library_codec",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("convention", sa.Text, nullable=False),
        sa.Column("examples", sa.JSON, nullable=False),
        sa.Column("passed", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("problem", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "library_item",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("vendor", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("models", sa.JSON, nullable=False),
        sa.Column("template", sa.JSON, nullable=False),
        sa.Column("codec_sha256", sa.Text),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("imported_at_us", sa.BigInteger, nullable=False),
        sa.Index("ix_library_item_digest", "digest"),
    )
