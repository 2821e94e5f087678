"""A disk without room: what was accepted is written when there is room again, and a stop ends without."""

import asyncio
import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from lns.config import Exchange as ExchangeConfig
from lns.errors import StoreError
from lns.exchange.sqlite import SqliteExchange
from tests.exchange.build import uplink

FILLED = 200


@pytest.fixture
def small(tmp_path):
    """A file system of 2 MB."""
    if os.geteuid() != 0:
        pytest.skip("a small file system can only be mounted by root")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def filled(folder: Path) -> tuple[SqliteExchange, "asyncio.Task[None]", int]:
    """An exchange whose last records wait for room, and how many were put."""
    exchange = SqliteExchange(folder / "x.db", ExchangeConfig(commit_interval_ms=1), threading.Lock())
    await exchange.open()
    task = asyncio.ensure_future(exchange.run())  # noqa: TID251 - as the server's group would run it
    count = 0
    async with asyncio.timeout(60):
        while exchange.last_error is None:
            for _ in range(FILLED):
                count += 1
                exchange.put("uplink", uplink(count))
            await asyncio.sleep(0.005)
    assert exchange.last_error == "database or disk is full"
    return exchange, task, count


async def test_a_stop_ends_on_a_full_disk_and_says_how_many_records_are_lost(small):
    exchange, task, count = await filled(small)
    waiting = asyncio.ensure_future(exchange.committed())  # noqa: TID251 - somebody waits for the disk
    await asyncio.sleep(0)
    began_s = time.monotonic()
    await exchange.stop(within_s=0.5)
    assert 0.5 <= time.monotonic() - began_s < 5
    assert exchange.lost == count - exchange.head_seq > 0
    await task
    with pytest.raises(StoreError, match="the log cannot be written: database or disk is full"):
        await waiting
    await exchange.close()


async def test_a_stop_loses_nothing_where_there_is_room_in_time(small):
    ballast = small / "ballast"
    ballast.write_bytes(bytes(1_000_000))
    exchange, task, count = await filled(small)
    stopping = asyncio.ensure_future(exchange.stop(within_s=30))  # noqa: TID251 - while it tries
    await asyncio.sleep(0)
    ballast.unlink()
    await stopping
    await task
    assert (exchange.lost, exchange.head_seq, exchange.last_error) == (None, count, None)
    await exchange.close()
