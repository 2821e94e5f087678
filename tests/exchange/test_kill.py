"""kill -9 of a process that appends: what was acknowledged is there, once, and no position runs ahead."""

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from lns.exchange import log

ROUNDS = 10

WRITER = """
import asyncio, sys
from pathlib import Path
from tests.exchange.build import Recorder, running, uplink
from lns.exchange.loop import run_consumer

async def main():
    async with running(Path(sys.argv[1])) as exchange, asyncio.TaskGroup() as tasks:
        tasks.create_task(run_consumer(exchange, Recorder("reader")))
        n = exchange.head_seq
        while True:
            batch = [("uplink", uplink(n + i)) for i in range(1, 9)]
            n = await exchange.append(batch)
            print(n, flush=True)

asyncio.run(main())
"""


@pytest.mark.kill
async def test_acknowledged_records_survive_kill_9(tmp_path):
    path, chance, acknowledged = tmp_path / "x.db", random.Random(1), 0
    for _ in range(ROUNDS):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(path), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        assert process.stdout is not None
        for _ in range(chance.randrange(1, 60)):
            acknowledged = int(await process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        rest = (await process.stdout.read()).split()
        await process.wait()
        acknowledged = max(acknowledged, *(int(line) for line in rest), 0) if rest else acknowledged
        _check(path, acknowledged)


def _check(path: Path, acknowledged: int) -> None:
    connection = log.connect(path)
    head = log.head_seq(connection)
    found, upto = log.read(connection, 0, frozenset({"uplink"}), 10_000_000)
    assert head >= acknowledged
    assert [stored.seq for stored in found] == list(range(1, head + 1))
    assert [stored.record.fcnt_up for stored in found] == list(range(1, head + 1))
    assert upto == head
    assert all(seq <= head for seq in log.positions(connection).values())
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
