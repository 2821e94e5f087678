"""The machine that is measured: numbers of two machines, or beside other work, cannot be compared."""

import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.bench.figure import Figure, repeated

_LOOPS = 200_000


class Machine(msgspec.Struct, frozen=True):
    """`load` is the average number of running processes over 1, 5 and 15 minutes."""

    cpu: str
    cores: int
    python: str
    load: tuple[float, float, float]


def machine() -> Machine:
    """This machine as it is now."""
    cores = len(os.sched_getaffinity(0))
    return Machine(_cpu_model(), cores, platform.python_version(), os.getloadavg())


def loop_ms() -> float:
    """CPU milliseconds of a fixed piece of plain Python: a virtual machine is not always as fast as it was."""
    began = time.process_time()
    total = 0
    for number in range(_LOOPS):
        total += number & 7
    return (time.process_time() - began) * 1000


def figures(here: Machine, loops_ms: Sequence[float]) -> list[Figure]:
    """What a reader of bench.json has to know of the machine; `loops_ms` were measured between the parts."""
    return [
        Figure("machine.cores", here.cores, "cores"),
        Figure("machine.load_1m", round(here.load[0], 2), "processes"),
        repeated("machine.python_loop_ms", "ms", loops_ms, 2),
    ]


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
