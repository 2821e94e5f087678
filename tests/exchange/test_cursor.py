import asyncio
import time

import pytest

from lns.config import Exchange as ExchangeConfig
from lns.errors import StoreError
from lns.exchange.loop import run_consumer, until_done
from tests.exchange.build import running, uplink

UPLINK, EVENT = frozenset({"uplink"}), frozenset({"event"})


async def test_a_cursor_waits_for_records_of_its_topics_and_passes_the_others(tmp_path):
    async with running(tmp_path / "x.db") as exchange:
        events, uplinks = exchange.cursor("events", EVENT, 0), exchange.cursor("uplinks", UPLINK, 0)
        await exchange.append([("uplink", uplink(n)) for n in range(1, 4)])
        found, upto = await uplinks.next(2)
        assert ([s.seq for s in found], upto) == ([1, 2], 2)
        uplinks.advance(upto, 2)
        assert (uplinks.position, uplinks.lag, uplinks.applied) == (2, 1, 2)
        waiting = asyncio.ensure_future(events.next(1))  # noqa: TID251
        while events.lag:
            await asyncio.sleep(0)
        assert (events.position, events.applied, waiting.done()) == (3, 0, False)
        waiting.cancel()


async def test_advance_never_goes_back(tmp_path):
    async with running(tmp_path / "x.db") as exchange:
        await exchange.append([("uplink", uplink(n)) for n in range(1, 4)])
        cursor = exchange.cursor("c", UPLINK, 3)
        cursor.advance(1, 0)
        assert cursor.position == 3


async def test_failure_and_recovery_are_told(tmp_path):
    async with running(tmp_path / "x.db") as exchange:
        cursor = exchange.cursor("c", UPLINK, 0)
        cursor.failed("OSError: away")
        status = cursor.status()
        assert (status["state"], status["last_error"], status["last_error_at_us"] > 0) == (
            "retrying",
            "OSError: away",
            True,
        )
        cursor.recovered()
        assert (cursor.status()["state"], cursor.status()["last_error"]) == ("running", "OSError: away")


class Away:
    """A consumer whose store cannot tell its position before it is back."""

    name, topics, max_batch = "series.away", UPLINK, 10

    def __init__(self) -> None:
        self.back, self.asked, self.seen = asyncio.Event(), asyncio.Event(), list[int]()

    async def position(self) -> int:
        self.asked.set()
        if not self.back.is_set():
            raise OSError("connection refused")
        return 2

    async def handle(self, batch):
        self.seen += [stored.seq for stored in batch]


async def test_a_consumer_that_is_away_at_the_start_is_seen_to_lag_and_the_log_keeps_what_it_needs(tmp_path):
    async with running(tmp_path / "x.db", ExchangeConfig(commit_interval_ms=1, retention_days=0)) as exchange:
        await exchange.append([("uplink", uplink(n)) for n in range(1, 6)])
        exchange.note_position(Away.name, 2)
        consumer = Away()
        task = asyncio.ensure_future(run_consumer(exchange, consumer))  # noqa: TID251
        await consumer.asked.wait()
        while exchange.lag(consumer.name) == 0 or (await exchange.status())["consumers"][0]["last_error"] is None:
            await asyncio.sleep(0)
        status = (await exchange.status())["consumers"][0]
        assert (status["name"], status["lag"], status["state"]) == ("series.away", 3, "retrying")
        assert status["last_error"] == "OSError: connection refused"
        assert await exchange.expire(time.time_ns() // 1000 + 1) == 0
        await exchange.caught_up(without_failing=True)
        consumer.back.set()
        await exchange.caught_up()
        assert consumer.seen == [3, 4, 5]
        task.cancel()


@pytest.mark.parametrize(
    ("error", "level", "traced"),
    [
        (StoreError("the store is away"), "WARNING", False),
        (StoreError("the store is away"), "DEBUG", True),
        (KeyError("unexpected"), "WARNING", True),
    ],
)
async def test_a_store_that_is_away_is_a_sentence_and_what_nobody_expects_a_traceback(
    tmp_path, caplog, error, level, traced
):
    errors = [error, error]

    async def work():
        if errors:
            raise errors.pop()

    async with running(tmp_path / "x.db") as exchange:
        with caplog.at_level("DEBUG", logger="lns.exchange.loop"):
            await until_done(exchange.cursor("c", UPLINK, 0), work)
    found = [record for record in caplog.records if record.name == "lns.exchange.loop" and record.levelname == level]
    assert [bool(record.exc_info) for record in found] == [traced]
