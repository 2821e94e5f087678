"""What a running process costs, read from /proc: CPU by thread, memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
_UTIME, _STIME, _RSS_PAGES, _PPID = 11, 12, 21, 1  # places in what `_stat` gives

MAIN, DECODER, OTHER = "main", "decoder", "other"
_ROLES = {"MainThread": MAIN, "exchange-writer": "exchange_writer", "series-write": "series_writer"}
ROLES = (*_ROLES.values(), DECODER, OTHER)

Cpu = dict[int, float]
"""CPU seconds by thread id."""


def cpu(pids: list[int]) -> Cpu:
    """What every thread of these processes has used so far, in user mode and in the system; the grain is 10 ms."""
    tasks = (task for pid in pids for task in _PROC.glob(f"{pid}/task/*"))
    return {int(task.name): (int(f[_UTIME]) + int(f[_STIME])) / _TICKS_PER_S for task in tasks if (f := _stat(task))}


def children(pid: int) -> list[int]:
    """Processes that `pid` has started, and theirs."""
    parents = {int(path.name): int(fields[_PPID]) for path in _PROC.glob("[0-9]*") if (fields := _stat(path))}
    found = [pid]
    for parent in found:
        found += [child for child, its_parent in parents.items() if its_parent == parent]
    return found[1:]


def roles(pid: int) -> dict[int, str]:
    """Which thread of a Python server does what. Threads that have no name yet, or may not be looked at, are OTHER."""
    named = {tid: DECODER for child in children(pid) for tid in cpu([child])}
    for tid, name in _thread_names(pid).items():
        named[tid] = _ROLES.get(name.rpartition("_")[0] or name, OTHER)
    return {**named, pid: MAIN}


def rss_bytes(pid: int) -> int:
    """Resident memory of one process, without its children."""
    return int(_stat(_PROC / str(pid))[_RSS_PAGES]) * os.sysconf("SC_PAGE_SIZE")


def _thread_names(pid: int) -> dict[int, str]:
    """Python does not tell the system what its threads are called; py-spy reads it out of the interpreter."""
    command = [str(Path(sys.executable).with_name("py-spy")), "dump", "--nonblocking", "--json", "--pid", str(pid)]
    dump = subprocess.run(command, capture_output=True, text=True, check=False)
    if dump.returncode:  # the system does not let this user look into other processes
        return {}
    return {thread["os_thread_id"]: thread["thread_name"] or "" for thread in json.loads(dump.stdout)}


def _stat(path: Path) -> list[str]:
    """Its fields from the state on; none of a process or thread that has ended."""
    try:
        return (path / "stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
