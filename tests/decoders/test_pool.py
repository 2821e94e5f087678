"""Hostile scripts and dying workers against a real pool: every uplink gets a result, and neighbours get theirs."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable

import pytest

from decoders.contract import DecoderError, Result
from decoders.pool import Pool
from tests.decoders.conftest import key_of, request, running

DECODE = "function decodeUplink(input) { var n = input.bytes[0]; if (n === 66) { %s } return {data: {n: n}}; }"
DEADLY = "for (;;) JSON.stringify('x'.repeat(5e8));"  # single allocations that no limit of V8's stops
SIBLING = "function Decoder(bytes) { return {sibling: bytes[0]}; }"
BAD = b"\x42"  # 66

HOSTILE = {
    "endless loop in finally": ("try { while (true) {} } catch (e) {} finally { while (true) {} }", {"timeout"}),
    "exponential regex": ("/^(a+)+$/.test('a'.repeat(40) + '!');", {"timeout"}),
    "recursion": ("(function f() { f(); })();", {"exception"}),
    "deep parse": ("JSON.stringify(JSON.parse('['.repeat(1e5) + ']'.repeat(1e5)));", {"decoded", "exception"}),
    "toString chain": ("var o = {}; o.toString = function () { return '' + o; }; '' + o;", {"exception"}),
    "bigint": ("var a = 3n; for (;;) a = a ** 3n;", {"timeout", "exception", "memory"}),
    "sort": ("for (;;) new Array(1e6).fill(0).map(Math.sin).sort();", {"timeout", "memory"}),
    "normalize": (
        "'\\u1E9B\\u0323'.repeat(5e7).normalize('NFKC');",
        {"timeout", "memory", "worker_died", "exception"},
    ),
    "promise loop": ("(function f() { Promise.resolve().then(f); })();", {"timeout"}),
    "async loop": ("eval('(async function () { for (;;) await 0; })()');", {"timeout"}),
    "array growth": ("var a = []; for (;;) a.push({x: [1, 2, 3]});", {"memory", "timeout"}),
    "closure growth": (
        "var f = null; for (;;) f = (function (g) { return function () { return g; }; })(f);",
        {"memory", "timeout"},
    ),
    "map growth": ("var m = new Map(); for (var i = 0;; i++) m.set(i, {});", {"memory", "timeout"}),
    "one huge array": ("new Array(2 ** 27).fill(1.5);", {"memory", "timeout", "worker_died"}),
    "huge strings": ("var s = 'x'; for (;;) s = s + s + s;", {"exception", "memory", "timeout"}),
    "touched array buffers": (
        "var a = []; for (;;) { var b = new Uint8Array(1e7); b.fill(1); a.push(b); }",
        {"timeout", "exception", "memory", "worker_died"},
    ),
    "huge error": ("throw new Error('x'.repeat(5e8));", {"exception", "memory", "timeout", "worker_died"}),
    "huge result": (
        "return {data: {s: 'x'.repeat(5e8)}};",
        {"too_large", "bad_result", "memory", "timeout", "worker_died"},
    ),
    "endless toString of what is thrown": ("throw {toString: function () { while (true) {} }};", {"timeout"}),
}


def rows(results: list[Result]) -> list[object]:
    """Each result as its data, or the reason of its failure."""
    return [result.error.reason if result.error else json.loads(result.data_json) for result in results]


async def until(condition: Callable[[], bool], deadline_s: float = 20.0) -> None:
    """Wait for something the pool does by itself."""
    async with asyncio.timeout(deadline_s):
        while not condition():
            await asyncio.sleep(0)


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_script_costs_its_own_row_only(name: str) -> None:
    body, reasons = HOSTILE[name]
    source = DECODE % body
    async with running() as pool:
        hostile, sibling = await asyncio.gather(
            pool.decode(key_of(source), source, [request(b"\x01"), request(BAD), request(b"\x02")]),
            pool.decode(key_of(SIBLING), SIBLING, [request(bytes([n])) for n in range(1, 9)]),
        )
        first, bad, last = rows(hostile)
        assert (first, last) == ({"n": 1}, {"n": 2})
        assert (bad if isinstance(bad, str) else "decoded") in reasons, hostile[1].error
        assert rows(sibling) == [{"sibling": n} for n in range(1, 9)]
        assert rows(await pool.decode(key_of(source), source, [request(b"\x03")])) == [{"n": 3}]
        assert pool.status().parked == {}


async def test_a_new_worker_is_there_within_a_second() -> None:
    async with running(workers=0) as pool:
        (pid,) = pool.status().pids
        os.kill(pid, signal.SIGKILL)
        started = time.monotonic()
        assert rows(await pool.decode(key_of(SIBLING), SIBLING, [request()])) == [{"sibling": 1}]
        assert time.monotonic() - started < 5  # a second on a machine of its own
        assert pool.status().deaths == {"killed": 1}
        assert pool.status().pids != (pid,)


async def test_one_payload_out_of_time_costs_one_row_of_a_batch() -> None:
    source = DECODE % "while (true) {}"
    payloads = [bytes([n]) for n in range(1, 101)]
    async with running() as pool:
        results = await pool.decode(key_of(source), source, [request(payload) for payload in payloads])
        assert rows(results) == [{"n": n} if n != 66 else "timeout" for n in range(1, 101)]
        assert pool.status().deaths == {}
        assert pool.status().overruns == 1


async def test_one_payload_that_kills_costs_one_row_of_a_batch_and_one_strike() -> None:
    source = DECODE % DEADLY
    async with running(timeout_ms=5000) as pool:
        results, sibling = await asyncio.gather(
            pool.decode(key_of(source), source, [request(bytes([n])) for n in range(1, 101)]),
            pool.decode(key_of(SIBLING), SIBLING, [request(bytes([n])) for n in range(1, 101)]),
        )
        assert rows(results) == [{"n": n} if n != 66 else "memory" for n in range(1, 101)]
        assert pool.status().deaths == {"memory": 2}
        assert rows(sibling) == [{"sibling": n} for n in range(1, 101)]
        assert pool.status().parked == {}


async def test_three_strikes_park_a_version_and_forgiving_runs_it_again() -> None:
    source = DECODE % DEADLY
    key = key_of(source)
    async with running(timeout_ms=5000) as pool:
        results = await pool.decode(key, source, [request(BAD)] * 5)
        assert rows(results) == ["memory"] * 3 + ["parked"] * 2
        assert list(pool.status().parked) == [key]
        assert rows(await pool.decode(key, source, [request(b"\x01")])) == ["parked"]
        assert rows(await pool.decode(key_of(SIBLING), SIBLING, [request()])) == [{"sibling": 1}]
        pool.forgive(key)
        assert rows(await pool.decode(key, source, [request(b"\x01")])) == [{"n": 1}]


async def test_a_killed_worker_loses_nothing_and_blames_nobody() -> None:
    slow = "function Decoder(bytes) { for (var i = 0, x = 0; i < 3e5; i++) x += i; return {n: bytes[0], x: x}; }"
    expected = [{"n": n, "x": 44999850000} for n in range(1, 201)]
    async with running(workers=2, batch=20) as pool:
        work = asyncio.gather(
            pool.decode(key_of(slow), slow, [request(bytes([n])) for n in range(1, 201)]),
            pool.decode(key_of(SIBLING), SIBLING, [request(bytes([n])) for n in range(1, 201)]),
        )
        for kills in range(1, 4):
            await until(lambda: work.done() or (len(pool.status().pids) == 2 and pool.status().in_work > 0))
            os.kill(pool.status().pids[kills % 2], signal.SIGKILL)
            await until(lambda kills=kills: pool.status().deaths.get("killed", 0) >= kills)
        results, sibling = await work
        assert rows(results) == expected
        assert rows(sibling) == [{"sibling": n} for n in range(1, 201)]
        assert pool.status().deaths == {"killed": 3}
        assert pool.status().parked == {}


async def test_stop_signals_are_left_to_the_server() -> None:
    async with running(workers=0) as pool:
        (pid,) = pool.status().pids
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGINT)
        assert rows(await pool.decode(key_of(SIBLING), SIBLING, [request()])) == [{"sibling": 1}]
        assert pool.status().pids == (pid,)


async def test_an_idle_worker_that_dies_is_replaced() -> None:
    async with running(workers=0) as pool:
        (pid,) = pool.status().pids
        os.kill(pid, signal.SIGKILL)
        await until(lambda: pool.status().pids not in ((), (pid,)))
        assert rows(await pool.decode(key_of(SIBLING), SIBLING, [request()])) == [{"sibling": 1}]


async def test_work_for_one_version_spreads_over_idle_workers() -> None:
    slow = "function Decoder(bytes) { for (var i = 0, x = 0; i < 1e6; i++) x += i; return {n: bytes[0]}; }"
    async with running(workers=2, batch=5) as pool, asyncio.TaskGroup() as group:
        call = group.create_task(pool.decode(key_of(slow), slow, [request(bytes([n])) for n in range(1, 101)]))
        await until(lambda: pool.status().in_work > 2)
        assert rows(await call) == [{"n": n} for n in range(1, 101)]


async def test_a_slow_version_does_not_hold_up_the_others() -> None:
    slow = DECODE % "while (true) {}"
    async with running(batch=1) as pool, asyncio.TaskGroup() as group:
        call = group.create_task(pool.decode(key_of(slow), slow, [request(BAD)] * 20))
        sibling = await pool.decode(key_of(SIBLING), SIBLING, [request(), request()])
        assert rows(sibling) == [{"sibling": 1}] * 2
        assert not call.done()
        assert rows(await call) == ["timeout"] * 20


async def test_a_script_that_kills_while_it_loads_is_reported_by_check() -> None:
    source = DEADLY + " function Decoder() {}"
    async with running() as pool:
        problem = (await pool.check(source)).problem
        assert problem is not None
        assert problem.reason == "memory"
        assert (await pool.check(SIBLING)).convention == "ttn2"


async def test_closing_ends_a_running_script_and_the_calls_that_wait() -> None:
    source = DECODE % "while (true) {}"
    descriptors = len(os.listdir("/proc/self/fd"))
    pool = Pool(workers=0, timeout_ms=60_000)
    await pool.start()
    (pid,) = pool.status().pids
    async with asyncio.TaskGroup() as group:
        call = group.create_task(pool.decode(key_of(source), source, [request(BAD)]))
        await until(lambda: pool.status().in_work == 1)
        started = time.monotonic()
        await pool.close()
        assert time.monotonic() - started < 2
    assert call.cancelled()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert len(os.listdir("/proc/self/fd")) == descriptors


async def test_a_worker_that_cannot_be_started_again_is_tried_until_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    for broken in ("/bin/false", "/nowhere/python"):
        async with running() as pool:
            with monkeypatch.context() as patch:
                patch.setattr("sys.executable", broken)
                os.kill(pool.status().pids[0], signal.SIGKILL)
                async with asyncio.TaskGroup() as group:
                    call = group.create_task(pool.decode(key_of(SIBLING), SIBLING, [request()]))
                    await until(lambda pool=pool: pool.status().deaths.get("killed") == 1 and not pool.status().in_work)
                    patch.undo()
                    assert rows(await call) == [{"sibling": 1}]


async def test_a_script_that_tampers_with_the_prelude_harms_itself_only() -> None:
    source = "Array.prototype.toJSON = function () { return 1; };" + DECODE % "" + "console.log = null;"
    source = source.replace("return {", "return {warnings: ['w'], ")
    async with running() as pool:
        assert rows(await pool.decode(key_of(source), source, [request(BAD), request(b"\x01")])) == [
            {"n": 66},
            {"n": 1},
        ]
        assert rows(await pool.decode(key_of(SIBLING), SIBLING, [request()])) == [{"sibling": 1}]


async def test_a_pool_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    pool = Pool(workers=2)
    with pytest.raises(DecoderError, match="decoder worker did not start: the worker ended with exit status 1"):
        await pool.start()
    assert pool.status().pids == ()


async def test_the_memory_of_one_version_is_not_taken_from_another() -> None:
    hoard = "var kept = []; function Decoder(bytes) { kept.push(new ArrayBuffer(1e8)); return {n: bytes[0]}; }"
    hoard = hoard.replace("var kept", "globalThis.kept").replace("kept.push", "globalThis.kept.push")
    needs = "function Decoder(bytes) { return {n: new Uint8Array(1e8).length}; }"
    async with running() as pool:
        for n in range(1, 13):
            await pool.decode(key_of(hoard), hoard, [request(bytes([n]))])
            assert rows(await pool.decode(key_of(needs), needs, [request()])) == [{"n": 1e8}]
        assert pool.status().deaths == {}


async def test_without_compiler_the_results_are_the_same() -> None:
    async with running(jitless=True) as pool:
        assert rows(await pool.decode(key_of(SIBLING), SIBLING, [request()])) == [{"sibling": 1}]
