"""The loop of these tests: time passes where nothing happens, and nowhere else."""

import asyncio
import time

import pytest

from tests.network.virtual_time import MOST_TURNS, START_S, START_US, VirtualTimeLoop, clocks


async def test_a_year_passes_in_an_instant():
    before = time.monotonic()
    await asyncio.sleep(365 * 86_400)
    assert asyncio.get_running_loop().time() == START_S + 365 * 86_400
    assert clocks(asyncio.get_running_loop()).utc_us() == START_US + 365 * 86_400_000_000
    assert time.monotonic() - before < 5


async def test_timers_fire_in_the_order_of_their_times():
    fired: list[float] = []
    loop = asyncio.get_running_loop()
    for delay_s in (3.0, 0.5, 20.0):
        loop.call_later(delay_s, fired.append, delay_s)
    await asyncio.sleep(30)
    assert fired == [0.5, 3.0, 20.0]


async def test_work_in_threads_takes_no_time():
    started = asyncio.get_running_loop().time()
    async with asyncio.timeout(0.001):
        await asyncio.to_thread(time.sleep, 0.05)
    assert asyncio.get_running_loop().time() == started


async def test_a_time_that_stands_still_is_noticed():
    def spin() -> None:
        loop.call_soon(spin)

    loop = VirtualTimeLoop()
    loop.call_soon(spin)
    try:
        with pytest.raises(RuntimeError, match=f"time stands still: {MOST_TURNS} turns of the loop at 1000.0 s"):
            await asyncio.to_thread(loop.run_forever)
    finally:
        loop.close()
