"""What limits remember is on the disk with what was stored, and only of devices that have limits."""

import sqlite3
from contextlib import closing

from decoders.limits import Kept, Moments
from lns.decoding.limit_table import LimitTable
from tests.exchange.build import running


def rows(path):
    with closing(sqlite3.connect(path)) as connection:
        return [device_id for (device_id,) in connection.execute("SELECT device_id FROM device_limits ORDER BY 1")]


async def test_what_was_kept_is_found_after_a_restart(tmp_path):
    table = LimitTable()
    async with running(tmp_path / "x.db") as exchange:
        exchange.enlist(table)
        assert table.load(exchange.path) is table.limits
        table.limits.note(1, "t", 5)
        table.limits.note(2, "t", 6)
        await exchange.committed()
        table.limits.note(1, "t", 7)
        table.limits.note(2, "t", 6)  # no news
        assert table.limits.changed == {1}
        await exchange.committed()
        assert table.take() is None
        again = LimitTable()
        limits = again.load(exchange.path)
    assert limits is again.limits
    assert limits.of(1) == Kept({"t": Moments([5, 7], {0: 2})}, {0: 2})
    assert limits.of(2) == Kept({"t": Moments([6], {0: 1})}, {0: 1})
    assert again.take() is None


async def test_a_device_that_is_gone_when_the_commit_comes_is_not_written(tmp_path):
    table = LimitTable()
    async with running(tmp_path / "x.db") as exchange:
        exchange.enlist(table)
        table.limits.note(1, "t", 5)
        table.limits.note(2, "t", 5)
        table.limits.forget(1)
        await exchange.committed()
        assert rows(exchange.path) == [2]
