"""The database of the registry: opening, migrating, transactions, and plain sentences for what goes wrong.

SQLite has one writer, and the exchange writes the same file: both hold `write_lock` while they do.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError

from lns.errors import StoreError, known_sentence
from lns.registry import kek
from lns.registry.schema import device, multicast_group, outlet, session
from lns.registry.seal import ID_OCTETS, Seal

_MIGRATIONS = Path(__file__).with_name("migrations")
_BUSY_TIMEOUT_MS = 10_000
SEALED = (device.c["keys"], session.c["keys"], multicast_group.c["keys"], outlet.c.settings)
"""The columns that are sealed."""


class Database:
    """One SQLite file in WAL mode; `read` and `write` give connections inside a transaction, from any thread.

    `seal` is there from `open` on: its key is that of the environment, or of `key_file`.
    """

    seal: Seal

    def __init__(self, path: Path, write_lock: threading.Lock, key_file: Path | None = None) -> None:
        self.path = path
        self.write_lock = write_lock
        self.key_file = key_file or path.with_name(kek.FILE_NAME)
        self._engine = self._create_engine()

    def open(self) -> None:
        """Create the file when it is missing and bring it to the newest schema. StoreError says what to do."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"cannot create the folder {self.path.parent}: {error.strerror}") from error
        with self.write() as connection:
            config = self._config(connection)
            outdated = self._outdated(connection, config)
            self.seal = kek.obtain(self.key_file, sealed_with(connection))
            if outdated:
                config.attributes["seal"] = self.seal
                erase(connection)
                command.upgrade(config, "head")
        if outdated:
            self.checkpoint()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state."""
        with self._plain_errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection with the writer's lock; commits at the end of the block, rolls back on an exception."""
        with self._plain_errors(), self.write_lock, self._engine.connect() as connection:
            connection.execution_options(begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection

    def checkpoint(self) -> None:
        """Bring the write-ahead log into the file and empty it: what `erase` has overwritten is then in neither."""
        with self._plain_errors(), self.write_lock, closing(self._engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _create_engine(self) -> Engine:
        engine = create_engine(URL.create("sqlite", database=str(self.path)))
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine

    def _config(self, connection: Connection) -> Config:
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        return config

    def _outdated(self, connection: Connection, config: Config) -> bool:
        """Whether the file has to be migrated. StoreError: a newer version has written it."""
        script = ScriptDirectory.from_config(config)
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in {known.revision for known in script.walk_revisions()}:
            raise StoreError(
                f"the database {self.path} was written by a newer version (schema {current}, this version knows up to "
                f"{script.get_current_head()}): start the newer version, or restore a backup from before the upgrade"
            )
        return current != script.get_current_head()

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            sentence = known_sentence(self.path, error.orig)
            if sentence is None:
                raise
            raise StoreError(sentence) from error


def sealed_with(connection: Connection) -> set[bytes]:
    """Ids of the key-encryption keys under which keys are stored."""
    tables = inspect(connection)
    found: set[bytes] = set()
    for column in SEALED:
        table = column.table.name
        known = tables.has_table(table) and column.name in {c["name"] for c in tables.get_columns(table)}
        if known:
            key_id = func.substr(column, 1, ID_OCTETS)
            found.update(connection.scalars(select(key_id).distinct().where(column.is_not(None))))
    return found


def erase(connection: Connection) -> None:
    """From now on this connection overwrites with zeros what it deletes: keys that are sealed anew must not stay."""
    connection.exec_driver_sql("PRAGMA secure_delete = ON")


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    # transactions are begun by _begin: the driver's own would leave DDL outside
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
