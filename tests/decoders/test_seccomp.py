"""What the kernel refuses to a process under the filter, tried in one."""

import json
import subprocess
import sys

import pytest

from decoders import seccomp

pytestmark = pytest.mark.skipif(not seccomp.available(), reason="there is a filter for Linux on x86-64 and arm64 only")

TRIES = """
import ctypes, json, os, socket, subprocess, sys, threading
from decoders import seccomp

def outcome(attempt):
    try:
        attempt()
    except PermissionError:
        return "refused"
    except OSError as error:
        return str(error)
    return "done"

def everything():
    return {
        "socket": outcome(lambda: socket.socket()),
        "write": outcome(lambda: open(sys.argv[1] + "/new", "w")),
        "append": outcome(lambda: open(sys.argv[1] + "/there", "a")),
        "remove": outcome(lambda: os.remove(sys.argv[1] + "/there")),
        "rename": outcome(lambda: os.rename(sys.argv[1] + "/there", sys.argv[1] + "/gone")),
        "signal": outcome(lambda: os.kill(os.getppid(), 0)),
        "program": outcome(lambda: os.execv("/bin/true", ["true"])),
        "read": outcome(lambda: open(sys.argv[1] + "/there").read()),
        "memory": outcome(lambda: bytearray(50_000_000)),
    }

ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
asked, told, elsewhere = threading.Event(), threading.Event(), []
thread = threading.Thread(target=lambda: (asked.wait(), elsewhere.append(everything())))
thread.start()
applied = seccomp.refuse()
asked.set()
thread.join()
print(json.dumps([applied, everything(), elsewhere[0]]))
"""


def test_network_programs_signals_and_writing_are_refused_to_every_thread(tmp_path):
    (tmp_path / "there").write_text("x")
    found = subprocess.run([sys.executable, "-c", TRIES, str(tmp_path)], capture_output=True, check=True, text=True)
    applied, here, elsewhere = json.loads(found.stdout)
    if not applied:
        pytest.skip("this kernel or container takes no filter")
    refused = ("socket", "write", "append", "remove", "rename", "signal", "program")
    assert here == elsewhere == {**dict.fromkeys(refused, "refused"), "read": "done", "memory": "done"}


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_jump_of_the_filter_stays_within_it(machine):
    program = seccomp.filter_program(machine)
    steps = [program[at : at + 8] for at in range(0, len(program), 8)]
    for at, step in enumerate(steps[:-1]):
        if step[0] & 7 == 5:  # a jump
            assert max(step[2], step[3]) + at + 1 < len(steps)
    assert steps[-1][0] == 0x06
