"""Records that cannot be decoded, and a disk that cannot be read."""

import asyncio
import logging
import sqlite3
from contextlib import closing

import msgspec
import pytest

from lns import metrics
from lns.exchange import log
from lns.exchange.log import Damaged
from lns.exchange.loop import run_consumer
from tests.exchange.build import Recorder, running, until, uplink

UPLINK = frozenset({"uplink"})


def spoil(path, first_seq, records):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE exchange_log SET records = ? WHERE first_seq = ?", (records, first_seq))
        connection.commit()


def list_with_one_bad(n, count):
    records = [msgspec.to_builtins(uplink(i), builtin_types=(bytes,)) for i in range(1, count + 1)]
    records[n - 1] = ["nonsense"]
    return msgspec.msgpack.encode(records)


async def filled(path):
    """Five rows of three uplinks: seqs 1 to 15."""
    async with running(path) as exchange:
        for n in range(5):
            await exchange.append([("uplink", uplink(3 * n + i)) for i in range(1, 4)])


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (b"\x00", (4, 6)),  # an integer where a list stood
        (b"", (4, 6)),
        ("text", (4, 6)),
        (None, (4, 6)),
        (msgspec.msgpack.encode([]), (4, 6)),  # fewer than were written
        (msgspec.msgpack.encode([uplink(n) for n in range(9)]), (4, 6)),  # more: their seqs are others'
        (list_with_one_bad(2, 3), (5, 5)),
    ],
)
async def test_a_damaged_row_costs_its_own_records_only(tmp_path, records, expected):
    await filled(tmp_path / "x.db")
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.execute("CREATE TABLE t AS SELECT * FROM exchange_log")
        connection.execute("DROP TABLE exchange_log")
        connection.execute("ALTER TABLE t RENAME TO exchange_log")  # without NOT NULL
        connection.commit()
    spoil(tmp_path / "x.db", 4, records)
    first, last = expected
    left = [seq for seq in range(1, 16) if not first <= seq <= last]
    damaged: list[Damaged] = []
    with closing(log.connect(tmp_path / "x.db")) as connection:
        found, upto = log.read(connection, 0, UPLINK, 100, damaged)
        assert ([s.seq for s in found], upto) == (left, 15)
        assert [(d.topic, d.first_seq, d.last_seq) for d in damaged] == [("uplink", first, last)]
        assert (log.pick(connection, first), log.pick(connection, 7).seq) == (None, 7)
        assert [s.seq for s in log.read_back(connection, 16, "uplink", 100)] == left[::-1]


async def test_a_consumer_passes_a_damaged_record_over_which_is_counted_said_and_kept(tmp_path, caplog):
    await filled(tmp_path / "x.db")
    spoil(tmp_path / "x.db", 4, list_with_one_bad(2, 3))
    counted = metrics.exchange_unreadable.values.get(("uplink",), 0)
    consumers = Recorder("one"), Recorder("two")
    async with running(tmp_path / "x.db") as exchange, asyncio.TaskGroup() as tasks:
        reading = [tasks.create_task(run_consumer(exchange, c), name=c.name) for c in consumers]
        await until(lambda: all(len(c.seen) == 14 for c in consumers))
        (notice,) = (await exchange.status())["notices"]
        assert (notice["kind"], notice["first_seq"], notice["last_seq"]) == ("unreadable", 5, 5)
        for task in reading:
            task.cancel()
    assert consumers[0].seen == consumers[1].seen == [1, 2, 3, 4, *range(6, 16)]
    assert metrics.exchange_unreadable.values[("uplink",)] == counted + 1
    assert len([r for r in caplog.records if r.levelno == logging.ERROR]) == 1
    assert any("uplink records of seq 5 to 5 are passed over: " in message for message in caplog.messages)
    async with running(tmp_path / "x.db") as exchange:  # they are in the log, and it is known
        assert [kind for kind, _ in exchange.notices.alerts()] == ["unreadable"]


async def test_a_file_that_cannot_be_read_is_the_consumers_error_until_it_can(tmp_path):
    path = tmp_path / "x.db"
    await filled(path)
    consumer = Recorder("one")
    async with running(path) as exchange, asyncio.TaskGroup() as tasks:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("ALTER TABLE exchange_log RENAME TO away")
            task = tasks.create_task(run_consumer(exchange, consumer), name="consumer")
            await until(lambda: any(c["last_error"] for c in exchange.status_without_file()["consumers"]))
            status = exchange.status_without_file()["consumers"][0]
            assert (status["state"], status["last_error"]) == (
                "retrying",
                "OperationalError: no such table: exchange_log",
            )
            connection.execute("ALTER TABLE away RENAME TO exchange_log")
        await until(lambda: len(consumer.seen) == 15)
        task.cancel()
    assert consumer.seen == list(range(1, 16))
