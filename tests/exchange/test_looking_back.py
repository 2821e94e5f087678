"""Reading the log from its end, and by time; old records."""

import sqlite3
from contextlib import closing

import msgspec
import pytest

from lns.exchange import log
from lns.exchange.records import Decoded, Stored
from tests.exchange.build import running, uplink
from tests.outlets.samples import decoded


@pytest.fixture
async def exchange(tmp_path):
    """Uplinks and decoded records in turn, three to a commit: 1 2 | 3, 4 5 | 6, 7 8 | 9."""
    async with running(tmp_path / "x.db") as opened:
        for n in (1, 4, 7):
            await opened.append([("uplink", uplink(n)), ("uplink", uplink(n + 1)), ("decoded", decoded(n))])
        yield opened


@pytest.mark.parametrize(
    ("before", "limit", "expected"),
    [(10, 10, [8, 7, 5, 4, 2, 1]), (8, 2, [7, 5]), (5, 1, [4]), (6, 10, [5, 4, 2, 1]), (1, 5, []), (99, 0, [])],
)
async def test_the_newest_records_of_a_topic_come_first(exchange, before, limit, expected):
    assert [stored.seq for stored in await exchange.read_back(before, "uplink", limit)] == expected
    (newest,) = await exchange.read_back(10, "decoded", 1)
    assert newest == Stored(9, "decoded", decoded(7))


async def test_the_place_of_a_time_is_found_by_the_times_of_commits(tmp_path, exchange):
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.execute("UPDATE exchange_log SET at_us = first_seq / 3 * 3 + 100")  # 100 | 103, 103 | 106, 106 | 109
        connection.commit()
        assert [log.seq_before(connection, at_us) for at_us in (0, 100, 101, 103, 104, 107, 110)] == [
            0,
            0,
            2,
            2,
            5,
            8,
            9,
        ]
    assert await exchange.seq_before(2**62) == 9


async def test_lag_counts_what_a_consumer_has_not_read(exchange):
    cursor = exchange.cursor("decoder", frozenset({"uplink"}), 4)
    assert (exchange.lag("decoder"), exchange.lag("nobody")) == (5, 0)
    cursor.advance(9, 0)
    assert exchange.lag("decoder") == 0


def test_a_record_from_before_replays_is_read_as_no_replay():
    old = msgspec.msgpack.encode(msgspec.to_builtins(decoded(1), builtin_types=(bytes,))[:-1])
    assert msgspec.msgpack.decode(old, type=Decoded) == decoded(1)
