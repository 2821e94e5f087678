"""How fast rows are stored, beside a bare binary COPY of the same rows into a table of the same shape and key.

`python -m tests.series.postgres.rate [rows]` prints rows/s of both, taken in turns on one server, and their ratio; with
each the CPU of the server's process and of ours, which other work on the machine does not change as much.
"""

import asyncio
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import psycopg

from lns.clock import DAY_US
from lns.exchange.records import Value
from lns.series.postgres.copying import encode
from lns.series.postgres.store import PostgresSeries
from lns.series.store import Rows
from tests.postgres import Postgres, config
from tests.series.build import T0

REPEATS = 5
BATCH = 8000  # of 2000 uplinks, as the consumer hands them over
FIELDS = (("temperature", "C"), ("humidity", "%"), ("battery", "V"), ("open", None))
COLUMNS = "device_id, field_id, time, seq, number, flag, label, unit_id"
BARE = """
CREATE TABLE bare (
    device_id integer NOT NULL, field_id integer NOT NULL, time timestamptz NOT NULL, seq bigint NOT NULL,
    number double precision, unit_id integer, flag boolean, label text, PRIMARY KEY (device_id, field_id, time)
)
"""


def batch(number: int) -> Rows:
    """Uplinks of four measurements each, devices in no order."""
    chance, rows = random.Random(number), Rows()
    for seq in range(number * BATCH // 4, (number + 1) * BATCH // 4):
        device_id = chance.randrange(2000)
        values: tuple[Value, ...] = (chance.random() * 40, chance.random() * 100, 3.6, seq % 2 == 0)
        for (field, unit), value in zip(FIELDS, values, strict=True):
            rows.device_ids.append(device_id)
            rows.fields.append(field)
            rows.times_us.append(T0 + seq * 125)
            rows.values.append(value)
            rows.units.append(unit)
            rows.seqs.append(seq + 1)
    return rows


def cpu_s(pid: int) -> float:
    """CPU that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def timed(pid: int, call: Callable[[], Awaitable[None]]) -> tuple[float, float, float]:
    """Seconds, of the server's CPU, of ours."""
    server, ours, began = cpu_s(pid), time.process_time(), time.perf_counter()
    await call()
    return time.perf_counter() - began, cpu_s(pid) - server, time.process_time() - ours


async def measure(server: Postgres, count: int) -> None:
    """Print what was measured."""
    batches = [batch(number) for number in range(count // BATCH)]
    names = {name: number for number, (name, _) in enumerate(FIELDS, 1)}
    units = {"C": 1, "%": 2, "V": 3}
    ready = [b"".join(encode(b, [names[f] for f in b.fields], [units.get(u or "") for u in b.units])) for b in batches]
    settings = config(server.dsn)
    store = PostgresSeries(settings, lambda: T0 + DAY_US)
    await store.open()
    beside = psycopg.connect(server.dsn, autocommit=True)
    beside.execute(BARE)

    async def copy() -> None:
        for octets in ready:
            with beside.cursor().copy(f"COPY bare ({COLUMNS}) FROM STDIN (FORMAT BINARY)") as copying:
                copying.write(octets)

    async def write() -> None:
        for rows in batches:
            await store.write(rows, rows.seqs[-1])

    await write()
    [(writer,)] = beside.execute(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'inflight' AND query NOT LIKE '%setup%' LIMIT 1"
    ).fetchall()
    found: dict[str, list[tuple[float, float, float]]] = {"copy": [], "write": []}
    for _ in range(REPEATS):
        for name, table, pid, call in (
            ("copy", "bare", beside.info.backend_pid, copy),
            ("write", f"{settings.schema}.measurement", writer, write),
        ):
            beside.execute(f"TRUNCATE {table}")
            beside.execute("CHECKPOINT")
            found[name].append(await timed(pid, call))
    for name, times in found.items():
        wall, theirs, ours = (median(column) for column in zip(*times, strict=True))
        print(f"{name:6} {count / wall:9,.0f} rows/s; CPU {theirs / count * 1e9:5.0f} ns/row of the server's, "
              f"{ours / count * 1e9:5.0f} of ours")  # fmt: skip
    pairs = zip(found["copy"], found["write"], strict=True)
    print(f"ratio  {median(bare[0] / full[0] for bare, full in pairs):.2f}")
    beside.close()
    await store.close()


if __name__ == "__main__":
    with Postgres() as running:
        rows_asked = int(sys.argv[1]) if len(sys.argv) > 1 else 240_000
        asyncio.run(measure(running, rows_asked // BATCH * BATCH))
