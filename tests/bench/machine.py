"""The machine that is measured: numbers of two machines, or beside other load, cannot be compared."""

import os
import platform
from pathlib import Path

import msgspec


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


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
