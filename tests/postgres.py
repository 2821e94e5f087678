"""A real PostgreSQL server on a free loopback port, of Debian's package, started by the test that needs one.

As root it runs as an unprivileged user, and the package is installed where it is missing. For TimescaleDB, which Debian
has no package of, see `tests.timescale`.
"""

import functools
import itertools
import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from lns.config.stores import Postgres as Settings
from lns.series.store import SeriesStore
from tests.process import Process, program, unprivileged, until_exit
from tests.timescale import wasm_dsn

_numbers = itertools.count(1)


class Postgres(Process):
    """One server in a folder of its own; the test is skipped where there is none. `options` as postgres -c takes them.

    As root it is another user's: initdb and postgres refuse to run as root.
    """

    def __init__(self, *options: str) -> None:
        self._programs = Path(program("initdb", "postgresql", "/usr/lib/postgresql/*/bin")).resolve().parent
        super().__init__(user=unprivileged("postgres", "nobody"))
        self._settings = [part for option in options for part in ("-c", option)]
        self.dsn = f"postgresql://inflight@127.0.0.1:{self.port}/postgres"
        make = ["-D", "data", "-U", "inflight", "-E", "UTF8", "--locale=C", "-A", "trust", "--no-sync"]
        initdb = [str(self._programs / "initdb"), *make]
        subprocess.run(initdb, check=True, capture_output=True, cwd=self.folder, **self._as_user)

    def argv(self) -> list[str]:
        listen = ["-h", "127.0.0.1", "-p", str(self.port), "-k", ""]
        return [str(self._programs / "postgres"), "-D", "data", *listen, *self._settings]

    def answers(self) -> bool:
        """Whether it lets somebody in, which it does not do while it recovers."""
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "1"]
        return subprocess.run(ready, check=False).returncode == 0

    def run_sql(self, *statements: str) -> None:
        """Run statements beside the store, each in a transaction of its own."""
        import psycopg

        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def _signal(self, number: int) -> None:
        """To the server first, so that it starts nothing anew, and to its processes: each leads a group of its own."""
        assert self._process is not None, "it was not started"
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in (self._process.pid, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)


@functools.cache
def shared() -> Postgres:
    """The server that all tests of this process use that do not harm it."""
    return until_exit(Postgres("fsync=off", "max_connections=200"))


def config(dsn: str, **changes: Any) -> Settings:
    """Settings of a store in a schema that nobody has used."""
    return Settings(**{"dsn": dsn, "schema": f"test_{os.getpid()}_{next(_numbers)}", "pool": 2, **changes})


def fresh_store(clock: Callable[[], int], dsn: str | None = None, **changes: Any) -> SeriesStore:
    """A store in a schema of its own, on the shared server unless a DSN is given."""
    pytest.importorskip("psycopg", reason="the postgres store needs: pip install 'inflight-lns[postgres]'")
    from lns.series.postgres.store import PostgresSeries

    return PostgresSeries(config(dsn or shared().dsn, **changes), clock)


def timescale_store(clock: Callable[[], int]) -> SeriesStore:
    """The same on TimescaleDB: on the database that LNS_TEST_TIMESCALE names, else on one of WASM."""
    if dsn := os.environ.get("LNS_TEST_TIMESCALE"):
        return fresh_store(clock, dsn)
    return fresh_store(clock, wasm_dsn(), write_path="unnest")


def given_timescale(clock: Callable[[], int]) -> SeriesStore:
    """A store on the database that LNS_TEST_TIMESCALE names; skipped where it names none."""
    if not os.environ.get("LNS_TEST_TIMESCALE"):
        pytest.skip("no TimescaleDB server given: set LNS_TEST_TIMESCALE to the DSN of a database with the extension")
    return timescale_store(clock)


async def roll(store: Any) -> int:
    """Roll up all that is to be rolled up; returns how many pieces that took."""
    pieces = 0
    while await store.refresh():
        pieces += 1
    return pieces
