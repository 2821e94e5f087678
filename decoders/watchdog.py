"""Kills a worker that does not come back from a job, or that takes too much memory.

The worker has limits of its own, so the watchdog acts only when these fail, as when V8 is in native code that cannot be
interrupted. It counts the worker's CPU time, for a busy machine must not cost an honest script its worker.
"""

import asyncio

from decoders.child import Child, End
from decoders.wire import IDLE_CPU_S, LOAD_CPU_S, Setup, batch_cpu_s, read_cpu_s, wall_s
from decoders.work import Work

TICK_S = 0.05
GRACE_S = 0.15  # beyond the worker's own limits
RESIDENT_BYTES = 336 * 1024 * 1024  # plus one script's heap
_STALL_S = 0.5  # a tick that comes so late says that this process was held up: its clock proves nothing


class Watchdog:
    """Looks at one worker and the job it has in work, while there is one."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._resident_bytes = RESIDENT_BYTES + setup.memory_mb * 1024 * 1024
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._child: Child | None = None
        self._number = 0
        self._seen = -1  # number of the job at the last tick
        self._allowed_cpu_s = 0.0
        self._since = 0.0  # when that job was first seen
        self._since_cpu_s = 0.0
        self._work: Work | None = None

    def watch(self, child: Child, number: int, work: Work) -> None:
        """From now on `child` has the job `number` in work. Cheap: the looking is done at the next tick."""
        self._child, self._number, self._work = child, number, work
        if self._timer is None:
            self._arm()

    def stop(self) -> None:
        """Nothing is in work. The timer is left to run out, so that the next job soon after costs no new one."""
        self._work = None

    def _arm(self) -> None:
        self._due = self._loop.time() + TICK_S
        self._timer = self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._work is None or self._child is None:
            self._seen = -1
            self._child = None
            return
        now = self._loop.time()
        stalled = now - self._due > _STALL_S
        self._arm()
        if self._number != self._seen or stalled:
            self._seen, self._since, self._since_cpu_s = self._number, now, self._child.cpu_s()
            self._allowed_cpu_s = self._allowance(self._work)
        resident = self._child.resident_bytes()
        if resident > self._resident_bytes:
            shown, limit = resident // 1_048_576, self._resident_bytes // 1_048_576
            self._child.kill(End("memory", f"the worker took {shown} MiB of memory, at most {limit} are allowed"))
        elif self._child.cpu_s() - self._since_cpu_s > self._allowed_cpu_s:
            self._child.kill(End("stuck", f"the worker did not answer within {self._allowed_cpu_s:.2f} s of CPU time"))
        elif now - self._since > wall_s(self._allowed_cpu_s):
            self._child.kill(End("stuck", f"the worker did not answer within {wall_s(self._allowed_cpu_s):.2f} s"))

    def _allowance(self, work: Work) -> float:
        spent_s = batch_cpu_s(self._setup.timeout_ms, len(work.requests)) + GRACE_S
        if work.is_first or not work.is_proven:
            spent_s += read_cpu_s(work.script.source)
        if work.is_proven:  # it will be tried again in the annex, with all the time it may have
            return spent_s + IDLE_CPU_S + (LOAD_CPU_S / 2 if work.is_first else 0.0)
        return spent_s + LOAD_CPU_S + 2 * IDLE_CPU_S
