import asyncio
import sqlite3
import threading

import pytest

from lns.config import Exchange as ExchangeConfig
from lns.exchange.loop import run_consumer
from lns.exchange.records import Event
from lns.exchange.sqlite import SqliteExchange
from tests.exchange.build import Recorder, running, until, uplink

UPLINK = frozenset({"uplink"})


async def test_appended_records_are_on_the_disk_with_gapless_seqs_when_append_returns(tmp_path):
    path = tmp_path / "x.db"
    async with running(path) as exchange:
        assert await exchange.append([("uplink", uplink(1)), ("uplink", uplink(2))]) == 2
        other = sqlite3.connect(path)
        assert other.execute("SELECT first_seq, last_seq, topic FROM exchange_log").fetchall() == [(1, 2, "uplink")]
        other.close()
        found, upto = await exchange.read(0, UPLINK, 10)
        assert ([s.seq for s in found], [s.record for s in found], upto) == ([1, 2], [uplink(1), uplink(2)], 2)


async def test_records_read_from_the_file_equal_those_from_memory(tmp_path):
    records = [("uplink", uplink(n)) for n in range(1, 30)]
    async with running(tmp_path / "x.db") as exchange:
        held = exchange.cursor("holds-memory", UPLINK, 0)
        await exchange.append(records)
        from_memory = exchange.from_memory(3, UPLINK, 10)
        exchange.detach(held)
        await exchange.append([("uplink", uplink(30))])
        assert exchange.from_memory(3, UPLINK, 10) is None
        assert await exchange.read(3, UPLINK, 10) == from_memory


async def test_the_head_survives_a_restart_and_an_emptied_log(tmp_path):
    config = ExchangeConfig(commit_interval_ms=1, retention_days=0)
    async with running(tmp_path / "x.db", config) as exchange:
        await exchange.append([("uplink", uplink(n)) for n in range(5)])
        exchange.cursor("done", UPLINK, 5)
        assert await exchange.expire(2**60) == 1
        assert (await exchange.status())["first_seq"] is None
    async with running(tmp_path / "x.db") as exchange:
        assert exchange.head_seq == 5
        assert await exchange.append([("uplink", uplink(9))]) == 6


class Counting:
    """A participant with one number to store."""

    def __init__(self):
        self.value, self.broken = None, False

    def take(self):
        value, self.value = self.value, None
        if value is None:
            return None

        def write(connection):
            connection.execute("CREATE TABLE IF NOT EXISTS number (n INTEGER)")
            if self.broken:
                raise sqlite3.OperationalError("database or disk is full")
            connection.execute("INSERT INTO number VALUES (?)", (value,))

        return write


async def test_a_participant_writes_in_the_same_transaction_and_a_failing_disk_loses_nothing(tmp_path):
    path = tmp_path / "x.db"
    async with running(path) as exchange:
        number = Counting()
        exchange.enlist(number)
        number.value, number.broken = 7, True
        exchange.put("uplink", uplink(1))
        await until(lambda: exchange.last_error is not None)
        other = sqlite3.connect(path)
        assert other.execute("SELECT count(*) FROM exchange_log").fetchone() == (0,)
        number.broken = False
        assert await exchange.committed() == 1
        assert other.execute("SELECT n FROM number").fetchall() == [(7,)]
        assert other.execute("SELECT count(*) FROM exchange_log").fetchone() == (1,)
        assert exchange.last_error is None
        other.close()


async def test_a_consumer_sees_its_topics_in_order_and_its_position_survives(tmp_path):
    event = Event(b"e", "join", 1, 1, 1, "00" * 8, None, {})
    consumer = Recorder("one")
    async with running(tmp_path / "x.db") as exchange, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(run_consumer(exchange, consumer), name="consumer")
        await exchange.append([("uplink", uplink(n)) for n in range(20)] + [("event", event)])
        await until(lambda: len(consumer.seen) == 20)
        await exchange.append([("event", event)])
        cursor_lag = lambda: [c["lag"] for c in exchange_status["consumers"]]  # noqa: E731
        exchange_status = await exchange.status()
        while cursor_lag() != [0]:
            exchange_status = await exchange.status()
        task.cancel()
    assert consumer.seen == list(range(1, 21))
    again = Recorder("one")
    async with running(tmp_path / "x.db") as exchange, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(run_consumer(exchange, again), name="consumer")
        await exchange.append([("uplink", uplink(99))])
        await until(lambda: again.seen)
        task.cancel()
    assert again.seen == [23]


async def test_a_consumer_that_is_down_lags_and_catches_up_while_another_goes_on(tmp_path):
    down, up = Recorder("down"), Recorder("up")
    down.fail = True
    config = ExchangeConfig(commit_interval_ms=1, memory_records=10)
    async with running(tmp_path / "x.db", config) as exchange, asyncio.TaskGroup() as tasks:
        running_tasks = [tasks.create_task(run_consumer(exchange, c), name=c.name) for c in (down, up)]
        for n in range(50):
            await exchange.append([("uplink", uplink(n))])
        await until(lambda: len(up.seen) == 50 and down.failures)
        states = {c["name"]: (c["lag"], c["state"], c["last_error"]) for c in (await exchange.status())["consumers"]}
        assert states == {"down": (50, "retrying", "OSError: the store is away"), "up": (0, "running", None)}
        down.fail = False
        await until(lambda: len(down.seen) == 50)
        for task in running_tasks:
            task.cancel()
    assert down.seen == up.seen == list(range(1, 51))


async def test_pick_finds_one_record(tmp_path):
    async with running(tmp_path / "x.db") as exchange:
        await exchange.append([("uplink", uplink(n)) for n in range(1, 6)])
        stored = await exchange.pick(3)
        assert stored is not None
        assert (stored.seq, stored.record) == (3, uplink(3))
        assert await exchange.pick(9) is None


async def test_a_damaged_file_is_refused_at_open(tmp_path):
    path = tmp_path / "x.db"
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        async with running(path):
            pass


async def test_when_another_part_fails_what_was_put_is_still_written_and_the_stop_does_not_hang(tmp_path):
    exchange = SqliteExchange(tmp_path / "x.db", ExchangeConfig(commit_interval_ms=60_000), threading.Lock())
    await exchange.open()
    with pytest.raises(ExceptionGroup, match="unhandled errors"):
        await _run_until_another_fails(exchange)
    assert exchange.head_seq == 2
    await exchange.close()


async def _run_until_another_fails(exchange):
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(exchange.run())
        await exchange.append([("uplink", uplink(1))])
        exchange.put("uplink", uplink(2))
        tasks.create_task(_fails())
        try:
            await asyncio.Event().wait()
        finally:
            await exchange.stop()


async def _fails():
    raise ValueError("a bug elsewhere")
