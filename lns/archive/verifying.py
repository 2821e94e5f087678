"""Verification of the archive while the server runs: one at a time, the last one can be looked up."""

import asyncio
import logging
import time
from typing import Literal

import msgspec

from lns.archive.storage import Storage
from lns.archive.verify import Verdict, verify
from lns.errors import StoreError

_logger = logging.getLogger(__name__)


class Check(msgspec.Struct):
    """A verification: `behind` of `files` manifests have been looked at."""

    started_at_us: int
    state: Literal["running", "done", "failed"] = "running"
    behind: int = 0
    files: int = 0
    verdict: Verdict = msgspec.field(default_factory=Verdict)
    finished_at_us: int | None = None
    error: str | None = None


class Verifier:
    """Reads the archive of the log with id `log` back on request."""

    def __init__(self, storage: Storage, log: str) -> None:
        self._storage, self._log = storage, log
        self._wanted = asyncio.Event()
        self.last: Check | None = None

    def start(self) -> Check:
        """Begin, unless one is under way, which is given then."""
        if self.last is None or self.last.state != "running":
            self.last = Check(time.time_ns() // 1000)
            self._wanted.set()
        return self.last

    async def run(self) -> None:
        """Work for ever."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if self.last is not None:
                await self._work(self.last)

    async def _work(self, check: Check) -> None:
        def tell(verdict: Verdict, files: int) -> None:
            check.verdict, check.files, check.behind = verdict, files, check.behind + 1

        try:
            check.verdict = await verify(self._storage, tell, self._log)
        except StoreError as error:
            check.state, check.error = "failed", str(error)
        else:
            check.state = "done"
            if not check.verdict.is_whole:
                _logger.warning(
                    "the archive is not whole: %d faults, %d gaps", len(check.verdict.faults), len(check.verdict.gaps)
                )
        check.finished_at_us = time.time_ns() // 1000
