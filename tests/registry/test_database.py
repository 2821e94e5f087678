import os
import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from lns.errors import StoreError
from lns.registry import database
from lns.registry.database import Database
from lns.registry.registry import FILE_NAME, Registry
from lns.registry.schema import metadata
from tests.registry.samples import execute, otaa


def open_error(path: Path) -> str:
    with pytest.raises(StoreError) as caught:
        Registry(path).open()
    return str(caught.value)


def test_migrations_lead_to_the_tables_of_the_schema(tmp_path: Path) -> None:
    fresh = Database(tmp_path / FILE_NAME, threading.Lock())
    fresh.open()
    with fresh.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    fresh.close()


def test_opening_again_keeps_everything_and_fills_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / FILE_NAME
    for _ in range(2):
        registry = Registry(path)
        registry.open()
        assert [a.name for a in registry.applications.all()] == ["default"]
        assert [t.name for t in registry.templates.all()] == ["default"]
        assert [(c.name, c.active_version) for c in registry.codecs.all()] == [("cayenne-lpp", 1)]
        registry.close()
    assert execute(path, "SELECT version_num FROM alembic_version") == [("0005",)]


def test_every_commit_is_on_the_disk(registry: Registry) -> None:
    with registry._database.read() as connection:
        modes = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    assert modes == ["wal", 2]


def test_newer_schema_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    first = Registry(path)
    first.open()
    first.close()
    execute(path, "UPDATE alembic_version SET version_num = '9999'")
    assert open_error(path) == (
        f"the database {path} was written by a newer version (schema 9999, this version knows up to 0005): "
        "start the newer version, or restore a backup from before the upgrade"
    )


def test_failed_migration_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    execute(path, "CREATE TABLE gateway (eui TEXT)")
    with pytest.raises(Exception, match="gateway"):
        Registry(path).open()
    assert execute(path, "SELECT name FROM sqlite_master") == [("gateway",)]


@pytest.mark.parametrize("content", [b"no database at all" * 1000, b"SQLite format 3\x00" + os.urandom(9000)])
def test_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(content)
    assert open_error(path) == (
        f"the database {path} is damaged: stop the server, move it away with its -wal and -shm files, "
        "and restore a backup"
    )


def test_damage_in_the_middle_is_told_by_the_read_that_meets_it(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    registry = Registry(path)
    registry.open()
    assert not any(registry.devices.add_many([otaa(i) for i in range(2000)]))
    registry.close()
    content = bytearray(path.read_bytes())
    middle = len(content) // 8192 * 4096
    content[middle : middle + 65_536] = b"\xff" * 65_536
    path.write_bytes(content)
    registry = Registry(path)

    def start() -> None:
        registry.open()
        registry.load_network()

    with pytest.raises(StoreError, match="is damaged: stop the server"):
        start()
    registry.close()


def test_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert open_error(tmp_path / "file" / FILE_NAME) == f"cannot create the folder {tmp_path / 'file'}: File exists"
    assert open_error(tmp_path / "file" / "data" / FILE_NAME) == (
        f"cannot create the folder {tmp_path / 'file' / 'data'}: Not a directory"
    )


def test_path_that_is_a_folder_is_told(tmp_path: Path) -> None:
    assert open_error(tmp_path) == (
        f"cannot open the database {tmp_path}: this user must be allowed to write it and its folder"
    )


def test_database_locked_by_another_program_is_told(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_BUSY_TIMEOUT_MS", 20)
    other = sqlite3.connect(registry.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    again = Registry(registry.path)
    with pytest.raises(StoreError) as caught:
        again.open()
    other.execute("ROLLBACK")
    other.close()
    again.close()
    assert str(caught.value) == f"the database {registry.path} is locked by another program: stop it and try again"


def test_full_disk_is_told_and_undone(registry: Registry) -> None:
    # SQLite's own limit of pages answers as a full disk does
    with registry._database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError) as caught:
        registry.devices.add_many([otaa(i) for i in range(1000)])
    assert str(caught.value) == f"cannot write the database {registry.path}: the disk is full"
    assert registry.devices.page() == []


def test_check_tells_a_database_that_went_away(registry: Registry) -> None:
    registry.check()
    registry.close()
    registry.path.unlink()
    registry.path.mkdir()
    with pytest.raises(StoreError, match=r"^cannot open the database .*: this user must be allowed to write it"):
        registry.check()


def test_writer_holds_the_shared_lock(registry: Registry) -> None:
    with registry._database.write():
        assert registry.write_lock.locked()
    assert not registry.write_lock.locked()
