"""Mosquitto and RabbitMQ from Debian's packages, on free loopback ports, as processes that are ended by their pid.

Where a package is missing and we are root it is installed; elsewhere the tests that need it are skipped and say so.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.process import Process, free_port, program, until

STOP_S = 30.0


class Server(Process):
    """One server whose command and environment are the same at every start."""

    def __init__(self, argv: list[str], port: int, folder: Path, environ: dict[str, str] | None = None) -> None:
        super().__init__(folder, port)
        self._argv, self._environ = argv, environ or {}

    def argv(self) -> list[str]:
        return self._argv

    def environ(self) -> dict[str, str]:
        return self._environ


def make_mosquitto(folder: Path, *lines: str) -> Server:
    """A Mosquitto that is not started yet and keeps what it acknowledged; `lines` are added to its configuration."""
    binary, port, file = program("mosquitto", "mosquitto", "/usr/sbin"), free_port(), folder / "mosquitto.conf"
    server = Server([binary, "-c", str(file)], port, folder)
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
    file.write_text("\n".join(settings) + "\n")
    return server


class Rabbit(Process):
    """RabbitMQ with a port mapper of its own, which Erlang would otherwise leave running.

    What is declared or bound it writes down up to 2 s later: with `kill` before that a binding is gone, and what is
    published after the next start is confirmed and dropped. `restart` forgets nothing.
    """

    def __init__(self, folder: Path, *, tls: bool = False) -> None:
        self._script = program("rabbitmq-server", "rabbitmq-server", "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin")
        super().__init__(folder)
        here, mapper = {"ERL_EPMD_ADDRESS": "127.0.0.1"}, free_port()
        self._epmd = Server(["epmd", "-port", str(mapper)], mapper, folder / "epmd", here)
        self._environ = here | {
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(mapper),
            "RABBITMQ_NODENAME": f"lns{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(free_port() if tls else self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RUNNING_UNDER_SYSTEMD": "1",  # then the script becomes the broker instead of its parent
        }

    def argv(self) -> list[str]:
        return ["setsid", self._script]  # the processes that it starts are its group

    def environ(self) -> dict[str, str]:
        return self._environ

    def start(self) -> None:
        """Start the port mapper, then the broker."""
        if not self._epmd.answers():
            self._epmd.start()
        super().start()

    def restart(self) -> None:
        """End it in order, wait until its last process is gone, and start it again; an error where that takes 30 s."""
        assert self._process is not None, "it was not started"
        group = self._process.pid
        self._process.terminate()
        self._process.wait(STOP_S)
        if not until(lambda: not _is_there(group), STOP_S):
            raise RuntimeError(f"processes of RabbitMQ outlive it by {STOP_S:g} s: those of group {group}")
        self.start()

    def stop(self) -> None:
        """End both."""
        super().stop()
        self._epmd.stop()

    def _signal(self, number: int) -> None:
        """To the broker, and to those of its processes that are left."""
        super()._signal(number)
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def make_rabbit(folder: Path, *lines: str, tls: bool = False) -> Rabbit:
    """A RabbitMQ that is not started yet; `lines` are added to its configuration, with `tls` its port is for that."""
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
    with make_mosquitto(tmp_path / "mosquitto") as server:
        yield server


@pytest.fixture(scope="module")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rabbit]:
    """A started RabbitMQ, one for all tests of a module: it takes seconds."""
    with make_rabbit(tmp_path_factory.mktemp("rabbit")) as server:
        yield server
