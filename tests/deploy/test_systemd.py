"""The systemd units, read by systemd's own checker."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lns.cli.outcome import Exit
from lns.config import Config
from lns.server import CATCH_UP_S
from tests.deploy.boards import DEPLOY

UNITS = sorted(path for path in (DEPLOY / "systemd").iterdir() if path.suffix in (".service", ".timer"))
SERVICE = (DEPLOY / "systemd/inflight.service").read_text("utf-8")
MOST_EXPOSED = 2.0  # of 10; a service without any setting has 9.6


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze: apt-get install systemd")
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)


@pytest.fixture
def installed(tmp_path: Path) -> list[str]:
    """The units with programs that are there, as the checker looks for them."""
    for unit in UNITS:
        text, found = re.subn(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text("utf-8"), flags=re.M)
        assert found == (unit.suffix == ".service")
        (tmp_path / unit.name).write_text(text)
    return [str(tmp_path / unit.name) for unit in UNITS]


def setting(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", SERVICE, re.M)


def test_systemd_understands_every_line(installed):
    done = analyze("verify", "--man=no", *installed)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_service_is_hardened(installed):
    (service,) = (path for path in installed if path.endswith("inflight.service"))
    done = analyze("security", "--offline=yes", "--no-pager", service)
    if "Unknown" in done.stderr or "unrecognized" in done.stderr:
        pytest.skip("this systemd-analyze cannot judge a file: version 250 or newer can")
    (exposure,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert float(exposure) <= MOST_EXPOSED


def test_a_stop_leaves_the_time_to_write_and_spares_the_decoders():
    assert int(setting("TimeoutStopSec")[0]) >= 2 * CATCH_UP_S
    assert (setting("KillMode"), setting("KillSignal")) == (["mixed"], ["SIGTERM"])


def test_a_crash_is_answered_by_a_start_and_a_wrong_configuration_is_not():
    assert (setting("Restart"), setting("RestartPreventExitStatus")) == (["on-failure"], [str(int(Exit.USAGE))])


def test_the_compiler_of_decoders_may_make_code():
    assert setting("MemoryDenyWriteExecute") == []
    assert setting("NoNewPrivileges") == ["yes"]


def test_the_server_may_make_the_system_calls_that_its_decoders_ask_for():
    (allowed, denied) = setting("SystemCallFilter")
    names = set(expanded("@system-service")) | set(allowed.split()[1:])
    assert (allowed.split()[0], denied) == ("@system-service", "~@privileged")
    needed = {"seccomp", "prctl", "prlimit64", "execve", "setsid", "kill", "mprotect", "fdatasync", "recvfrom"}
    assert needed - (names - set(expanded("@privileged"))) == set()


def expanded(group: str) -> list[str]:
    """System calls of a group of systemd's."""
    done = analyze("syscall-filter", "--no-pager", group)
    lines = [line.strip() for line in done.stdout.splitlines()[1:]]
    names = [line for line in lines if line and not line.startswith("#")]
    return [call for name in names for call in (expanded(name) if name.startswith("@") else [name])]


def test_the_kernel_is_asked_for_the_buffer_that_the_server_asks_for():
    text = (DEPLOY / "systemd/inflight.sysctl").read_text("utf-8")
    assert re.findall(r"^net\.core\.rmem_max = (\d+)$", text, re.M) == [str(Config().udp.receive_buffer_bytes)]


def test_the_account_is_the_one_that_the_units_use():
    (name,) = re.findall(r"^u (\w+) ", (DEPLOY / "systemd/inflight.sysusers").read_text("utf-8"), re.M)
    for unit in UNITS:
        if unit.suffix == ".service":
            assert f"User={name}\nGroup={name}\n" in unit.read_text("utf-8")
