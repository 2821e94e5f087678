"""The worker process: reads jobs from its standard input, decodes them, writes replies to its standard output.

It works on one job at a time and waits for the next by reading, for between jobs nothing happens in it. It answers
whatever a script does to it, or dies; what then becomes of the job is the pool's decision.
"""

import gc
import os
import select
import signal
import time
from collections.abc import Callable

import msgspec

from decoders import cayenne, engine, sandbox
from decoders.contract import BUILTIN_CAYENNE_LPP, CheckReport, Error, Request, Result
from decoders.conventions import lint, locate, wants
from decoders.normalise import flatten, with_normalized
from decoders.wire import (
    LENGTH,
    READY,
    Job,
    Order,
    Reply,
    Setup,
    batch_cpu_s,
    decode_order,
    decode_requests,
    decode_setup,
    frame,
)

HEADROOM_BYTES = 640 * 1024 * 1024  # private memory a worker may take beyond what V8 takes at its start
EVICT_BYTES = 400 * 1024 * 1024  # above this the realm that took most is dropped

_GC_THRESHOLD = 50_000  # a batch makes thousands of objects and no cycles: the usual 700 costs a tenth of the time
_WARM_UP_MS = 20
_IDLE_S = 0.002  # without a job: time to prepare for the next script


class _Row(msgspec.Struct, array_like=True, gc=False):
    """One uplink's row from prelude/run.js."""

    data: msgspec.Raw
    warnings: list[str]
    fault: tuple[str, str, str] | None  # reason, message, stack
    logs: list[str]
    state: str | None
    normalized: msgspec.Raw


_encode_json = msgspec.json.Encoder().encode
_decode_json = msgspec.json.Decoder().decode
_decode_rows = msgspec.json.Decoder(list[_Row]).decode


class _Codec:
    """A codec version's script, its realm while it has one, and why it cannot be loaded, if so."""

    def __init__(self, source: str, convention: str | None) -> None:
        self.script = engine.prepared(source, convention)
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
        self._spare: engine.Realm | None = None

    @property
    def can_prepare(self) -> bool:
        """Is there something to do while nothing is asked for?"""
        return self._spare is None

    def prepare(self) -> None:
        """Make a realm for the next script: that is half of the time until its first uplink is decoded."""
        self._spare = engine.Realm(self._memory_bytes)
        self._spare.tidy()

    def work(self, job: Order) -> Reply:
        """Do one job."""
        for key in job.drop:
            if dropped := self._codecs.pop(key, None):
                dropped.close()
        if job.work == "check":
            return Reply(job.number, report=self._check(job.source or "", job.convention))
        if job.key == BUILTIN_CAYENNE_LPP:
            return Reply(job.number, [_decode_cayenne(request) for request in decode_requests(job.requests)])
        if job.source is not None:
            self._codecs[job.key] = _Codec(job.source, job.convention)
        codec = self._codecs[job.key]
        before = sandbox.data_bytes()
        try:
            return Reply(job.number, self._decode(codec, job))
        finally:
            self._make_room(codec, before)

    def _check(self, source: str, convention: str | None) -> CheckReport:
        problem = lint(source)
        if problem is not None:
            return CheckReport(problem=problem)
        realm = self._empty_realm()
        try:
            report = realm.load(engine.prepared(source, convention))
            return msgspec.structs.replace(report, wants=wants(source, report.convention))
        except engine.ScriptError as failure:
            return CheckReport(problem=failure.error)
        finally:
            realm.close()

    def _decode(self, codec: _Codec, job: Order) -> list[Result] | None:
        """Results, or None where the batch failed as a whole and one of its uplinks alone may be the cause."""
        batch = memoryview(job.requests)
        count = _count(batch)
        realm = self._realm(codec)
        if realm is None:
            return [Result(error=codec.problem)] * count
        if realm.is_spent_by_a_run and count > 1:
            return None
        try:
            text = realm.run(job.work, batch, batch_cpu_s(self._setup.timeout_ms, count))
        except engine.ScriptError as failure:
            codec.close()
            return [Result(error=failure.error)] if count == 1 else None
        used_bytes = realm.used_bytes() if job.measure else 0
        if realm.is_spent_by_a_run:
            codec.close()
        return _results(text, count, round(realm.cpu_s * 1e6 / count), used_bytes)

    def _realm(self, codec: _Codec) -> engine.Realm | None:
        if codec.realm is None and codec.problem is None:
            codec.realm = self._empty_realm()
            try:
                codec.realm.load(codec.script)
            except engine.ScriptError as failure:
                codec.problem = failure.error
                codec.close()
        return codec.realm

    def _empty_realm(self) -> engine.Realm:
        realm, self._spare = self._spare, None
        return realm or engine.Realm(self._memory_bytes)

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


def _count(batch: memoryview) -> int:
    """How many requests a MessagePack array has."""
    kind = batch[0]
    if kind == 0xDC:
        return int.from_bytes(batch[1:3], "big")
    return int.from_bytes(batch[1:5], "big") if kind == 0xDD else kind & 15


def _results(text: str, count: int, duration_us: int, used_bytes: int) -> list[Result]:
    try:
        rows = _decode_rows(text)
        if len(rows) != count:
            raise msgspec.ValidationError(f"{len(rows)} rows for {count} uplinks")
        return [_result(row, duration_us, used_bytes) for row in rows]
    except msgspec.DecodeError as failure:  # only a script that tampers with the prelude gets here
        return [Result(error=Error("bad_result", f"the decoder's answer is damaged: {failure}"))] * count


def _result(row: _Row, duration_us: int, used_bytes: int) -> Result:
    data = bytes(row.data)
    if row.fault is not None:
        reason, message, stack = row.fault
        data = b"" if data == b"null" else data
        error = Error(reason, message, *locate(stack))
        return Result(data, [], row.warnings, error, row.logs, duration_us, None, used_bytes)
    if data[:1] not in (b"{", b"["):
        if data == b"null" and row.warnings:
            return Result(b"", [], row.warnings, None, row.logs, duration_us, row.state, used_bytes)
        shown = "nothing" if data == b"null" else data[:40].decode("utf-8", "replace")
        error = Error("bad_result", f"the decoder returned {shown}, not an object")
        return Result(b"", [], row.warnings, error, row.logs, duration_us, None, used_bytes)
    samples, warnings = flatten(_decode_json(data))
    normalized = bytes(row.normalized)
    if normalized == b"null":
        normalized = b""
    else:
        samples = with_normalized(samples, _decode_json(normalized))
    if warnings:
        warnings = row.warnings + warnings
    return Result(
        data, samples, warnings or row.warnings, None, row.logs, duration_us, row.state, used_bytes, normalized
    )


def _decode_cayenne(request: Request) -> Result:
    started = time.perf_counter()
    try:
        data = cayenne.decode(request.payload)
    except cayenne.CayenneError as failure:
        return Result(error=Error("bad_result", str(failure)))
    samples, warnings = flatten(data)
    duration_us = round((time.perf_counter() - started) * 1e6)
    return Result(_encode_json(data), samples, warnings, None, [], duration_us)


def _serve(read: Callable[[], bytes], write: Callable[[bytes], None], is_idle: Callable[[], bool]) -> None:
    setup = decode_setup(read())
    engine.start(jitless=setup.jitless)
    _warm_up(Worker(Setup(_WARM_UP_MS, setup.memory_mb, setup.jitless)))
    sandbox.confine(HEADROOM_BYTES)
    worker = Worker(setup)
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
    worker.prepare()
    write(frame(READY))
    while message := read():
        write(frame(worker.work(decode_order(message))))
        if worker.can_prepare and is_idle():
            worker.prepare()


def _warm_up(worker: Worker) -> None:
    """Run every part once, so that nothing has to be read from disk when the rights to do so are gone."""
    source = "function decodeUplink(input) { if (input.fPort === 2) for (;;) {} return {data: {fPort: input.fPort}}; }"
    requests = [Request(b"\x00", fport, 0, "", 0) for fport in (1, 2)]
    for number, request in enumerate(requests):
        worker.work(_order(Job(number, "uplink", "warm-up", None, source, [], [request], measure=True)))
    worker.work(_order(Job(2, "check", "", None, source, ["warm-up"], [])))


def _order(job: Job) -> Order:
    return decode_order(msgspec.msgpack.encode(job))


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

    def is_idle() -> bool:
        return not select.select([0], [], [], _IDLE_S)[0]

    _serve(read, write, is_idle)


if __name__ == "__main__":
    main()
