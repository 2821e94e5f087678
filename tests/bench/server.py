"""The real server as a process of its own, on free ports and an empty folder."""

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.bench import processes

BUILD = Path("build")
_START_S, _STOP_S = 60.0, 60.0
_LOOK_S = 0.005

_CONFIG = """\
data_dir = "{data_dir}"
[udp]
host = "127.0.0.1"
port = {udp_port}
accept_unknown_gateways = true
[api]
port = {api_port}
[regions.EU868]
duty_cycle = false  # what is measured is this server, not the air
[log]
level = "WARNING"
"""


class Server:
    """A running server. `ready_s` is the time from its start until it takes traffic."""

    def __init__(self, process: subprocess.Popen[bytes], data_dir: Path, udp_port: int, api_port: int) -> None:
        self.pid = process.pid
        self.data_dir = data_dir
        self.udp_port = udp_port
        self.url = f"http://127.0.0.1:{api_port}"
        self.ready_s = 0.0
        self._process = process

    @property
    def series_db(self) -> Path:
        return self.data_dir / "series.db"

    @property
    def key(self) -> str:
        """The admin key that the server has left in its folder."""
        return (self.data_dir / "admin.key").read_text("ascii").strip()

    def pids(self) -> list[int]:
        """The server and its decoder workers."""
        return [self.pid, *processes.children(self.pid)]

    def metrics(self) -> str:
        """Prometheus text."""
        return httpx.get(f"{self.url}/metrics").raise_for_status().text

    def wait(self, started: float) -> None:
        """Wait until the server takes traffic; `started` is monotonic seconds."""
        with httpx.Client() as http:
            while not _ready(http, self.url):
                if self._process.poll() is not None:
                    raise RuntimeError(f"the server ended with exit code {self._process.returncode}")
                if time.monotonic() > started + _START_S:
                    raise TimeoutError(f"the server was not ready within {_START_S:g} s")
                time.sleep(_LOOK_S)
        self.ready_s = time.monotonic() - started


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder on the disk that holds the repository: /tmp may be memory, where syncing costs nothing."""
    BUILD.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=BUILD)).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def serving(folder: Path, sections: str = "") -> Iterator[Server]:
    """A server on the data in `folder`, with more `sections` of configuration, until the end of the block."""
    udp_port, api_port = _free_port(socket.SOCK_DGRAM), _free_port(socket.SOCK_STREAM)
    config = folder / "lns.toml"
    data_dir = folder / "data"
    config.write_text(_CONFIG.format(data_dir=data_dir, udp_port=udp_port, api_port=api_port) + sections)
    command = [str(Path(sys.executable).with_name("lns")), "serve", "--config", str(config)]
    started = time.monotonic()
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
    try:
        server = Server(process, data_dir, udp_port, api_port)
        server.wait(started)
        yield server
    except (RuntimeError, TimeoutError) as error:
        error.add_note(f"the end of its log: {(folder / 'server.log').read_text('utf-8', 'replace')[-2000:]}")
        raise
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ready(http: httpx.Client, url: str) -> bool:
    try:
        return http.get(f"{url}/readyz").is_success
    except httpx.TransportError:
        return False


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
