"""Decoding for the server: hands uplinks to worker processes and brings back a result for each of them.

Versions that have answered cleanly share the workers; one more worker, the annex, has all that is new or has cost too
much lately. So an honest version waits for other honest ones only, whatever is uploaded beside it.
"""

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Sequence

import msgspec

from decoders.child import End
from decoders.contract import BUILTIN_CAYENNE_LPP, CheckReport, Downlink, Encoded, Error, Request, Result
from decoders.conventions import CONVENTIONS, unreadable
from decoders.station import Hooks, Station
from decoders.strikes import DEATH, OVERRUN, Evidence, Offence, Strikes
from decoders.trust import Trust
from decoders.waves import Last, is_chained, waves
from decoders.wire import Reply, Setup
from decoders.work import Call, Check, Script, Work

_STEAL_FROM = 2  # jobs that have to wait at a station before another may take one
_QUICK_US = 20_000  # CPU time of an uplink that is no burden to others; published decoders take 20 to 150
_JOB_US = 100_000  # CPU time that a batch is to take at most, as far as its version's speed is known


class Status(msgspec.Struct, frozen=True):
    """The pool at a glance. `pids` are the shared workers', then the annex's. `deaths` counts ended workers by cause,
    `overruns` uplinks out of time or memory; `parked` says why by codec key."""

    pids: tuple[int, ...]
    waiting: int
    in_work: int
    deaths: dict[str, int]
    overruns: int
    parked: dict[str, str]


class Pool:
    """`workers` processes beside the annex, each with `memory_mb` of V8 heap per codec version and `timeout_ms` of CPU
    per uplink. Without workers the annex does everything.

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
        self._trust = Trust()
        self._cost_us: dict[str, int] = {}  # CPU time of an uplink, as last measured
        self._deaths: Counter[str] = Counter()
        self._overruns = 0

    async def start(self) -> None:
        """Start the workers and wait until they are ready. Raises DecoderError where they cannot run."""
        hooks = Hooks(self._finished, self._again, self._given_up, self._ended, self._steal, self._is_newcomer)
        self._stations += [Station(self._setup, hooks) for _ in range(self._workers)]
        hooks = hooks._replace(steal=lambda: None, is_last=self._trust.doubted.__contains__)
        self._stations.append(Station(self._setup, hooks, in_flight=1, is_shared=False))
        for station in self._stations:
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

    async def decode(
        self,
        key: str,
        source: str,
        requests: Sequence[Request],
        convention: str | None = None,
        measure: bool = False,
    ) -> list[Result]:
        """A result for each request, in order. `key` names the script: its sha256, or that of a built-in codec.

        A request without payload is not decoded and has an empty result. `convention` None: as recognised from the
        script. Uplinks of one device that need each other's state or values are decoded one after the other.
        `measure` has the results tell the memory.
        """
        script = Script(_full_key(key, convention), source, convention, "uplink", measure)
        if not any(is_chained(request) for request in requests):
            return await self._run(script, requests)
        results = [Result()] * len(requests)
        last = Last()
        for wave in waves(requests):
            chosen = [last.into(requests[place]) for place in wave]
            for place, request, result in zip(wave, chosen, await self._run(script, chosen), strict=True):
                results[place] = result
                last.note(request, result)
        return results

    async def decode_downlink(
        self, key: str, source: str, requests: Sequence[Request], convention: str | None = None
    ) -> list[Result]:
        """What the script's `decodeDownlink` makes of the octets of downlinks."""
        return await self._run(Script(_full_key(key, convention), source, convention, "downlink"), requests)

    async def encode_downlink(
        self, key: str, source: str, downlink: Downlink, convention: str | None = None
    ) -> Encoded:
        """The octets that the script's `encodeDownlink`, `Encode` or `Encoder` makes of an object."""
        if key == BUILTIN_CAYENNE_LPP:
            return Encoded(error=Error("exception", "cayenne-lpp cannot encode"))
        d = downlink
        request = Request(d.data_json, d.fport, d.now_us, d.dev_eui, d.fcnt, d.variables)
        (result,) = await self._run(Script(_full_key(key, convention), source, convention, "encode"), [request])
        if result.error is not None:
            return Encoded(b"", d.fport, result.warnings, result.error, result.logs, result.duration_us)
        made = _decode_octets(result.data_json)
        return Encoded(bytes(made.bytes), made.fPort, result.warnings, None, result.logs, result.duration_us)

    async def check(self, source: str, convention: str | None = None) -> CheckReport:
        """Try a script before it is saved: its syntax, what it needs that is not there, and what functions it has."""
        problem = unreadable(source)
        if problem is not None:
            return CheckReport(problem=problem)
        if convention is not None and convention not in CONVENTIONS:
            text = f"convention {convention!r} is none of {', '.join(CONVENTIONS)}"
            return CheckReport(problem=Error("syntax", text))
        work = Check(Script(hashlib.sha256(source.encode()).hexdigest(), source, convention, "check"))
        self._annex.queue.append(work.key, work)
        self._annex.pump()
        return await work.report

    async def _run(self, script: Script, requests: Sequence[Request]) -> list[Result]:
        call = Call(len(requests))
        wanted = [place for place, request in enumerate(requests) if request.payload]
        if not wanted:
            return [Result()] * len(requests)
        call.expect(len(wanted))
        station = self._home(script.key)
        size = min(self._batch, max(1, _JOB_US // max(1, self._cost_us.get(script.key, 1))))
        for start in range(0, len(wanted), size):
            places = wanted[start : start + size]
            work = Work(script, [requests[place] for place in places], places, call)
            if script.key in self._strikes.parked:
                work.fail(self._parked(script.key))
            else:
                station.queue.append(script.key, work)
        self._pump(station)
        return await call.done

    def forgive(self, key: str) -> None:
        """Run a parked version again, in whatever convention."""
        for convention in (None, *CONVENTIONS):
            self._strikes.forgive(_full_key(key, convention))

    def evidence(self, key: str, convention: str | None = None) -> Evidence | None:
        """What is held against a version; None where there is nothing."""
        return self._strikes.evidence.get(_full_key(key, convention))

    def is_parked(self, key: str, convention: str | None = None) -> bool:
        """Is the version run no more?"""
        return _full_key(key, convention) in self._strikes.parked

    def is_trusted(self, key: str, convention: str | None = None) -> bool:
        """Can the version be relied on to answer soon? It has before, and has not cost too much since."""
        return self._trust.has(_full_key(key, convention))

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

    @property
    def _annex(self) -> Station:
        return self._stations[-1]

    def _home(self, key: str) -> Station:
        shared = self._stations[:-1]
        if not shared or not self._trust.has(key):
            return self._annex
        station = self._homes.get(key)
        if station is None:
            hosted = Counter(id(home) for home in self._homes.values())
            station = self._homes[key] = min(shared, key=lambda station: hosted[id(station)])
        return station

    def _is_newcomer(self, key: str) -> bool:
        return not self._trust.is_seasoned(key, time.monotonic())

    def _pump(self, station: Station) -> None:
        station.pump()
        if station is not self._annex and len(station.queue) >= _STEAL_FROM:
            for other in self._stations[:-1]:
                other.pump()

    def _steal(self) -> Work | None:
        longest = max(self._stations[:-1], key=lambda station: len(station.queue))
        return longest.queue.take(self._is_newcomer) if len(longest.queue) >= _STEAL_FROM else None

    def _finished(self, work: Work, reply: Reply) -> None:
        offences = 0
        for place, result in enumerate(reply.results or ()):
            if result.error is not None and result.error.reason in ("timeout", "memory"):
                offences += 1
                self._overruns += 1
                why = f"too many of its uplinks failed, the last because {result.error.message}"
                self._strike(work, OVERRUN, place, why)
        if reply.results and not offences:
            cost_us = self._cost_us[work.key] = reply.results[0].duration_us
            if cost_us < _QUICK_US and self._trust.prove(work.key, time.monotonic()):
                self._move(work.key, [self._annex], self._home(work.key))
        work.finish(reply)

    def _again(self, parts: list[Work], end: End | None) -> None:
        """Something among these cost too much together, or a worker: they go on in the annex."""
        key = parts[0].key
        if end is not None and parts[0].requests:
            self._doubt(key)
        self._annex.queue.put_back(key, parts)
        self._annex.pump()

    def _given_up(self, work: Work, end: End) -> None:
        work.fail(_blame(end))
        if work.requests:
            self._strike(work, DEATH, 0, end.text)

    def _strike(self, work: Work, points: int, place: int, why: str) -> None:
        key = work.key
        if key == BUILTIN_CAYENNE_LPP:
            return
        self._doubt(key)
        offence = Offence(why, work.requests[place], time.time_ns() // 1000)
        if self._strikes.add(key, points, time.monotonic(), offence):
            for station in self._stations:
                for waiting in station.queue.take_all(key):
                    waiting.fail(self._parked(key))

    def _doubt(self, key: str) -> None:
        self._trust.doubt(key, time.monotonic())
        for station in self._stations[:-1]:
            station.stand_by()
        self._move(key, self._stations[:-1], self._annex)

    def _move(self, key: str, sources: list[Station], target: Station) -> None:
        """What waits of a version, to where it belongs now."""
        for source in sources:
            if source is not target and (works := source.queue.take_all(key)):
                target.queue.put_back(key, works)
                self._pump(target)

    def _parked(self, key: str) -> Error:
        return Error("parked", f"this version of the codec is not run any more: {self._strikes.parked[key]}")

    def _ended(self, end: End) -> None:
        self._deaths[end.cause] += 1


class _Octets(msgspec.Struct):
    bytes: list[int]
    fPort: int  # noqa: N815 as TS013 spells it


_decode_octets = msgspec.json.Decoder(_Octets).decode


def _full_key(key: str, convention: str | None) -> str:
    """The same source in two conventions is two things to run."""
    return key if convention is None else f"{key}/{convention}"


_REASONS = {"memory": "memory", "stuck": "timeout"}


def _blame(end: End) -> Error:
    return Error(_REASONS.get(end.cause, "worker_died"), end.text)
