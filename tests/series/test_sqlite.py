"""Opening, closing and the plain sentences of what goes wrong."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from lns.errors import StoreError
from lns.series.sqlite import SqliteSeries
from lns.series.store import WriteResult
from tests.series.build import DEVICE, T0, Clock, row, rows, run_sql, running

CLOCK = Clock()


async def refusal(path: Path) -> str:
    """What opening `path` as a store fails with."""
    with pytest.raises(StoreError) as caught:
        await SqliteSeries(path, CLOCK).open()
    return str(caught.value)


async def test_a_file_that_is_no_database_is_named(tmp_path):
    path = tmp_path / "series.db"
    path.write_bytes(b"not a database, though long enough to look at\n" * 100)
    assert await refusal(path) == (
        f"the database {path} is damaged: stop the server, move it away with its -wal and -shm files, "
        "and restore a backup"
    )


async def test_a_damaged_page_is_named_when_it_is_met(tmp_path):
    path = tmp_path / "series.db"
    async with running(SqliteSeries(path, CLOCK)) as store:
        await store.write(rows(*(row(i) for i in range(2000))), None)
    octets = bytearray(path.read_bytes())
    for page in range(16 * 4096, len(octets), 4096):
        octets[page : page + 100] = b"\xff" * 100
    path.write_bytes(octets)
    async with running(SqliteSeries(path, CLOCK)) as store:
        with pytest.raises(StoreError, match=r"^the database .*series\.db is damaged: "):
            await store.range(DEVICE, "t", T0, T0 + 2000, 2000)


async def test_a_path_that_cannot_be_a_file_is_named(tmp_path):
    (tmp_path / "series.db").mkdir()
    path = tmp_path / "series.db"
    assert (
        await refusal(path) == f"cannot open the database {path}: this user must be allowed to write it and its folder"
    )


async def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "data").write_text("a file")
    assert await refusal(tmp_path / "data" / "series.db") == f"cannot create the folder {tmp_path}/data: File exists"


async def test_a_newer_schema_is_refused(tmp_path):
    path = tmp_path / "series.db"
    run_sql(path, "PRAGMA user_version = 99")
    assert await refusal(path) == (
        f"the database {path} was written by a newer version (schema 99, this version knows up to 3): "
        "start the newer version, or restore a backup from before the upgrade"
    )


async def test_a_store_that_is_not_open_says_so():
    store = SqliteSeries(None, CLOCK)
    with pytest.raises(StoreError, match=r"^the time-series store is not open$"):
        await store.write(rows(row()), 1)
    with pytest.raises(StoreError, match=r"^the time-series store is not open$"):
        await store.cursor()
    await store.close()


async def test_a_store_opens_once_what_was_wrong_is_right(tmp_path):
    path, others = tmp_path / "series.db", set(threading.enumerate())
    path.mkdir()
    store = SqliteSeries(path, CLOCK)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"^cannot open the database"):
            await store.open()
    path.rmdir()
    for seq in (1, 2):
        async with running(store):
            await store.write(rows(row(seq)), seq)
            assert await store.cursor() == seq
    mine = set(threading.enumerate()) - others
    assert not [thread.name for thread in mine if thread.name.startswith("series-")]


async def test_a_reopened_file_goes_on_where_it_was(tmp_path):
    path = tmp_path / "series.db"
    async with running(SqliteSeries(path, CLOCK)) as store:
        await store.write(rows(row(0, unit="C"), row(1, "x", field="u", unit=None)), 5)
    async with running(SqliteSeries(path, CLOCK)) as store:
        assert await store.write(rows(row(0, seq=1), row(2, unit="C")), 6) == WriteResult(1, 1)
        assert await store.fields(DEVICE) == ["t", "u"]
        assert await store.cursor() == 6
    assert [file.name for file in tmp_path.iterdir()] == ["series.db"]


async def test_a_file_that_another_program_holds_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("lns.series.sqlite._BUSY_TIMEOUT_S", 0.01)
    path = tmp_path / "series.db"
    async with running(SqliteSeries(path, CLOCK)) as store:
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match=r"is locked by another program: stop it and try again$"):
                await store.write(rows(row()), 1)
        assert await store.write(rows(row()), 1) == WriteResult(1, 0)
