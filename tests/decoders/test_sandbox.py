"""What a worker process may still do, read from the outside."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from decoders import sandbox, seccomp
from tests.decoders.conftest import running

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the worker's limits are read from /proc, which only Linux has"
)


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def limits_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
    return {line[:26].strip(): line[26:47].strip() for line in lines}


async def test_a_worker_has_few_rights_and_little_memory() -> None:
    os.environ["SECRET_OF_THE_SERVER"] = "x"
    held = Path(__file__).open("rb")  # noqa: ASYNC230, SIM115 a descriptor that must not be passed on
    try:
        async with running(workers=0) as pool:
            (pid,) = pool.status().pids
            limits, status = limits_of(pid), status_of(pid)
            kinds = {
                os.readlink(f"/proc/{pid}/fd/{number}").partition(":")[0] for number in os.listdir(f"/proc/{pid}/fd")
            }
            environment = Path(f"/proc/{pid}/environ").read_bytes()
    finally:
        held.close()
        del os.environ["SECRET_OF_THE_SERVER"]
    assert (limits["Max core file size"], limits["Max file size"]) == ("0", "0")
    assert int(limits["Max data size"]) < 1500 * 1024 * 1024
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] in ("0", "2")  # 0 where the kernel does not let a process filter its calls
    if seccomp.available():
        assert status["Seccomp"] == "2"  # network, programs and writing are refused: see test_seccomp.py
    assert status["Uid"].split() == [str(sandbox.NOBODY if os.geteuid() == 0 else os.geteuid())] * 4
    assert environment.split(b"\0")[:2] == [b"LANG=C.UTF-8", b"TZ=UTC"]
    assert b"SECRET_OF_THE_SERVER" not in environment
    assert kinds <= {"pipe", "anon_inode", "socket"}  # its three pipes and what an event loop needs


PARENT = """
import asyncio
from decoders.contract import Request
from decoders.pool import Pool

async def main():
    pool = Pool(workers=0, timeout_ms=60_000)
    await pool.start()
    print(*pool.status().pids, flush=True)
    await pool.decode("k", "function Decoder(b) { while (true) {} }", [Request(b"1", 1, 0, "", 0)])

asyncio.run(main())
"""


async def test_a_worker_does_not_outlive_its_parent() -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and status_of(pid).get("State", "Z")[0] != "Z":
        assert time.monotonic() < deadline
        await asyncio.sleep(0)


def test_processes_that_are_gone_use_nothing() -> None:
    assert sandbox.resident_bytes(2**30) == 0
    assert sandbox.cpu_s(2**30) == 0.0
    assert sandbox.resident_bytes(os.getpid()) > 1_000_000
    assert sandbox.cpu_s(os.getpid()) > 0
    assert sandbox.data_bytes() > 1_000_000
