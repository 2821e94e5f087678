"""kill -9 in the middle of a replay: it goes on, and the end is that of a run that nothing has stopped."""

import asyncio
import os
import random
import shutil
import signal
import sys
from pathlib import Path

import msgspec
import pytest

from tests.decoding.build import one, scene

UPLINKS = 900
KILLS = 6
NEXT = """
var stateVersion = 1;
function decodeUplink(i) {
  i.state.n = (i.state.n || 0) + 1;
  if (i.bytes[0] % 50 === 7) throw new Error('no');
  return {data: {total: i.bytes[0] / 10, sum: i.bytes[0], text: 'y', n: i.state.n}};
}
"""
RULES = {
    "sum": {"deadband_abs": 3.0, "heartbeat_s": 1800},
    "total": {"deadband_abs": 2.0, "heartbeat_s": 1200},
    "text": {"heartbeat_s": 0},
}

WORKER = """
import asyncio, sys
from pathlib import Path
import lns.decoding.replay as replay
from lns.decoding.jobs import Spec
from tests.decoding.build import scene

replay.PAGE, replay.WAIT_S = 20, 0.01

async def main():
    async with scene(Path(sys.argv[1])) as s:
        jobs = s.replays.jobs()
        job = jobs[0] if jobs else await s.replays.start(Spec(codec="good", max_per_s=1500.0))
        finished = asyncio.create_task(s.replays.finished(job.id))
        while not finished.done():
            print(job.report.uplinks, flush=True)
            await asyncio.sleep(0.005)
        print("done", flush=True)

asyncio.run(main())
"""


async def filled(folder: Path) -> None:
    async with scene(folder, rules=RULES) as s:
        for start in range(1, UPLINKS + 1, 300):
            await s.put(*(one(n, data=bytes([n * 7 % 256])) for n in range(start, min(start + 300, UPLINKS + 1))))
        await s.decoded(UPLINKS)
        await s.rows()
        await s.use("good", NEXT)


async def run(folder: Path, kill_after: int | None) -> bool:
    """Work on the job in a process of its own, killed after so many signs of progress; tells whether it has ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, str(folder), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    seen: set[bytes] = set()
    ended = False
    while line := await process.stdout.readline():
        ended = ended or line == b"done\n"
        seen.add(line)
        if kill_after is not None and len(seen) > kill_after:
            os.kill(process.pid, signal.SIGKILL)
            break
    await process.stdout.read()
    await process.wait()
    return ended


@pytest.mark.kill
async def test_a_replay_survives_kill_9(tmp_path):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    killed.mkdir()
    await filled(killed)
    shutil.copytree(killed, whole)
    assert await run(whole, None)
    chance, ended = random.Random(4), False
    kills = [chance.randrange(1, 12) for _ in range(KILLS)]
    for kill_after in kills:
        assert not ended
        ended = await run(killed, kill_after)
    assert ended or await run(killed, None)

    found = []
    for folder in (killed, whole):
        async with scene(folder) as s:
            (job,) = s.replays.jobs()
            assert job.state == "done"
            found.append((await s.rows(), job.report))
            again = await s.replay(codec="good")
            assert (again.report.corrected, again.report.uplinks) == (0, UPLINKS)
            assert await s.rows() == found[-1][0]
    (rows, report), (expected_rows, expected_report) = found
    assert msgspec.to_builtins(report) == msgspec.to_builtins(expected_report)
    assert rows == expected_rows
    assert report.uplinks == UPLINKS
    assert report.corrected > UPLINKS / 10
