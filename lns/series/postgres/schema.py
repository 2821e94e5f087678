"""The tables: what of them is missing, as SQL a person can read first, and making it so.

A schema stays what it was made as: hypertable or native partitions, and the width of its chunks.
"""

import logging
import re
from importlib import resources

import msgspec

from lns.clock import DAY_US
from lns.config.stores import Postgres
from lns.errors import StoreError
from lns.series.postgres import rollup_sql
from lns.series.postgres.connecting import Conn
from lns.series.postgres.grid import Grid

_logger = logging.getLogger(__name__)

VERSION = 1
_OLDEST_SERVER = 140_000  # date_bin, and exact microseconds from extract
# Before it an insert into a compressed chunk could end at the first row there and say nothing
# (timescale/timescaledb, #7672).
_OLDEST_TIMESCALE = (2, 18, 1)
_DAILY_FOR_DAYS = 400  # before the setup; what is older than that lies in a partition a year
_LOCK = 0x696E666C69676874  # "inflight": two servers that start at once set up one after the other


class Layout(msgspec.Struct, frozen=True):
    """How the measurements lie: `kind` is native or hypertable, `chunk_days` the width of a partition or chunk.

    `continuous`: TimescaleDB makes the roll-ups. Partitions before `daily_from_us` are a year wide.
    """

    kind: str
    chunk_days: int
    continuous: bool
    daily_from_us: int

    @property
    def grid(self) -> Grid:
        """How the time axis is cut; hypertables know no other width."""
        width_us = self.chunk_days * DAY_US
        if self.kind == "hypertable":
            return Grid(width_us)
        return Grid(width_us, self.daily_from_us // width_us * width_us)


def prepare(connection: Conn, config: Postgres) -> Layout:
    """Bring the schema up to date; StoreError where this server or what is there cannot be used."""
    _check_server(connection)
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        for statement in _missing(connection, config):
            connection.execute(statement)
    layout = _stored(connection, config)[1]
    assert layout is not None  # prepared above
    _tell(connection, config, layout)
    return layout


def setup_sql(connection: Conn, config: Postgres) -> str:
    """What `prepare` would run; empty where nothing is missing."""
    _check_server(connection)
    return "\n".join(f"{statement.strip().removesuffix(';')};\n" for statement in _missing(connection, config))


def _missing(connection: Conn, config: Postgres) -> list[str]:
    version, layout = _stored(connection, config)
    if version > VERSION:
        raise StoreError(
            f"the schema {config.schema} was written by a newer version (schema {version}, this version knows up to "
            f"{VERSION}): start the newer version, or restore a backup from before the upgrade"
        )
    if layout is None:
        return statements(config, _license(connection))
    row = connection.execute("SELECT to_regclass(%s)", (f"{config.schema}.followed",)).fetchone()
    return [_followed(config)] if row is None or row[0] is None else []


def _followed(config: Postgres) -> str:
    """The table of the log that the position is of, at most one row; schemas from before it are given it."""
    return f"CREATE TABLE {config.schema}.followed (\n    log text NOT NULL\n)"


def statements(config: Postgres, license_name: str | None) -> list[str]:
    """The whole setup. `license_name` is TimescaleDB's, timescale or apache; None where the extension is not there."""
    kind = "native" if license_name is None else "hypertable"
    continuous = license_name == "timescale"  # under the other one there is neither compression nor a policy
    texts = [_file("0001_common", config, " PARTITION BY RANGE (time)" if kind == "native" else "")]
    if kind == "hypertable":
        texts.append(_file("0001_hypertable", config))
    if continuous:
        texts += [_file("0001_compressed", config), *rollup_sql.continuous()]
        if config.compress_after_days:
            texts.append(_file("0001_compressing", config))
    else:
        texts += rollup_sql.tables()
    setup = (
        "CREATE TABLE setup (\n    version integer NOT NULL, layout text NOT NULL, chunk_days integer NOT NULL,\n"
        "    continuous boolean NOT NULL, daily_from timestamptz NOT NULL\n);\n"
        f"INSERT INTO setup VALUES ({VERSION}, '{kind}', {config.chunk_days}, {str(continuous).lower()},\n"
        f"    date_trunc('day', now() - interval '{_DAILY_FOR_DAYS} days', 'UTC'))"
    )
    first = f"CREATE SCHEMA IF NOT EXISTS {config.schema};\nSET search_path TO {config.schema}, public"
    return [first, *texts, _followed(config), setup]


def _stored(connection: Conn, config: Postgres) -> tuple[int, Layout | None]:
    found = connection.execute("SELECT to_regclass(%s)", (f"{config.schema}.setup",)).fetchone()
    if found is None or found[0] is None:
        return 0, None
    query = f"SELECT * FROM {config.schema}.setup"
    row = connection.execute(query, binary=True).fetchone()
    return (0, None) if row is None else (row[0], Layout(*row[1:5]) if row[0] == VERSION else None)


def timescale_version(connection: Conn) -> str | None:
    """Version of TimescaleDB in this database; None where the extension is not created."""
    row = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
    return None if row is None else str(row[0])


def _license(connection: Conn) -> str | None:
    if timescale_version(connection) is None:
        return None
    row = connection.execute("SELECT current_setting('timescaledb.license', true)").fetchone()
    return "apache" if row is None or row[0] != "timescale" else "timescale"


def _check_server(connection: Conn) -> None:
    info = connection.info
    if info.server_version < _OLDEST_SERVER:
        raise StoreError(f"postgresql is version {info.server_version // 10_000}, 14 is the oldest that serves")
    encoding = info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreError(f"the database {info.dbname} has the encoding {encoding}, it must be UTF8")
    version = timescale_version(connection)
    if version is not None and not serves(version):
        oldest = ".".join(map(str, _OLDEST_TIMESCALE))
        raise StoreError(
            f"timescaledb is version {version}, {oldest} is the oldest that serves: "
            "earlier ones may lose rows that come late to compressed chunks"
        )


def serves(version: str) -> bool:
    """Whether a version of TimescaleDB is new enough; what follows its numbers, as in 2.23.0-dev, does not count."""
    numbers = re.match(r"\d+(\.\d+)*", version)
    return numbers is not None and tuple(map(int, numbers[0].split("."))) >= _OLDEST_TIMESCALE


def _tell(connection: Conn, config: Postgres, layout: Layout) -> None:
    version = timescale_version(connection)
    if layout.kind == "hypertable":
        what = f"a hypertable of timescaledb {version}"
        if not layout.continuous:
            what += " under its apache license, so without compression and with roll-ups of our own"
    elif version is not None:
        what = "native partitions, made before timescaledb was there"
    else:
        what = "native partitions, as timescaledb is not there"
    _logger.info("measurements lie in %s, %d days each: schema %s", what, layout.chunk_days, config.schema)
    if layout.chunk_days != config.chunk_days:
        _logger.warning(
            "postgres.chunk_days is %d, and stays %d in the schema %s, which was made so",
            config.chunk_days,
            layout.chunk_days,
            config.schema,
        )


def _file(name: str, config: Postgres, partitioning: str = "") -> str:
    text = resources.files("lns.series.postgres").joinpath(f"sql/{name}.sql").read_text("utf-8")
    text = text.replace(":chunk_days", str(config.chunk_days)).replace(":partitioning", partitioning)
    return text.replace(":compress_after_days", str(config.compress_after_days))
