"""Server processes of tests on free loopback ports: started, killed, frozen, and started again on the same port.

Each lives in a folder that keeps what it printed, and is ended by its pid.
"""

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest

START_S = 60.0
_APT = ("apt-get", "-o", "DPkg::Lock::Timeout=300", "-q")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether a condition has come true within this time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class Process(ABC):
    """One server; a subclass says its command, and how it is asked whether it answers.

    Without a `folder` it makes one that goes with it, and which a `user` may enter, unlike the folders of pytest.
    """

    def __init__(
        self, folder: Path | None = None, port: int | None = None, user: pwd.struct_passwd | None = None
    ) -> None:
        self._temporary = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix=f"lns-{type(self).__name__.lower()}-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self._as_user: dict[str, Any] = {}
        if user is not None:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def argv(self) -> list[str]:
        """The command, for this start."""

    def environ(self) -> dict[str, str]:
        """What it is given beside our own environment."""
        return {}

    def answers(self) -> bool:
        """Whether somebody listens on the port."""
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def start(self) -> None:
        """Start and wait until it answers; RuntimeError says how it ended, or that it is silent, and its last words."""
        argv, file = self.argv(), self.folder / "output.txt"
        with file.open("ab") as output:
            self._process = process = subprocess.Popen(
                argv,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env=os.environ | self.environ(),
                **self._as_user,
            )
        over = until(lambda: process.poll() is not None or self.answers(), START_S)
        code = process.poll()
        if over and code is None:
            return
        self.kill()
        why = f"does not answer within {START_S:g} s" if code is None else f"ended with {code}"
        raise RuntimeError(f"{argv[0]} on port {self.port} {why}: {file.read_text('utf-8', 'replace')[-2000:]}")

    def kill(self) -> None:
        """kill -9, whatever state it is in."""
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

    def stop(self) -> None:
        """End it for good; a folder that it made itself is deleted."""
        self.kill()
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self.stop)
            self.start()
            stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _signal(self, number: int) -> None:
        assert self._process is not None, "it was not started"
        self._process.send_signal(number)


P = TypeVar("P", bound=Process)


def until_exit(server: P) -> P:
    """The server, started for all tests of this process; ended with the process."""
    atexit.register(server.stop)
    server.start()
    return server


def program(name: str, package: str, places: str = "") -> str:
    """The path of a program, whose Debian package is installed where it is missing and we are root, or else a skip.

    `places` are folders that are looked into before PATH, as a pattern; the last one is taken.
    """
    found = _found(name, places)
    if not found:
        reason = _installed(package)
        found = _found(name, places)
        if not found:
            pytest.skip(f"no {name} to start: {reason}")
    return found


def _found(name: str, places: str) -> str | None:
    folders = sorted(Path("/").glob(places.lstrip("/")), reverse=True) if places else []
    return shutil.which(name, path=os.pathsep.join([*map(str, folders), *os.get_exec_path()]))


@cache
def _installed(package: str) -> str:
    """How installing a package went, which is tried once."""
    command = f"apt-get install {package}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return command
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # only the program is wanted
    subprocess.run([*_APT, "update"], capture_output=True, env=environ, check=False)
    install = [*_APT, "install", "-y", "--no-install-recommends", package]
    done = subprocess.run(install, capture_output=True, env=environ, check=False)
    return f"{command} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-300:]}"


def unprivileged(*names: str) -> pwd.struct_passwd | None:
    """The first of these users that there is, where we are root, whom some servers refuse; None where we are not."""
    known = {entry.pw_name: entry for entry in pwd.getpwall()} if os.geteuid() == 0 else {}
    return next((known[name] for name in names if name in known), None)
