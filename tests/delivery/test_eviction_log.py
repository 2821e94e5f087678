import asyncio
import logging

import pytest

from lns import metrics
from lns.delivery.eviction_log import EvictionLog
from lns.delivery.machine import State

FULL = "the delivery log is full, forgotten before their days were over: "


@pytest.fixture
def said(caplog):
    metrics.outlet_evicted.values.clear()
    caplog.set_level(logging.WARNING, "lns.delivery.eviction_log")
    return lambda: [record.getMessage().removeprefix(FULL) for record in caplog.records]


async def test_the_first_is_said_at_once_and_the_rest_together_in_the_end(said):
    log = EvictionLog()
    log.add({("1/a#7", State.DEAD): 2})
    for _ in range(3):
        log.add({("1/a#7", State.DEAD): 2, ("1/b#8", State.DELIVERED): 1})
    assert said() == ["2 dead (1/a#7 2)"]
    log.close()
    assert said() == ["2 dead (1/a#7 2)", "3 delivered (1/b#8 3), 6 dead (1/a#7 6)"]
    log.close()
    assert len(said()) == 2
    assert metrics.outlet_evicted.values == {("1/a", "dead"): 8, ("1/b", "delivered"): 3}


async def test_what_comes_within_a_time_is_said_when_it_is_over(said):
    log = EvictionLog(every_s=0.05)
    log.add({("x", State.DROPPED): 1})
    log.add({("x", State.DROPPED): 4})
    async with asyncio.timeout(10):
        while len(said()) < 2:
            await asyncio.sleep(0.005)
    assert said() == ["1 dropped (x 1)", "4 dropped (x 4)"]
    log.close()
    assert len(said()) == 2


async def test_the_outlets_that_have_lost_most_are_named(said):
    log = EvictionLog()
    log.add({(f"{n}", State.DEAD): n for n in range(1, 6)})
    assert said() == ["15 dead (5 5, 4 4, 3 3, 2 more)"]
    log.close()
