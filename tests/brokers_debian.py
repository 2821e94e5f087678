"""Mosquitto and RabbitMQ from Debian's packages, on free loopback ports, as processes that are ended by their pid.

Where a package is missing and we are root it is installed; elsewhere the tests that need it are skipped and say so.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.brokers import free_port

START_S = 60.0
_APT = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends"]
_RABBIT = "/usr/lib/rabbitmq/lib"


class Server:
    """One server process; it can be killed and started again on the same port and folder."""

    def __init__(self, argv: list[str], port: int, folder: Path, environ: dict[str, str] | None = None) -> None:
        self.port, self.folder = port, folder
        self._argv, self._environ = argv, {**os.environ, **(environ or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until the server takes connections."""
        with (self.folder / "output.txt").open("ab") as output:
            self._process = subprocess.Popen(
                self._argv, stdout=output, stderr=output, cwd=self.folder, env=self._environ, start_new_session=True
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if self.answers():
                return
            time.sleep(0.05)
        text = (self.folder / "output.txt").read_text("utf-8", "replace")[-2000:]
        self.kill()
        raise RuntimeError(f"{self._argv[0]} does not answer on port {self.port}: {text}")

    def answers(self) -> bool:
        """True when somebody listens on the port."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """kill -9 of the process and of those it started, which are its process group."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Keep the connections open and answer nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(self._process.pid, number)


def needed(package: str, path: str) -> None:
    """Install a Debian package where `path` is missing; the test is skipped where that cannot be."""
    if Path(path).exists():
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip(f"{path} is missing: apt-get install {package}")
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run([*_APT, package], capture_output=True, env=environ)
    if done.returncode != 0:
        pytest.skip(f"apt-get install {package} failed: {done.stderr.decode()[-300:]}")


def make_mosquitto(folder: Path, *lines: str) -> Server:
    """A Mosquitto that is not started yet and keeps what it acknowledged; `lines` are added to its configuration."""
    needed("mosquitto", "/usr/sbin/mosquitto")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    settings = [
        f"listener {port} 127.0.0.1",
        "persistence true",
        f"persistence_location {folder}/",
        "autosave_interval 20",  # changes until everything is saved once more
        "autosave_on_changes true",
        "max_queued_messages 0",
        *(lines or ("allow_anonymous true",)),
    ]
    if os.geteuid() == 0:
        settings.append("user root")
    (folder / "mosquitto.conf").write_text("\n".join(settings) + "\n")
    return Server(["/usr/sbin/mosquitto", "-c", str(folder / "mosquitto.conf")], port, folder)


class Rabbit(Server):
    """RabbitMQ with a port mapper of its own, which Erlang would otherwise leave running."""

    def __init__(self, folder: Path, *, tls: bool = False) -> None:
        self._epmd_port, self._epmd = free_port(), None
        port = free_port()
        (script,) = Path(_RABBIT).glob("rabbitmq_server-*/sbin/rabbitmq-server")
        environ = {
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"lns{port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(free_port() if tls else port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RUNNING_UNDER_SYSTEMD": "1",  # then the script becomes the broker instead of its parent
        }
        super().__init__([str(script)], port, folder, environ)

    def start(self) -> None:
        """Start the port mapper, then the broker."""
        if self._epmd is None:
            environ = {**os.environ, "ERL_EPMD_ADDRESS": "127.0.0.1"}
            self._epmd = subprocess.Popen(["epmd", "-port", str(self._epmd_port)], env=environ)
        super().start()

    def stop(self) -> None:
        """End both."""
        self.kill()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()


def make_rabbit(folder: Path, *lines: str, tls: bool = False) -> Rabbit:
    """A RabbitMQ that is not started yet; `lines` are added to its configuration, with `tls` its port is for that."""
    needed("rabbitmq-server", "/usr/sbin/rabbitmq-server")
    folder.mkdir(parents=True, exist_ok=True)
    server = Rabbit(folder, tls=tls)
    settings = ["log.console = true", "disk_free_limit.absolute = 50MB", *lines]
    if tls:
        settings.append(f"listeners.ssl.1 = 127.0.0.1:{server.port}")
    (folder / "rabbitmq.conf").write_text("\n".join(settings) + "\n")
    (folder / "plugins").write_text("[].\n")
    return server


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Server]:
    """A started Mosquitto."""
    server = make_mosquitto(tmp_path / "mosquitto")
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rabbit]:
    """A started RabbitMQ, one for all tests of a module: it takes seconds."""
    server = make_rabbit(tmp_path_factory.mktemp("rabbit"))
    server.start()
    yield server
    server.stop()
