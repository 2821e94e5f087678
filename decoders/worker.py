"""The worker process: reads jobs from its standard input, decodes them, writes replies to its standard output.

It works on one job at a time and waits for the next by reading, for between jobs nothing happens in it. It answers
whatever a script does to it, or dies; what then becomes of the job is the pool's decision.
"""

import asyncio
import gc
import os
import signal
import time
from collections.abc import Callable

import msgspec

from decoders import cayenne, engine, sandbox
from decoders.contract import BUILTIN_CAYENNE_LPP, CheckReport, Error, Request, Result
from decoders.conventions import lint, locate
from decoders.normalise import flatten
from decoders.wire import LENGTH, READY, Job, Reply, Setup, batch_cpu_s, decode_job, decode_setup, frame

HEADROOM_BYTES = 640 * 1024 * 1024  # private memory a worker may take beyond what V8 takes at its start
EVICT_BYTES = 400 * 1024 * 1024  # above this the realm that took most is dropped

_GC_THRESHOLD = 50_000  # a batch makes thousands of objects and no cycles: the usual 700 costs a tenth of the time
_WARM_UP_MS = 20


class _Row(msgspec.Struct, array_like=True, gc=False):
    """One uplink's row from prelude/run.js."""

    data: msgspec.Raw
    warnings: list[str]
    fault: tuple[str, str, str] | None  # reason, message, stack
    logs: list[str]


_encode_json = msgspec.json.Encoder().encode
_decode_json = msgspec.json.Decoder().decode
_decode_rows = msgspec.json.Decoder(list[_Row]).decode


class _Codec:
    """A codec version's script, its realm while it has one, and why it cannot be loaded, if so."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.realm: engine.Realm | None = None
        self.problem: Error | None = None
        self.taken_bytes = 0  # growth of the process while this codec ran

    def close(self) -> None:
        if self.realm is not None:
            self.realm.close()
        self.realm = None
        self.taken_bytes = 0


class Worker:
    """Codecs by key, and the work on one job."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._memory_bytes = setup.memory_mb * 1024 * 1024
        self._codecs: dict[str, _Codec] = {}
        self._first_data_bytes = sandbox.data_bytes()

    async def work(self, job: Job) -> Reply:
        """Do one job."""
        for key in job.drop:
            if dropped := self._codecs.pop(key, None):
                dropped.close()
        if not job.requests:
            return Reply(job.number, report=await self._check(job.source or ""))
        if job.key == BUILTIN_CAYENNE_LPP:
            return Reply(job.number, [_decode_cayenne(request) for request in job.requests])
        if job.source is not None:
            self._codecs[job.key] = _Codec(job.source)
        codec = self._codecs[job.key]
        before = sandbox.data_bytes()
        try:
            return Reply(job.number, await self._decode(codec, job.requests))
        finally:
            self._make_room(codec, before)

    async def _check(self, source: str) -> CheckReport:
        problem = lint(source)
        if problem is not None:
            return CheckReport(problem=problem)
        realm = engine.Realm(self._memory_bytes)
        try:
            return await realm.load(source)
        except engine.ScriptError as failure:
            return CheckReport(problem=failure.error)
        finally:
            realm.close()

    async def _decode(self, codec: _Codec, requests: list[Request]) -> list[Result] | None:
        """Results, or None where the batch failed as a whole and one of its uplinks alone may be the cause."""
        realm = await self._realm(codec)
        if realm is None:
            return [Result(error=codec.problem)] * len(requests)
        started = time.perf_counter()
        batch = _encode_json(
            [(r.payload.hex(), r.fport, r.recv_time_us // 1000, r.dev_eui, r.fcnt, r.variables) for r in requests]
        )
        try:
            text = await realm.run(batch.decode(), batch_cpu_s(self._setup.timeout_ms, len(requests)))
        except engine.ScriptError as failure:
            codec.close()
            return [Result(error=failure.error)] if len(requests) == 1 else None
        duration_us = round((time.perf_counter() - started) * 1e6 / len(requests))
        return _results(text, len(requests), duration_us)

    async def _realm(self, codec: _Codec) -> engine.Realm | None:
        if codec.realm is None and codec.problem is None:
            codec.realm = engine.Realm(self._memory_bytes)
            try:
                await codec.realm.load(codec.source)
            except engine.ScriptError as failure:
                codec.problem = failure.error
                codec.close()
        return codec.realm

    def _make_room(self, codec: _Codec, before: int) -> None:
        """Drop the realm that took most when memory gets short, so that no codec runs into another's growth."""
        data = sandbox.data_bytes()
        codec.taken_bytes += data - before
        while data - self._first_data_bytes > EVICT_BYTES:
            loaded = [candidate for candidate in self._codecs.values() if candidate.realm is not None]
            if not loaded:
                return
            max(loaded, key=lambda candidate: candidate.taken_bytes).close()
            data = sandbox.data_bytes()


def _results(text: str, count: int, duration_us: int) -> list[Result]:
    try:
        rows = _decode_rows(text)
        if len(rows) != count:
            raise msgspec.ValidationError(f"{len(rows)} rows for {count} uplinks")
        return [_result(row, duration_us) for row in rows]
    except msgspec.DecodeError as failure:  # only a script that tampers with the prelude gets here
        return [Result(error=Error("bad_result", f"the decoder's answer is damaged: {failure}"))] * count


def _result(row: _Row, duration_us: int) -> Result:
    data = bytes(row.data)
    if row.fault is not None:
        reason, message, stack = row.fault
        data = b"" if data == b"null" else data
        return Result(data, [], row.warnings, Error(reason, message, *locate(stack)), row.logs, duration_us)
    if data[:1] not in (b"{", b"["):
        if data == b"null" and row.warnings:
            return Result(b"", [], row.warnings, None, row.logs, duration_us)
        shown = "nothing" if data == b"null" else data[:40].decode("utf-8", "replace")
        error = Error("bad_result", f"the decoder returned {shown}, not an object")
        return Result(b"", [], row.warnings, error, row.logs, duration_us)
    samples, warnings = flatten(_decode_json(data))
    return Result(data, samples, row.warnings + warnings if warnings else row.warnings, None, row.logs, duration_us)


def _decode_cayenne(request: Request) -> Result:
    started = time.perf_counter()
    try:
        data = cayenne.decode(request.payload)
    except cayenne.CayenneError as failure:
        return Result(error=Error("bad_result", str(failure)))
    samples, warnings = flatten(data)
    duration_us = round((time.perf_counter() - started) * 1e6)
    return Result(_encode_json(data), samples, warnings, None, [], duration_us)


async def _serve(read: Callable[[], bytes], write: Callable[[bytes], None]) -> None:
    setup = decode_setup(read())
    engine.start(jitless=setup.jitless)
    await _warm_up(Worker(Setup(_WARM_UP_MS, setup.memory_mb, setup.jitless)))
    sandbox.confine(HEADROOM_BYTES)
    worker = Worker(setup)
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
    write(frame(READY))
    while message := read():
        write(frame(await worker.work(decode_job(message))))


async def _warm_up(worker: Worker) -> None:
    """Run every part once, so that nothing has to be read from disk when the rights to do so are gone."""
    source = "function decodeUplink(input) { if (input.fPort === 2) for (;;) {} return {data: {fPort: input.fPort}}; }"
    requests = [Request(b"\x00", fport, 0, "", 0) for fport in (1, 2)]
    for number, request in enumerate(requests):
        await worker.work(Job(number, "warm-up", source, [], [request]))
    await worker.work(Job(2, "warm-up", None, ["warm-up"], []))


def main() -> None:
    """Serve the pipe until it is closed. A stop signal to the whole service leaves the decision to the server."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    replies = os.dup(1)
    os.dup2(2, 1)  # what V8 prints is no reply

    def read_exactly(count: int) -> bytes:
        received = bytearray()
        while len(received) < count:
            part = os.read(0, count - len(received))
            if not part:
                return b""
            received += part
        return bytes(received)

    def read() -> bytes:
        header = read_exactly(LENGTH.size)
        return read_exactly(LENGTH.unpack(header)[0]) if header else b""

    def write(data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(replies, rest) :]

    asyncio.run(_serve(read, write))


if __name__ == "__main__":
    main()
