"""A real server that speaks MongoDB's protocol, on a free loopback port, ended by its pid.

It is FerretDB 1 on SQLite, built with Go from the modules that `tests/ferretdb` pins by hash; its first build takes a
minute or two. It reads whole collections to find one document, so tests on it keep theirs small. MongoDB itself, which
no registry has, is tested where LNS_TEST_MONGO holds its connection string.
"""

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lns.series.store import SeriesStore
from tests.process import Process, unprivileged, until_exit

BUILD_S = 100.0
BATCH_ROWS = 50  # FerretDB 1 hangs on a request of 100 updates: each holds one of its 100 connections to SQLite
SOURCE = Path(__file__).parent / "ferretdb"
GIVEN = "LNS_TEST_MONGO"


class MongoServer(Process):
    """One ferretdb process in a folder of its own; the test is skipped where it cannot be built."""

    def __init__(self) -> None:
        self._program = _program()
        super().__init__(user=unprivileged("nobody"))
        self.url = f"mongodb://127.0.0.1:{self.port}"

    def argv(self) -> list[str]:
        return [str(self._program), f"127.0.0.1:{self.port}", str(self.folder)]

    def environ(self) -> dict[str, str]:
        return {"GOGC": "800"}  # it makes thousands of objects to find a document


@functools.cache
def _program() -> Path:
    """The built server, in a folder that goes with this process; the test is skipped where it cannot be built."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("no MongoDB server: FerretDB is built with Go, which is missing")
    folder = Path(tempfile.mkdtemp(prefix="lns-ferretdb-program-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    options = ["-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", str(folder / "ferretdb")]
    command, environ = [go, "build", *options, "."], os.environ | {"GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    try:
        subprocess.run(command, cwd=SOURCE, env=environ, capture_output=True, check=True, timeout=BUILD_S)
    except subprocess.TimeoutExpired:
        pytest.skip(f"no MongoDB server: building FerretDB took more than {BUILD_S:g} s; the next run goes on with it")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no MongoDB server: FerretDB does not build: {error.stderr.decode()[-500:]}")
    return folder / "ferretdb"


@functools.cache
def shared_server() -> MongoServer:
    """The server that all tests of this process use that do not harm it."""
    return until_exit(MongoServer())


def fresh_store(clock: Callable[[], int], url: str | None = None, **changes: Any) -> SeriesStore:
    """A store in a database of its own, on the shared server unless a URL is given."""
    pytest.importorskip("pymongo", reason="the mongodb store needs: pip install 'inflight-lns[mongo]'")
    from tests.series.mongo.own import OwnDatabase

    return OwnDatabase(url or shared_server().url, clock, **{"batch_rows": BATCH_ROWS, **changes})


def given(clock: Callable[[], int]) -> SeriesStore:
    """The same on the server that the environment names; skipped where it names none."""
    url = os.environ.get(GIVEN)
    if not url:
        pytest.skip(f"no MongoDB given: set {GIVEN} to the connection string of one where databases may be dropped")
    return fresh_store(clock, url, batch_rows=1000)
