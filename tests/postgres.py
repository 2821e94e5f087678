"""A real PostgreSQL server on a free loopback port, of Debian's package, started by the test that needs one.

As root it runs as an unprivileged user, and the package is installed where it is missing. For TimescaleDB, which Debian
has no package of, see `tests.timescale`.
"""

import atexit
import functools
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from lns.config.stores import Postgres as Settings
from lns.series.store import SeriesStore
from tests.brokers import free_port
from tests.timescale import wasm_dsn

START_S = 30.0
_numbers = itertools.count(1)


def programs() -> Path:
    """The folder of initdb and postgres; the test is skipped where there is none."""
    if not _found() and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, capture_output=True)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "postgresql"]
        subprocess.run(install, check=False, capture_output=True, env=quiet)
    folders = _found()
    if not folders:
        pytest.skip("no PostgreSQL server: apt-get install postgresql")
    return folders[-1]


def _found() -> list[Path]:
    folders = [initdb.parent for initdb in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if on_path := shutil.which("initdb"):
        folders.append(Path(on_path).resolve().parent)
    return sorted(folders)


class Postgres:
    """One server with a folder of its own; it can be killed and started again on the same port and folder."""

    def __init__(self) -> None:
        self._programs = programs()
        # Not below pytest's folders, which only their owner may enter.
        self.folder = Path(tempfile.mkdtemp(prefix="lns-postgres-"))
        self._user: dict[str, int | list[int]] = {}
        if os.geteuid() == 0:  # initdb and postgres refuse to run as root
            entry = unprivileged()
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
            self._user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        self.port = free_port()
        self.dsn = f"postgresql://inflight@127.0.0.1:{self.port}/postgres"
        self._process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", "data", "-U", "inflight", "-E", "UTF8", "--locale=C", "-A", "trust", "--no-sync")

    def start(self, *options: str) -> None:
        """Start and wait until the server answers; `options` as postgres -c takes them."""
        listen = ["-h", "127.0.0.1", "-p", str(self.port), "-k", ""]
        settings = [part for option in options for part in ("-c", option)]
        with (self.folder / "output.txt").open("ab") as output:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", "data", *listen, *settings],
                stdout=output,
                stderr=output,
                cwd=self.folder,
                **self._user,
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._answers():
                return
        text = (self.folder / "output.txt").read_text("utf-8", "replace")[-2000:]
        self.kill()
        raise RuntimeError(f"postgres does not answer on port {self.port}: {text}")

    def run_sql(self, *statements: str) -> None:
        """Run statements beside the store, each in a transaction of its own."""
        import psycopg

        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def kill(self) -> None:
        """kill -9 of the server with all its processes."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End at once, connections or not."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Keep the connections open and answer nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._signal(signal.SIGCONT)

    def remove(self) -> None:
        """End and delete everything."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _signal(self, number: int) -> None:
        """To the server first, so that it starts nothing anew, and to its processes: each leads a group of its own."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in (self._process.pid, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _answers(self) -> bool:
        ready = [self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "1"]
        return subprocess.run(ready, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments], check=True, capture_output=True, cwd=self.folder, **self._user
        )


def unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


@functools.cache
def shared() -> Postgres:
    """The server that all tests of this process use that do not harm it; ended with the process."""
    server = Postgres()
    atexit.register(server.remove)
    server.start("fsync=off", "max_connections=200")
    return server


@contextmanager
def own() -> Iterator[Postgres]:
    """A started server for a test that kills or freezes it."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.remove()


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
