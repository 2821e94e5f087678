"""The archive of a log that was restored from a backup: the numbers of its uplinks are not given to others."""

import sqlite3
from contextlib import closing

import pytest

pytest.importorskip("pyarrow", reason="no Parquet: pip install inflight-lns[archive]")

from lns.archive.storage import Folder
from lns.archive.verify import verify
from tests.archive.test_consumer import archived, archiving, error_told
from tests.exchange.build import running, until
from tests.exchange.test_lives import backup, put, restore


async def restored(folder):
    """A log that was copied at seq 20, went on to 60 with its archive, and was put back."""
    storage, path = Folder(folder / "archive"), folder / "x.db"
    async with running(path) as exchange:
        await put(exchange, 1, 20)
    backup(path, folder / "copy.db")
    async with running(path) as exchange:
        await put(exchange, 21, 60)
        async with archiving(exchange, storage, uplinks=10, age_s=0.05):
            await exchange.caught_up()
    restore(folder / "copy.db", path)
    return storage, path


async def test_after_a_restore_new_uplinks_are_archived_after_those_of_the_other_life(tmp_path):
    storage, path = await restored(tmp_path)
    async with running(path) as exchange, archiving(exchange, storage, uplinks=10, age_s=0.05):
        await exchange.positions_told(["archive"], 10)
        assert await put(exchange, 101, 160) == 120
        await exchange.caught_up()
    assert [one.record.fcnt_up for one in await archived(storage)] == [*range(1, 61), *range(101, 161)]
    assert (await verify(storage)).is_whole


async def test_an_archive_that_was_away_is_left_alone_where_its_numbers_were_given_to_other_uplinks(tmp_path):
    storage, path = await restored(tmp_path)
    for first in (101, 151):  # two starts without the archive
        async with running(path) as exchange:
            await put(exchange, first, first + 29)
    async with running(path) as exchange, archiving(exchange, storage, uplinks=10, age_s=0.05):
        assert await error_told(exchange) == (
            "StoreError: the archive goes to seq 60 without the log's uplink 60: it is of another log, or "
            "was away when the log was restored; name another folder, bucket or prefix"
        )
        assert exchange.lag("archive") == exchange.head_seq == 80  # the log keeps all of it
    async with running(path) as exchange:
        async with archiving(exchange, Folder(tmp_path / "new"), uplinks=10, age_s=0.05):
            await exchange.caught_up()
    new = [one.record.fcnt_up for one in await archived(Folder(tmp_path / "new"))]
    assert new == [*range(1, 21), *range(101, 131), *range(151, 181)]
    assert len(await archived(storage)) == 60


async def test_a_log_that_cannot_be_read_is_the_archives_error_until_it_can(tmp_path):
    async with running(tmp_path / "x.db") as exchange:
        await put(exchange, 1, 20)
    storage = Folder(tmp_path / "archive")
    async with running(tmp_path / "x.db") as exchange:
        with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
            connection.execute("ALTER TABLE exchange_log RENAME TO away")
            async with archiving(exchange, storage, uplinks=10, age_s=0.05):
                await until(lambda: any(c["last_error"] for c in exchange.status_without_file()["consumers"]))
                status = exchange.status_without_file("no such table")
                assert (status["consumers"][0]["name"], status["last_error"]) == ("archive", "no such table")
                connection.execute("ALTER TABLE away RENAME TO exchange_log")
                await exchange.caught_up()
    assert len(await archived(storage)) == 20


async def test_a_damaged_row_is_passed_over_by_the_archive(tmp_path):
    async with running(tmp_path / "x.db") as exchange:
        await put(exchange, 1, 20)
        await put(exchange, 21, 25)
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.execute("UPDATE exchange_log SET records = x'00' WHERE first_seq = 1")
        connection.commit()
    storage = Folder(tmp_path / "archive")
    async with running(tmp_path / "x.db") as exchange, archiving(exchange, storage, uplinks=10, age_s=0.05):
        await exchange.caught_up()
        assert [(n["first_seq"], n["last_seq"]) for n in (await exchange.status())["notices"]] == [(1, 20)]
    assert [one.seq for one in await archived(storage)] == [21, 22, 23, 24, 25]
