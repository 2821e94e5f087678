"""A real server that speaks MongoDB's protocol, on a free loopback port, ended by its pid.

It is FerretDB 1 on SQLite, built with Go from the modules that `tests/ferretdb` pins by hash; its first build takes a
minute or two. It reads whole collections to find one document, so tests on it keep theirs small. MongoDB itself, which
no registry has, is tested where LNS_TEST_MONGO holds its connection string.
"""

import atexit
import functools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lns.series.store import SeriesStore
from tests.brokers import free_port

BUILD_S = 100.0
START_S = 30.0
BATCH_ROWS = 50  # FerretDB 1 hangs on a request of 100 updates: each holds one of its 100 connections to SQLite
SOURCE = Path(__file__).parent / "ferretdb"
GIVEN = "LNS_TEST_MONGO"


class MongoServer:
    """One ferretdb process; it can be killed and started again on the same port and folder."""

    def __init__(self) -> None:
        self._binary = _binary()
        # Not below pytest's folders, which only their owner may enter.
        self.folder = Path(tempfile.mkdtemp(prefix="lns-ferretdb-"))
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self.port = free_port()
        self.url = f"mongodb://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until the server takes connections."""
        with (self.folder / "output.txt").open("ab") as output:
            self._process = subprocess.Popen(
                [self._binary, f"127.0.0.1:{self.port}", self.folder],
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env=os.environ | {"GOGC": "800"},  # it makes thousands of objects to find a document
                **self._user,
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._answers():
                return
        text = (self.folder / "output.txt").read_text("utf-8", "replace")[-2000:]
        self.kill()
        raise RuntimeError(f"ferretdb does not answer on {self.url}: {text}")

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Keep the connections open and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        """Kill it, and its data with it."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            time.sleep(0.02)
            return False


@functools.cache
def _binary() -> Path:
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
    """The server that all tests of this process use that do not harm it; ended with the process."""
    server = MongoServer()
    atexit.register(server.remove)
    server.start()
    return server


@contextmanager
def own_server() -> Iterator[MongoServer]:
    """A started server for a test that kills or freezes it."""
    server = MongoServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


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
