"""System calls that a worker has no use for, refused by the kernel from then on: network, programs, writing to files.

A script reaches none of them; this is for the day when a hole in V8 lets one run code of its own in the worker. Linux
on x86-64 and arm64, through seccomp(2): a filter of classic BPF instructions, see filter(2) of seccomp in the kernel's
documentation (userspace-api/seccomp_filter) and linux/filter.h.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_FOREIGN = 0x40000000  # numbers of the x32 interface begin here
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

# Numbers on x86-64 and arm64, which has no calls of the older kind (0). asm/unistd_64.h, asm-generic/unistd.h
_REFUSED = {
    "socket": (41, 198), "connect": (42, 203), "accept": (43, 202), "sendto": (44, 206), "sendmsg": (46, 211),
    "bind": (49, 200), "listen": (50, 201), "accept4": (288, 242), "sendmmsg": (307, 269), "execve": (59, 221),
    "execveat": (322, 281), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kill": (62, 129), "tkill": (200, 130), "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424),
    "truncate": (76, 45), "ftruncate": (77, 46), "rename": (82, 0), "renameat": (264, 38), "renameat2": (316, 276),
    "mkdir": (83, 0), "mkdirat": (258, 34), "rmdir": (84, 0), "creat": (85, 0), "link": (86, 0), "linkat": (265, 37),
    "unlink": (87, 0), "unlinkat": (263, 35), "symlink": (88, 0), "symlinkat": (266, 36), "mknod": (133, 0),
    "mknodat": (259, 33), "chmod": (90, 0), "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, 0),
    "fchownat": (260, 54), "io_uring_setup": (425, 425), "openat2": (437, 437), "bpf": (321, 280),
    "userfaultfd": (323, 282), "perf_event_open": (298, 241), "unshare": (272, 97), "setns": (308, 268),
    "mount": (165, 40), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
}  # fmt: skip
_OPENS = {"open": ((2, 0), 1), "openat": ((257, 56), 2)}
"""Refused for writing: the numbers, and which argument has the flags."""

_MACHINES = {"x86_64": (0, 0xC000003E, 317), "aarch64": (1, 0xC00000B7, 277)}
"""Column of the numbers, the kernel's name of the machine, the number of seccomp(2) itself."""


def available() -> bool:
    """Is there a filter for this machine?"""
    return sys.platform == "linux" and platform.machine() in _MACHINES and sys.maxsize > 2**32


def refuse() -> bool:
    """Refuse the calls to all threads of this process for ever; False where the system has no such filter.

    The process must not be able to gain privileges any more (PR_SET_NO_NEW_PRIVS).
    """
    if not available():
        return False
    program = filter_program(platform.machine())
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    call = ctypes.CDLL(None, use_errno=True).syscall
    return bool(call(_MACHINES[platform.machine()][2], _SET_MODE_FILTER, _ALL_THREADS, header) == 0)


def filter_program(machine: str) -> bytes:
    """The filter's instructions for x86_64 or aarch64, 8 octets each."""
    column, name, _ = _MACHINES[machine]
    steps = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, name), (_RETURN, 0, 0, _REFUSE)]
    steps += [(_LOAD, 0, 0, _NUMBER), (_AT_LEAST, 0, 1, _FOREIGN), (_RETURN, 0, 0, _REFUSE)]
    for numbers in _REFUSED.values():
        if numbers[column]:
            steps += [(_EQUAL, 0, 1, numbers[column]), (_RETURN, 0, 0, _REFUSE)]
    for numbers, flags in _OPENS.values():
        if numbers[column]:
            steps += [(_EQUAL, 0, 4, numbers[column]), (_LOAD, 0, 0, _ARGUMENTS + 8 * flags)]
            steps += [(_ANY_BIT, 0, 1, _WRITES), (_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]
    steps.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *step) for step in steps)
