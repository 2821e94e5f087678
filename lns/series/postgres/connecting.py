"""Connections to PostgreSQL that come back after a loss, and what its errors mean.

Times are UTC microseconds on our side and timestamptz on the other.
"""

import os
import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from struct import Struct
from threading import Lock
from typing import Any, Generic, TypeVar

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Format

from lns.config.masking import ESCAPED
from lns.config.stores import Postgres
from lns.errors import StoreError

Conn = psycopg.Connection[tuple[Any, ...]]

PG_EPOCH_US = 946_684_800_000_000  # 2000-01-01, from which PostgreSQL counts microseconds
CONNECT_S = 5
_ATTEMPTS = 3
_MICROS = Struct(">q")
_STRAY = re.compile(
    r"postgres(ql)?://([^/?@]*@[^/?]*@|[^?@]*/[^?]*@)"
)  # a piece of a password would be taken for a host

_T = TypeVar("_T")
_R = TypeVar("_R")


class _Micros(Loader):
    """Gives a timestamptz as UTC microseconds, exactly."""

    format = Format.BINARY

    def load(self, data: Buffer) -> int:
        return int(_MICROS.unpack(data)[0]) + PG_EPOCH_US


def connect(config: Postgres, environ: Mapping[str, str], limit_s: float = 60.0) -> Conn:
    """A connection in autocommit mode that finds the tables; psycopg.Error where there is none.

    `limit_s` is for one statement: what nobody waits for any more ends on the server too.
    """
    dsn = make_conninfo(config.dsn, password=secret(config, environ)) if config.password_env else config.dsn
    connection = psycopg.connect(dsn, autocommit=True, connect_timeout=CONNECT_S, fallback_application_name="inflight")
    connection.adapters.register_loader("timestamptz", _Micros)
    if config.write_path == "unnest":  # what has no COPY may not keep prepared statements either
        connection.prepare_threshold = None
    connection.execute(
        f"SET search_path TO {config.schema}, public;"
        f"SET statement_timeout TO {int(limit_s * 1000)};"
        "SET plan_cache_mode TO force_custom_plan"  # a generic plan takes in every partition
    )
    return connection


def place(config: Postgres) -> str:
    """Host, port and database as people are told them, without a password; StoreError where the dsn is none."""
    try:
        parts = conninfo_to_dict(config.dsn)
    except psycopg.ProgrammingError:  # whose text may show the password
        raise StoreError("postgres.dsn is neither a URI nor a libpq connection string") from None
    if _STRAY.match(config.dsn):
        raise StoreError(f"postgres.dsn has more after its user and password than a host, {ESCAPED}")
    host, port = parts.get("host") or "localhost", parts.get("port") or 5432
    return f"{host}:{port}/{parts.get('dbname') or parts.get('user') or ''}"


def sentence(where: str, error: psycopg.Error) -> str:
    """What an error means, in a plain sentence."""
    cause = (error.diag.message_primary or str(error)).strip().partition("\n")[0]
    if error.sqlstate is None:
        return f"postgresql at {where} cannot be reached: {cause}"
    if error.sqlstate == "53100":
        return f"postgresql at {where} cannot write: its disk is full ({cause})"
    return f"postgresql at {where} refuses: {cause} ({error.sqlstate})"


def is_row_fault(error: psycopg.Error) -> bool:
    """True for data exceptions and violated constraints: the fault of a row, not of the engine."""
    return (error.sqlstate or "")[:2] in ("22", "23") and not _lacks_partition(error)


def _lacks_partition(error: psycopg.Error) -> bool:
    # A row without a partition is a check violation too, but of no constraint that has a name.
    return error.sqlstate == "23514" and not error.diag.constraint_name


def secret(config: Postgres, environ: Mapping[str, str]) -> str:
    """The password that `password_env` names; StoreError where it is not set."""
    if not environ.get(config.password_env):
        raise StoreError(
            f"postgres.password_env names the environment variable {config.password_env}, which is not set"
        )
    return environ[config.password_env]


class Session(Generic[_T]):
    """One connection and what is made of it, both made anew after a loss. Calls take turns."""

    def __init__(self, connect: Callable[[], Conn], make: Callable[[Conn], _T]) -> None:
        self._connect, self._make = connect, make
        self._turn = Lock()
        self._connection: Conn | None = None
        self._made: _T | None = None

    def run(self, call: Callable[[_T], _R]) -> _R:
        """Call, and once more where that can help: everything that runs here can be repeated.

        That is after a lost connection, a deadlock or serialization failure (class 40), and when a partition was
        dropped behind our back. What takes longer to pass (classes 08, 53, 57) is for the caller to wait for.
        """
        with self._turn:
            attempt = 1
            while True:
                made = self._opened()
                try:
                    return call(made)
                except psycopg.Error as error:
                    passing = self._lost() or (error.sqlstate or "")[:2] == "40" or _lacks_partition(error)
                    if attempt == _ATTEMPTS or not passing:
                        raise
                    attempt += 1

    def cut(self) -> None:
        """From any thread: end the connection under a call that waits for an answer."""
        connection = self._connection
        with suppress(OSError, psycopg.Error):  # it has just ended by itself
            if connection is not None:
                with socket.socket(fileno=os.dup(connection.fileno())) as wire:
                    wire.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the connection."""
        with self._turn:
            if self._connection is not None:
                self._connection.close()
            self._connection = self._made = None

    def _opened(self) -> _T:
        if self._made is None:
            connection = self._connect()
            try:
                self._made = self._make(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._made

    def _lost(self) -> bool:
        if self._connection is None or not self._connection.closed:
            return False
        self._connection = self._made = None
        return True
