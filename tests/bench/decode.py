"""Decoding speed: the demo sensor's codec in a real pool, four measurements an uplink.

CPU time is what counts, parent and worker together, so that the figure does not depend on how many cores are free.
"""

import hashlib
import statistics
import time
from pathlib import Path
from typing import Any

import uvloop

from decoders.contract import Request
from decoders.pool import Pool
from decoders.sandbox import cpu_s

CODEC = Path(__file__).parents[2] / "codecs" / "inflight" / "demo-sensor" / "codec.js"
REPEATS = 5
SECONDS = 1.0  # of each repeat


def run() -> list[dict[str, Any]]:
    """Rows of the benchmark's table; `spread` is (fastest - slowest) / median of the repeats."""
    return uvloop.run(_run())


async def _run() -> list[dict[str, Any]]:
    rows = []
    for batch in (1, 10, 100, 500):
        pool = Pool(batch=batch)
        await pool.start()
        try:
            await _repeat(pool, 0.3)
            repeats = [await _repeat(pool, SECONDS) for _ in range(REPEATS)]
        finally:
            await pool.close()
        parent_us, worker_us, wall_us = (statistics.median(column) for column in zip(*repeats, strict=True))
        total = [parent + worker for parent, worker, _ in repeats]
        cpu_us = statistics.median(total)
        spread = (max(total) - min(total)) / cpu_us
        name = f"batch{batch}"
        rows += [
            _row(f"decode.per_s_per_core.{name}", 1e6 / cpu_us, "1/s", spread),
            _row(f"decode.worker_per_s_per_core.{name}", 1e6 / worker_us, "1/s", spread),
            _row(f"decode.cpu_us_per_uplink.{name}", cpu_us, "us", spread),
            _row(f"decode.parent_cpu_us_per_uplink.{name}", parent_us, "us", spread),
            _row(f"decode.per_s.{name}", 1e6 / wall_us, "1/s", spread),
        ]
    return rows


def _row(name: str, value: float, unit: str, spread: float) -> dict[str, Any]:
    return {"name": name, "value": round(value, 2), "unit": unit, "spread": round(spread, 3)}


def _uplink(n: int) -> Request:
    payload = bytes((1, n >> 8, n & 255, n % 201, 14, n % 256, 0, 0, n >> 8, n & 255, 0))
    return Request(payload, 10, 1_768_471_200_000_000 + n, f"{n:016x}", n)


async def _repeat(pool: Pool, seconds: float) -> tuple[float, float, float]:
    """CPU us per uplink of this process and of the worker, and wall-clock us."""
    source = CODEC.read_text("utf-8")
    key = hashlib.sha256(source.encode()).hexdigest()
    uplinks = [_uplink(n) for n in range(1000)]
    (pid,) = pool.status().pids
    parent, worker, wall = time.process_time(), cpu_s(pid), time.perf_counter()
    count = 0
    while time.perf_counter() - wall < seconds:
        results = await pool.decode(key, source, uplinks)
        assert all(len(result.samples) == 4 for result in results)
        count += len(results)
    return tuple(
        (now - before) / count * 1e6
        for before, now in ((parent, time.process_time()), (worker, cpu_s(pid)), (wall, time.perf_counter()))
    )  # type: ignore[return-value]


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']:48}{row['value']:>12,.1f} {row['unit']:4} ±{row['spread']:.0%}")
