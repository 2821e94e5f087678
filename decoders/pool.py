"""Decoding for the server: hands uplinks to worker processes and brings back a result for each of them."""

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Sequence

import msgspec

from decoders.child import End
from decoders.contract import BUILTIN_CAYENNE_LPP, CheckReport, Error, Request, Result
from decoders.conventions import unreadable
from decoders.station import Station
from decoders.strikes import DEATH, OVERRUN, Strikes
from decoders.wire import Reply, Setup
from decoders.work import Call, Check, Work

_STEAL_FROM = 2  # jobs that have to wait at a station before another may take one


class Status(msgspec.Struct, frozen=True):
    """The pool at a glance. `deaths` counts ended workers by cause, `overruns` uplinks out of time or memory; `parked`
    says why by codec key."""

    pids: tuple[int, ...]
    waiting: int
    in_work: int
    deaths: dict[str, int]
    overruns: int
    parked: dict[str, str]


class Pool:
    """`workers` processes, each with `memory_mb` of V8 heap per codec version and `timeout_ms` of CPU per uplink.

    To be started before use and closed after, on the same event loop.
    """

    def __init__(
        self, workers: int = 1, batch: int = 100, timeout_ms: int = 100, memory_mb: int = 64, jitless: bool = False
    ) -> None:
        self._workers = workers
        self._batch = batch
        self._setup = Setup(timeout_ms, memory_mb, jitless)
        self._stations: list[Station] = []
        self._homes: dict[str, Station] = {}  # a codec version stays with a worker that has loaded it
        self._strikes = Strikes()
        self._deaths: Counter[str] = Counter()
        self._overruns = 0

    async def start(self) -> None:
        """Start the workers and wait until they are ready. Raises DecoderError where they cannot run."""
        for _ in range(self._workers):
            station = Station(self._setup, self._finished, self._given_up, self._ended, self._steal)
            self._stations.append(station)
            station.start()
        try:
            await asyncio.gather(*(station.started for station in self._stations))
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End the workers. Calls that still wait are cancelled."""
        for station in self._stations:
            station.close()
        self._stations.clear()
        self._homes.clear()

    async def decode(self, key: str, source: str, requests: Sequence[Request]) -> list[Result]:
        """A result for each request, in order. `key` names the script: its sha256, or that of a built-in codec.

        A request without payload is not decoded and has an empty result.
        """
        call = Call(len(requests))
        wanted = [place for place, request in enumerate(requests) if request.payload]
        if not wanted:
            return [Result()] * len(requests)
        call.expect(len(wanted))
        station = self._home(key)
        for start in range(0, len(wanted), self._batch):
            places = wanted[start : start + self._batch]
            work = Work(key, source, [requests[place] for place in places], places, call)
            if key in self._strikes.parked:
                work.fail(self._parked(key))
            else:
                station.queue.append(key, work)
        self._pump(station)
        return await call.done

    async def check(self, source: str) -> CheckReport:
        """Try a script before it is saved: its syntax, what it needs that is not there, and what functions it has."""
        problem = unreadable(source)
        if problem is not None:
            return CheckReport(problem=problem)
        work = Check(hashlib.sha256(source.encode()).hexdigest(), source)
        station = min(self._stations, key=lambda station: len(station.queue))
        station.queue.append(work.key, work)
        self._pump(station)
        return await work.report

    def forgive(self, key: str) -> None:
        """Run a parked version again."""
        self._strikes.forgive(key)

    def status(self) -> Status:
        """The pool at a glance."""
        return Status(
            tuple(station.pid for station in self._stations if station.pid is not None),
            sum(len(station.queue) for station in self._stations),
            sum(station.in_work for station in self._stations),
            dict(self._deaths),
            self._overruns,
            dict(self._strikes.parked),
        )

    def _home(self, key: str) -> Station:
        station = self._homes.get(key)
        if station is None:
            hosted = Counter(id(home) for home in self._homes.values())
            station = self._homes[key] = min(self._stations, key=lambda station: hosted[id(station)])
        return station

    def _pump(self, station: Station) -> None:
        station.pump()
        if len(station.queue) >= _STEAL_FROM:
            for other in self._stations:
                other.pump()

    def _steal(self) -> Work | None:
        if len(self._stations) < 2:
            return None
        longest = max(self._stations, key=lambda station: len(station.queue))
        return longest.queue.take() if len(longest.queue) >= _STEAL_FROM else None

    def _finished(self, work: Work, reply: Reply) -> None:
        for result in reply.results or ():
            if result.error is not None and result.error.reason in ("timeout", "memory"):
                self._overruns += 1
                self._strike(
                    work.key, OVERRUN, f"too many of its uplinks failed, the last because {result.error.message}"
                )
        work.finish(reply)

    def _given_up(self, work: Work, end: End) -> None:
        work.fail(_blame(end))
        if work.requests:
            self._strike(work.key, DEATH, end.text)

    def _strike(self, key: str, points: int, why: str) -> None:
        if key != BUILTIN_CAYENNE_LPP and self._strikes.add(key, points, time.monotonic(), why):
            for station in self._stations:
                for work in station.queue.take_all(key):
                    work.fail(self._parked(key))

    def _parked(self, key: str) -> Error:
        return Error("parked", f"this version of the codec is not run any more: {self._strikes.parked[key]}")

    def _ended(self, end: End) -> None:
        self._deaths[end.cause] += 1


_REASONS = {"memory": "memory", "stuck": "timeout"}


def _blame(end: End) -> Error:
    return Error(_REASONS.get(end.cause, "worker_died"), end.text)
