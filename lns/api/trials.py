"""Trials as jobs: one at a time, in memory, the last ones kept to be looked at."""

import asyncio
import secrets
import sqlite3
from typing import Literal

import msgspec

from lns.decoding.compare import Comparison
from lns.decoding.parts import Parts, Refused
from lns.decoding.trial import TrialSpec, trial
from lns.errors import StoreError
from lns.registry.errors import RegistryError

KEPT = 100
MAX_WAITING = 20

State = Literal["waiting", "running", "done", "cancelled", "failed"]


class TrialJob(msgspec.Struct):
    """A trial: how many uplinks are compared, of how many, and what came out."""

    id: str
    spec: TrialSpec
    created_at_us: int
    state: State = "waiting"
    compared: int = 0
    of: int | None = None
    report: Comparison | None = None
    error: str | None = None

    @property
    def is_open(self) -> bool:
        """It waits or runs."""
        return self.state in ("waiting", "running")


class _Cancelled(Exception):
    """Somebody does not want the trial any more."""


class Trials:
    """All trials by id."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._jobs: dict[str, TrialJob] = {}
        self._wanted = asyncio.Event()

    def start(self, spec: TrialSpec, now_us: int) -> TrialJob:
        """Queue a trial. Refused: too many wait."""
        waiting = sum(job.is_open for job in self._jobs.values())
        if waiting >= MAX_WAITING:
            raise Refused(f"{waiting} trials wait already, at most {MAX_WAITING} may")
        job = TrialJob(secrets.token_hex(8), spec, now_us)
        self._jobs[job.id] = job
        for old in [old.id for old in self._jobs.values() if not old.is_open][:-KEPT]:
            del self._jobs[old]
        self._wanted.set()
        return job

    def job(self, job_id: str) -> TrialJob | None:
        """A trial by its id."""
        return self._jobs.get(job_id)

    def cancel(self, job_id: str) -> TrialJob | None:
        """End a trial that is not finished. None: there is no such trial."""
        job = self._jobs.get(job_id)
        if job is not None and job.is_open:
            job.state = "cancelled"
        return job

    async def run(self) -> None:
        """Work on trials, oldest first, for ever."""
        while True:
            job = next((job for job in self._jobs.values() if job.state == "waiting"), None)
            if job is None:
                self._wanted.clear()
                await self._wanted.wait()
                continue
            await self._work(job)

    async def _work(self, job: TrialJob) -> None:
        job.state = "running"

        def note(compared: int, of: int) -> None:
            if job.state == "cancelled":
                raise _Cancelled
            job.compared, job.of = compared, of

        try:
            job.report = await trial(self._parts, job.spec, note)
        except _Cancelled:
            return
        except (RegistryError, Refused, StoreError, sqlite3.Error) as error:
            job.state, job.error = "failed", str(error)
        else:
            job.state = "done"
