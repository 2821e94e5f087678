"""The search by time, with a clock that jumps."""

import sqlite3
from contextlib import closing

import pytest

from lns.exchange import threads
from tests.exchange.build import running, uplink

HOUR_US = 3_600_000_000
T0 = 1_790_000_000_000_000


@pytest.fixture
def clock(monkeypatch):
    """Hours since T0, set by a test."""
    hours = [0.0]
    monkeypatch.setattr(threads, "now_us", lambda: T0 + int(hours[0] * HOUR_US))
    return hours


async def test_the_place_of_a_time_is_found_although_the_clock_was_set_back(tmp_path, clock, caplog):
    async with running(tmp_path / "x.db") as exchange:
        #      seq: 1  2  3  4  5  6  7  8  9 10  11 12 13 14
        for hour in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 5, 6, 7, 8):
            clock[0] = hour
            await exchange.append([("uplink", uplink(hour + 1))])
        found = [await exchange.seq_before(T0 + int(hour * HOUR_US)) for hour in (0.5, 6.5, 8.5, 9.5)]
    assert found == [1, 7, 9, 14]  # what came after the jump is of hour 9, the newest that was known
    assert caplog.messages == ["the clock was set back by 14400.0 s"]


async def test_times_do_not_fall_over_a_restart_and_go_on_when_the_clock_has_caught_up(tmp_path, clock):
    for hour in (3, 2, 2.5, 4):
        clock[0] = hour
        async with running(tmp_path / "x.db") as exchange:
            await exchange.append([("uplink", uplink(1))])
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        found = connection.execute("SELECT (at_us - ?) / ? FROM exchange_log ORDER BY first_seq", (T0, HOUR_US))
        assert [hour for (hour,) in found] == [3, 3, 3, 4]


@pytest.mark.parametrize("jump", [1, -1])
async def test_after_a_jump_of_an_hour_no_record_of_a_time_is_left_out(tmp_path, clock, jump):
    async with running(tmp_path / "x.db") as exchange:
        for n in range(60):
            clock[0] = n / 60 + (jump if n >= 30 else 0)
            await exchange.append([("uplink", uplink(n))])
        for n in range(60):  # what was committed at a time of the clock or later comes after the place that is found
            hour = n / 60 + (jump if n >= 30 else 0)
            assert await exchange.seq_before(T0 + int(hour * HOUR_US)) <= n
