"""What a worker process takes from itself before it runs a script: memory, files, network, outliving its parent.

Linux only where it says so; elsewhere the pool's watchdog is the wall.
"""

import ctypes
import os
import resource
import signal
import sys

from decoders import seccomp

THREAD_STACK_BYTES = 2 * 1024 * 1024  # V8 uses just under 1 MB; the usual 8 MB each would count towards RLIMIT_DATA
NOBODY = 65534
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


def limit_thread_stacks() -> None:
    """Start this program again with small thread stacks: the C library reads the limit only at its start."""
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if soft == THREAD_STACK_BYTES or (hard != resource.RLIM_INFINITY and hard < THREAD_STACK_BYTES):
        return
    resource.setrlimit(resource.RLIMIT_STACK, (THREAD_STACK_BYTES, hard))
    os.execv(sys.executable, sys.orig_argv)


def confine(headroom_bytes: int) -> None:
    """Give up what a decoder does not need; to be called when the engine runs and everything is imported.

    V8 reserves address space, so only the data segment can be limited, and only relative to what the engine took.
    """
    data = data_bytes()
    if data:
        resource.setrlimit(resource.RLIMIT_DATA, (data + headroom_bytes,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None).prctl
        prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # after setuid, which clears it
        seccomp.refuse()


def data_bytes() -> int:
    """Size of this process's private writable memory, touched or not; 0 where the system does not say (Linux only)."""
    return _statm("/proc/self/statm", 5)


def resident_bytes(pid: int) -> int:
    """Memory a process occupies; 0 where the system does not say or the process is gone (Linux only)."""
    return _statm(f"/proc/{pid}/statm", 1)


def cpu_s(pid: int) -> float:
    """CPU seconds a process has used, in steps of 10 ms; 0 where the system does not say (Linux only)."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as stat:
            after_name = stat.read(1000).rpartition(b")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError):
        return 0.0


def _statm(path: str, column: int) -> int:
    try:
        with open(path, "rb", buffering=0) as statm:
            return int(statm.read(200).split()[column]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0
