"""The series store: CPU per row from `decoded` records to the commit, beside an idle and a busy thread; reads."""

import asyncio
import random
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from lns.exchange.records import Decoded, Measurement, Stored
from lns.series.consumer import SeriesConsumer
from lns.series.sqlite import SqliteSeries
from lns.series.store import Rows
from tests.bench.figure import Figure, repeated

T0 = time.time_ns() // 1000 - 60_000_000  # rows on time: those of days that are over cost more
DEVICES = 2000
ROWS = 300_000  # per figure, after as many to give the tree some depth
REPEATS = 5
FIELDS = (("temperature", "C"), ("humidity", "%"), ("battery", "V"), ("open", None))


class Busy(threading.Thread):
    """A thread that computes until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._stop_asked = threading.Event()

    def run(self) -> None:
        while not self._stop_asked.is_set():
            sum(i * i for i in range(1000))

    def stop(self) -> None:
        self._stop_asked.set()
        self.join()


class Log:
    """An endless log of uplinks with four measurements each, devices in no order."""

    def __init__(self) -> None:
        self._seqs = count(1)
        self._random = random.Random(1)

    def batch(self, records: int) -> list[Stored]:
        """The next records."""
        return [self._record(seq) for seq, _ in zip(self._seqs, range(records), strict=False)]

    def _record(self, seq: int) -> Stored:
        at = T0 + seq * 125
        values = (self._random.random() * 40, self._random.random() * 100, 3.6, seq % 2 == 0)
        measurements = tuple(
            Measurement(field, at, value, unit) for (field, unit), value in zip(FIELDS, values, strict=True)
        )
        device_id = self._random.randrange(DEVICES)
        return Stored(seq, "decoded", Decoded(b"", seq, device_id, 1, "", seq, 2, at, 1, b"", measurements))


@asynccontextmanager
async def opened() -> AsyncIterator[SqliteSeries]:
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteSeries(Path(folder) / "series.db")
        await store.open()
        try:
            yield store
        finally:
            await store.close()


async def write_figures(rows: int, busy: bool) -> list[Figure]:
    """Rate of batches of `rows` rows, and their CPU where no other thread takes any."""
    log = Log()
    async with opened() as store:
        consumer = SeriesConsumer(store)
        for _ in range(ROWS // 20_000):
            await consumer.handle(log.batch(20_000 // len(FIELDS)))
        other = Busy()
        if busy:
            other.start()
        rounds = max(1, ROWS // REPEATS // rows)
        took = [await timed(consumer, log, rows, rounds) for _ in range(REPEATS)]
        if busy:
            other.stop()
    rate = [rounds * rows / wall for wall, _ in took]
    if busy:
        return [repeated(f"series.rows_per_s.batch{rows}.busy", "1/s", rate, 0)]
    cpu_us = [cpu / (rounds * rows) * 1e6 for _, cpu in took]
    return [
        repeated(f"series.rows_per_s.batch{rows}", "1/s", rate, 0),
        repeated(f"series.cpu_us_per_row.batch{rows}", "us", cpu_us, 2),
    ]


async def timed(consumer: SeriesConsumer, log: Log, rows: int, rounds: int) -> tuple[float, float]:
    """Seconds of wall and of CPU of `rounds` batches, without the making of the batches."""
    wall = cpu = 0.0
    for _ in range(rounds):
        batch = log.batch(rows // len(FIELDS))
        wall_before, cpu_before = time.perf_counter(), time.process_time()
        await consumer.handle(batch)
        wall += time.perf_counter() - wall_before
        cpu += time.process_time() - cpu_before
    return wall, cpu


async def loop_delay_figures() -> list[Figure]:
    """How late a timer fires while batches of 2,000 rows are written without a pause, checkpoints included."""
    log, late_ms = Log(), []
    batches = [log.batch(500) for _ in range(100)]
    async with opened() as store, asyncio.TaskGroup() as tasks:
        consumer = SeriesConsumer(store)

        async def write() -> None:
            for batch in batches:
                await consumer.handle(batch)

        writing = tasks.create_task(write())
        while not writing.done():
            due = time.perf_counter() + 0.001
            await asyncio.sleep(0.001)
            late_ms.append((time.perf_counter() - due) * 1000)
    late_ms.sort()
    return [
        Figure("series.loop_late_p99_ms", round(late_ms[int(len(late_ms) * 0.99)], 2), "ms"),
        Figure("series.loop_late_max_ms", round(late_ms[-1], 2), "ms"),
    ]


async def read_figures() -> list[Figure]:
    """A device with a year of one field at ten minutes, and seven other fields as long."""
    points, step_us = 52_560, 600_000_000
    start = time.time_ns() // 1000 - points * step_us
    async with opened() as store:
        for field in range(8):
            times = [start + i * step_us for i in range(points)]
            values = [float(i % 97) for i in range(points)]
            columns = ([1] * points, [f"f{field}"] * points, times, values, [None] * points, [1] * points)
            await store.write(Rows(*columns), None)
        await store.roll_up()
        end = start + points * step_us
        reads = {
            "series.read_latest_ms": lambda: store.latest(1),
            "series.read_range_1000_ms": lambda: store.range(1, "f3", start, end, 1000),
            "series.read_year_by_day_ms": lambda: store.buckets(1, "f3", start, end, 86_400_000_000),
            "series.read_year_by_hour_ms": lambda: store.buckets(1, "f3", start, end, 3_600_000_000),
        }
        figures: list[Figure] = []
        for name, read in reads.items():
            await read()
            took_ms = []
            for _ in range(REPEATS):
                before = time.perf_counter()
                await read()
                took_ms.append((time.perf_counter() - before) * 1000)
            figures.append(repeated(name, "ms", took_ms, 2))
    return figures


def run() -> list[Figure]:
    """All figures of the store."""
    figures: list[Figure] = []
    for rows in (200, 1000, 5000, 20_000):
        figures += asyncio.run(write_figures(rows, busy=False))
    for rows in (1000, 5000):
        figures += asyncio.run(write_figures(rows, busy=True))
    return figures + asyncio.run(loop_delay_figures()) + asyncio.run(read_figures())
