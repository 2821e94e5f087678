"""The tables of the registry as they are now; how a database gets there is in `migrations`.

The exchange writes session, dev_nonce, downlink, multicast_downlink and decode_failure, and counters of device and
multicast_group, in its own transactions. Times are UTC microseconds, EUIs lower-case hex. A column `keys` is sealed
(`lns.registry.seal`), as are the settings of outlets, and no key is anywhere else; what it holds is in
`lns.registry.key_blobs`.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

# SQLite counts only a column that is declared INTEGER PRIMARY KEY
_Id = BigInteger().with_variant(Integer(), "sqlite")

application = Table(
    "application",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
)

# active_version_id has no foreign key: the two codec tables would depend on each other
codec = Table(
    "codec",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("active_version_id", BigInteger),
    Column("created_at_us", BigInteger, nullable=False),
)

codec_version = Table(
    "codec_version",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("codec_id", BigInteger, ForeignKey("codec.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("convention", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    Column("author", Text, nullable=False, server_default=text("''")),
    Column("state", Text, nullable=False, server_default="draft"),
    Column("examples", JSON, nullable=False, server_default="[]"),
    Column("passed", Integer, nullable=False, server_default="0"),
    Column("failed", Integer, nullable=False, server_default="0"),
    UniqueConstraint("codec_id", "number"),
)

# `reason` is why a version with failing examples was activated all the same
codec_activation = Table(
    "codec_activation",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("version_id", BigInteger, ForeignKey("codec_version.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("replaced_id", BigInteger),
    Column("rollback", Boolean, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text),
    Column("at_us", BigInteger, nullable=False),
)

device_template = Table(
    "device_template",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("region", Text),
    Column("lorawan_version", Text, nullable=False),
    Column("supports_join", Boolean, nullable=False),
    Column("codec_id", BigInteger, ForeignKey("codec.id")),
    Column("fcnt_reset_allowed", Boolean, nullable=False),
    Column("uplink_interval_s", Integer),
    Column("rules", JSON, nullable=False),
    Column("network", JSON, nullable=False, server_default="{}"),
    Column("created_at_us", BigInteger, nullable=False),
    Column("codec_version_id", BigInteger),
    Column("description", Text, nullable=False, server_default=text("''")),
    Column("fields", JSON, nullable=False, server_default="{}"),
    Column("library_item", Text),
    Column("max_measurements_per_hour", Integer),
)

# Codecs of imported libraries, by the hash of their source: many devices share one.
library_codec = Table(
    "library_codec",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("convention", Text, nullable=False),
    Column("examples", JSON, nullable=False),
    Column("passed", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("problem", Text),
    sqlite_with_rowid=False,
)

# `words` is what a search looks through, in lower case; an item whose `digest` is known needs no second import.
library_item = Table(
    "library_item",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("vendor", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("models", JSON, nullable=False),
    Column("template", JSON, nullable=False),
    Column("codec_sha256", Text),
    Column("words", Text, nullable=False),
    Column("imported_at_us", BigInteger, nullable=False),
    Index("ix_library_item_digest", "digest"),
)

# A device's id names its measurements, so it is never given again.
device = Table(
    "device",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("application_id", BigInteger, ForeignKey("application.id"), nullable=False, index=True),
    Column("template_id", BigInteger, ForeignKey("device_template.id"), nullable=False, index=True),
    Column("dev_eui", Text, nullable=False, unique=True),
    Column("join_eui", Text),
    Column("keys", LargeBinary),
    Column("name", Text, nullable=False),
    Column("activation", Text, nullable=False),
    Column("codec_id", BigInteger, ForeignKey("codec.id")),
    Column("fcnt_reset_allowed", Boolean),
    Column("disabled", Boolean, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("variables", JSON, nullable=False),
    Column("network", JSON, nullable=False, server_default="{}"),
    Column("join_nonce", Integer, nullable=False),
    Column("rj_count0", Integer),
    Column("rj_count1", Integer),
    Column("created_at_us", BigInteger, nullable=False),
    Column("rules", JSON, nullable=False, server_default="{}"),
    Column("max_measurements_per_hour", Integer),
    sqlite_autoincrement=True,
)

# The id is a random 62-bit number, so that the network can name a session before it is stored. `minor` is 1 for a
# session of LoRaWAN 1.1, whose fcnt_down is the NFCntDown; `radio` is what the network believes of the device's radio.
session = Table(
    "session",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("device_id", BigInteger, ForeignKey("device.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("region", Text, nullable=False),
    Column("dev_addr", Text, nullable=False),
    Column("keys", LargeBinary, nullable=False),
    Column("minor", Integer, nullable=False),
    Column("fcnt_up", BigInteger, nullable=False),
    Column("fcnt_down", BigInteger, nullable=False),
    Column("afcnt_down", BigInteger, nullable=False),
    Column("rx1_delay_s", Integer, nullable=False),
    Column("rx1_dr_offset", Integer, nullable=False),
    Column("rx2_dr", Integer, nullable=False),
    Column("rx2_freq_hz", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    Column("last_uplink_at_us", BigInteger),
    Column("radio", LargeBinary),
)

dev_nonce = Table(
    "dev_nonce",
    metadata,
    Column("device_id", BigInteger, ForeignKey("device.id", ondelete="CASCADE"), primary_key=True),
    Column("nonce", Integer, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

downlink = Table(
    "downlink",
    metadata,
    Column("id", Text, primary_key=True),
    Column("device_id", BigInteger, ForeignKey("device.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("fport", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("confirmed", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("enqueued_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger),
    Column("fcnt_down", BigInteger),
    Column("updated_at_us", BigInteger, nullable=False),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("at_us", BigInteger),
    Index("ix_downlink_device_id_state", "device_id", "state"),
    Index("ix_downlink_settled", "updated_at_us", sqlite_where=text("state != 'queued'")),
)

multicast_group = Table(
    "multicast_group",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("application_id", BigInteger, ForeignKey("application.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("device_class", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("mc_addr", Text, nullable=False),
    Column("keys", LargeBinary, nullable=False),
    Column("fcnt", BigInteger, nullable=False),
    Column("dr", Integer, nullable=False),
    Column("freq_hz", BigInteger, nullable=False),
    Column("ping_periodicity", Integer),
    Column("expires_at_us", BigInteger),
    Column("created_at_us", BigInteger, nullable=False),
    UniqueConstraint("application_id", "name"),
    sqlite_autoincrement=True,
)

multicast_member = Table(
    "multicast_member",
    metadata,
    Column("group_id", BigInteger, ForeignKey("multicast_group.id", ondelete="CASCADE"), primary_key=True),
    Column("device_id", BigInteger, ForeignKey("device.id", ondelete="CASCADE"), primary_key=True, index=True),
    sqlite_with_rowid=False,
)

multicast_downlink = Table(
    "multicast_downlink",
    metadata,
    Column("id", Text, primary_key=True),
    Column("group_id", BigInteger, ForeignKey("multicast_group.id", ondelete="CASCADE"), nullable=False),
    Column("fport", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("enqueued_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger),
    Column("at_us", BigInteger),
    Column("fcnt", BigInteger),
    Column("updated_at_us", BigInteger, nullable=False),
    Index("ix_multicast_downlink_group_id_state", "group_id", "state"),
)

# `settings` is JSON, sealed: passwords and tokens are among it. An id is never given again: deliveries are kept by it.
outlet = Table(
    "outlet",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("application_id", BigInteger, ForeignKey("application.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("settings", LargeBinary, nullable=False),
    Column("filter", JSON, nullable=False),
    Column("sending", JSON, nullable=False),
    Column("state", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    Column("changed_at_us", BigInteger, nullable=False),
    UniqueConstraint("application_id", "name"),
    sqlite_autoincrement=True,
)

gateway = Table(
    "gateway",
    metadata,
    Column("eui", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("region", Text),
    Column("accepted", Boolean, nullable=False),
    Column("first_seen_at_us", BigInteger),
    Column("last_seen_at_us", BigInteger),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("altitude_m", Float),
    Column("tags", JSON, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("permissions", JSON, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger),
    Column("last_used_at_us", BigInteger),
)

decode_failure = Table(
    "decode_failure",
    metadata,
    Column("uplink_seq", _Id, primary_key=True),
    Column("uplink_id", LargeBinary, nullable=False),
    Column("device_id", BigInteger, ForeignKey("device.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("codec_version_id", BigInteger),
    Column("reason", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("line", Integer),
    Column("column", Integer),
    Column("at_us", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
)
