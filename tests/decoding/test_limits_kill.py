"""kill -9 while limited uplinks are decoded: what is stored is what it would be if nothing had been killed."""

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from lns.exchange.records import Decoded
from tests.decoding.build import one, scene

UPLINKS = 250
KILLS = 3
RULES = {
    "sum": {"on_change": False, "min_interval_s": 400},
    "text": {"on_change": False, "max_per_hour": 7},
}

WORKER = """
import asyncio, sys
from pathlib import Path
from lns.decoding.consumer import Decoding
from tests.decoding.build import scene

Decoding.max_batch = 2

async def main():
    async with scene(Path(sys.argv[1])) as s:
        lag = None
        while lag != 0:
            print(s.exchange.head_seq, flush=True)
            await s.exchange.committed()
            consumers = (await s.exchange.status())["consumers"]
            lag = next((one["lag"] for one in consumers if one["name"] == "decoder"), None)
        await s.exchange.committed()
        print("done", flush=True)

asyncio.run(main())
"""


async def run(folder: Path, kill_after: int | None) -> bool:
    """Decode in a process of its own, killed after so many commits; tells whether it has read everything."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, str(folder), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    seen: set[bytes] = set()
    while (line := await process.stdout.readline()) not in (b"", b"done\n"):
        seen.add(line)
        if kill_after is not None and len(seen) > kill_after:
            os.kill(process.pid, signal.SIGKILL)
            break
    await process.stdout.read()
    await process.wait()
    return line == b"done\n"


async def filled(folder: Path) -> None:
    """A log with uplinks that nobody has decoded; the rules are those of the template from the first start on."""
    folder.mkdir()
    async with scene(folder, rules=RULES) as s:
        for task in asyncio.all_tasks():
            if task.get_name() == "decoder":
                task.cancel()
        await asyncio.sleep(0)
        await s.put(*(one(n, data=bytes([n * 7 % 256])) for n in range(1, UPLINKS + 1)))


async def stored(folder: Path) -> dict[int, tuple[str, ...]]:
    """Fields that were kept, by uplink; an uplink that was decoded twice has to have come out the same."""
    found: dict[int, tuple[str, ...]] = {}
    async with scene(folder) as s:
        for one_of in (await s.exchange.read(0, frozenset({"decoded"}), 10_000))[0]:
            assert isinstance(one_of.record, Decoded)
            fields = tuple(m.field for m in one_of.record.measurements)
            assert found.setdefault(one_of.record.fcnt_up, fields) == fields
    return found


@pytest.mark.kill
async def test_limits_survive_kill_9(tmp_path):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    await filled(killed)
    await filled(whole)
    assert await run(whole, None)
    chance, kills = random.Random(7), 0
    while kills < KILLS and not await run(killed, chance.randint(2, 12)):
        kills += 1
    assert kills > 1, "the process was not killed in the middle"
    assert await run(killed, None)
    expected = await stored(whole)
    assert len(expected) == UPLINKS
    assert await stored(killed) == expected
    assert sum("sum" in fields for fields in expected.values()) == -(-UPLINKS // 7)  # every 7th minute
