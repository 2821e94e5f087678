"""Watches a server at work from outside: when rows become visible in its store, and what its threads use.

The store's one-row table `position` is the place in the log up to which every row is committed, and each row carries
its own place: a row was visible at the first look whose position is not below the row's.
"""

import sqlite3
import threading
import time
from bisect import bisect_left, bisect_right
from contextlib import closing
from types import TracebackType
from typing import Self

from tests.bench import processes
from tests.bench.processes import Cpu
from tests.bench.server import Server

_CPU_EVERY_S = 0.05
_QUIET_LOOK_S = 0.05


class Observer:
    """Looks every `interval_s` for as long as the block lasts; instants are UTC microseconds."""

    def __init__(self, server: Server, interval_s: float) -> None:
        self._server = server
        self._interval_s = interval_s
        self._pids = server.pids()
        self._seen_us: list[int] = []
        self._seqs: list[int] = []
        self._cpu_us: list[int] = []
        self._cpu: list[Cpu] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def wait_quiet(self, seconds: float) -> None:
        """Wait until nothing new has become visible for so long."""
        newest, since = len(self._seqs), time.monotonic()
        while time.monotonic() < since + seconds:
            time.sleep(_QUIET_LOOK_S)
            if len(self._seqs) != newest:
                newest, since = len(self._seqs), time.monotonic()

    def visible_us(self, seq: int) -> int:
        """When the rows of place `seq` in the log were first seen."""
        return self._seen_us[bisect_left(self._seqs, seq)]

    def cpu_between(self, from_us: int, to_us: int) -> Cpu:
        """CPU seconds by thread, from the last look before the one instant to the first after the other."""
        before = self._cpu[max(0, bisect_right(self._cpu_us, from_us) - 1)]
        after = self._cpu[min(len(self._cpu) - 1, bisect_left(self._cpu_us, to_us))]
        return {tid: used - before.get(tid, 0.0) for tid, used in after.items()}

    def _look(self) -> None:
        uri = f"{self._server.series_db.as_uri()}?mode=ro"
        cpu_due = 0.0
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
            while not self._stopping.is_set():
                (seq,) = connection.execute("SELECT seq FROM position").fetchone()
                if not self._seqs or seq != self._seqs[-1]:
                    self._seen_us.append(time.time_ns() // 1000)
                    self._seqs.append(seq)
                if time.monotonic() >= cpu_due:
                    cpu_due = time.monotonic() + _CPU_EVERY_S
                    self._cpu_us.append(time.time_ns() // 1000)
                    self._cpu.append(processes.cpu(self._pids))
                self._stopping.wait(self._interval_s)
        self._cpu_us.append(time.time_ns() // 1000)
        self._cpu.append(processes.cpu(self._pids))
