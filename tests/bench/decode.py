"""Decoding speed: a plain script at several batch sizes, fifty codecs with real uplinks, the first uplink of a version.

CPU time is what counts, this process and its workers together, so that the figures do not depend on how many cores are
free. Each with V8's compiler and without it.
"""

import asyncio
import hashlib
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import uvloop

from decoders import example_files
from decoders.contract import Request
from decoders.pool import Pool
from decoders.sandbox import cpu_s
from tests.bench.figure import Figure, repeated

CODECS = Path(__file__).parents[2] / "codecs"
PLAIN = CODECS / "inflight" / "demo-sensor" / "codec.js"
REPEATS = 5
SECONDS = 1.0  # of each repeat
WARM_UP_S = 0.3
FLEET = 50  # codecs that share a worker
FLEET_UPLINKS = 100  # of each of them in a round
FRESH = 40  # versions that nobody has run before
PAUSE_S = 0.05  # between them
RECEIVED_US = 1_768_471_200_000_000

Round = Callable[[Pool], Awaitable[int]]
"""Decodes some uplinks and tells how many."""


class Cost(NamedTuple):
    """Microseconds for an uplink: CPU time of this process and of the worker, and on the clock."""

    parent: float
    worker: float
    wall: float

    @property
    def cpu(self) -> float:
        """CPU time of both."""
        return self.parent + self.worker


class Codec(NamedTuple):
    """A codec's script and uplinks that devices send."""

    key: str
    source: str
    uplinks: list[Request]


def run() -> list[Figure]:
    """The figures of this part."""
    return uvloop.run(_run())


async def _run() -> list[Figure]:
    figures = []
    costs = {}
    for batch in (1, 10, 100, 500):
        costs[batch] = await _costs(_plain_round, batch)
        figures += _rows(f"batch{batch}", costs[batch])
    ratios = [one.cpu / many.cpu for one, many in zip(costs[1], costs[100], strict=True)]
    figures.append(repeated("decode.batch100_over_one_call_each", "x", ratios))
    figures += _rows("batch100.jitless", await _costs(_plain_round, 100, jitless=True))
    fleet = fleet_of(FLEET)

    async def fleet_round(pool: Pool) -> int:
        results = await asyncio.gather(*(pool.decode(*codec) for codec in fleet))
        return sum(map(len, results))

    figures += _rows("fleet", await _costs(fleet_round, 100))
    figures += _rows("fleet.jitless", await _costs(fleet_round, 100, jitless=True))
    for jitless in (False, True):
        figures += await _fresh(jitless)
    return figures


def fleet_of(count: int) -> list[Codec]:
    """`count` different codecs with the uplinks of their examples; beyond those of the library they are variants."""
    folders = sorted(path.parent for path in CODECS.glob("*/*/codec.js"))
    codecs = []
    for number, folder in enumerate(itertools.islice(itertools.cycle(folders), count)):
        source = (folder / "codec.js").read_text("utf-8") + f"\n// {number}\n"
        examples = example_files.read("examples.json", (folder / "examples.json").read_text("utf-8"))
        inputs = [e.input for e in examples if e.kind == "uplink" and e.expected.errors is None and e.input.payload]
        uplinks = [
            Request(given.payload, given.fport, RECEIVED_US + n, f"{number:08x}{n:08x}", n)
            for n, given in zip(range(FLEET_UPLINKS), itertools.cycle(inputs), strict=False)
        ]
        codecs.append(Codec(hashlib.sha256(source.encode()).hexdigest(), source, uplinks))
    return codecs


async def _plain_round(pool: Pool) -> int:
    results = await pool.decode(_PLAIN.key, _PLAIN.source, _PLAIN.uplinks)
    assert all(len(result.samples) == 4 for result in results)
    return len(results)


def _plain() -> Codec:
    source = PLAIN.read_text("utf-8")
    uplinks = []
    for n in range(1000):
        payload = bytes((1, n >> 8, n & 255, n % 201, 14, n % 256, 0, 0, n >> 8, n & 255, 0))
        uplinks.append(Request(payload, 10, RECEIVED_US + n, f"{n:016x}", n))
    return Codec(hashlib.sha256(source.encode()).hexdigest(), source, uplinks)


_PLAIN = _plain()


async def _costs(work: Round, batch: int, jitless: bool = False) -> list[Cost]:
    async with _pool(batch, jitless) as pool:
        for _ in range(2):  # a version's first batch runs in the annex, its second is the first of its worker
            await work(pool)
        await _cost(pool, work, WARM_UP_S)
        return [await _cost(pool, work, SECONDS) for _ in range(REPEATS)]


async def _cost(pool: Pool, work: Round, seconds: float) -> Cost:
    pids = pool.status().pids
    before = time.process_time(), sum(map(cpu_s, pids)), time.perf_counter()
    count = 0
    while time.perf_counter() - before[2] < seconds:
        count += await work(pool)
    after = time.process_time(), sum(map(cpu_s, pids)), time.perf_counter()
    return Cost(*((now - then) / count * 1e6 for then, now in zip(before, after, strict=True)))


async def _fresh(jitless: bool) -> list[Figure]:
    """Milliseconds on the clock until a version that the pool has never seen has decoded its first uplink."""
    took_ms = []
    async with _pool(100, jitless) as pool:
        for codec in fleet_of(FRESH):
            began = time.perf_counter()
            (result,) = await pool.decode(codec.key, codec.source, codec.uplinks[:1])
            took_ms.append((time.perf_counter() - began) * 1000)
            assert result.error is None
            await asyncio.sleep(PAUSE_S)
    name = "decode.first_uplink_ms" + (".jitless" if jitless else "")
    return [Figure(name, round(median(took_ms), 1), "ms", round(min(took_ms), 1), round(max(took_ms), 1))]


def _rows(name: str, costs: list[Cost]) -> list[Figure]:
    return [
        repeated(f"decode.per_s_per_core.{name}", "1/s", [1e6 / cost.cpu for cost in costs], 0),
        repeated(f"decode.worker_per_s_per_core.{name}", "1/s", [1e6 / cost.worker for cost in costs], 0),
        repeated(f"decode.cpu_us_per_uplink.{name}", "us", [cost.cpu for cost in costs], 2),
        repeated(f"decode.parent_cpu_us_per_uplink.{name}", "us", [cost.parent for cost in costs], 2),
        repeated(f"decode.per_s.{name}", "1/s", [1e6 / cost.wall for cost in costs], 0),
    ]


@asynccontextmanager
async def _pool(batch: int, jitless: bool) -> AsyncIterator[Pool]:
    pool = Pool(batch=batch, jitless=jitless)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.close()


if __name__ == "__main__":
    for figure in run():
        print(f"{figure.name:52}{figure.value:>12,.1f} {figure.unit:4} {figure.low:>12,.1f} {figure.high:>12,.1f}")
