"""A new key-encryption key: every key of the database is opened with the old one and sealed with the new one.

One transaction, so the database is under one of the two at any moment; the new key is in its place before and the
old one until after it. What was cut off is finished by the next start or by rotating again.
"""

import threading
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, bindparam, select, update

from lns.errors import StoreError
from lns.registry import kek
from lns.registry.database import SEALED, Database, erase, sealed_with
from lns.registry.seal import Seal

_ROWS = 1000


class Rotated(msgspec.Struct, frozen=True):
    """The ids of the keys, how many blobs were sealed anew, and where the new key is."""

    old_id: str
    new_id: str
    sealed: int
    origin: str


def rotate(path: Path, key_file: Path | None = None) -> Rotated:
    """Seal the registry in `path` with the next key; no server may have it open. StoreError says what to do.

    The next key is that of the environment; else a new one is made, in place of the file.
    """
    database = Database(path, threading.Lock(), key_file)
    following = kek.from_environment(kek.NEXT_ENVIRONMENT)
    current = kek.from_environment(kek.ENVIRONMENT)
    if following is None and current is not None:
        raise StoreError(
            f"the key-encryption key comes from {kek.ENVIRONMENT}: put a new one of 64 hex digits into "
            f"{kek.NEXT_ENVIRONMENT}, rotate, and then into {kek.ENVIRONMENT}"
        )
    if not path.is_file():
        raise StoreError(f"there is no database {path}: start the server once, or name its data folder")
    try:
        with database.read() as connection:
            in_use = sealed_with(connection)
        if following is not None and in_use == {following.key_id}:  # it was cut off after its last step
            return Rotated(following.key_id.hex(), following.key_id.hex(), 0, following.origin)
        database.open()
        made = following is None
        new = following or kek.create(kek.next_file(database.key_file))
        sealed = _seal_all(database, new)
    finally:
        database.close()
    if made:
        kek.move(kek.next_file(database.key_file), database.key_file)
    return Rotated(database.seal.key_id.hex(), new.key_id.hex(), sealed, str(database.key_file) if made else new.origin)


def _seal_all(database: Database, new: Seal) -> int:
    with database.write() as connection:
        erase(connection)
        sealed = sum(_seal_column(connection, column, database.seal, new) for column in SEALED)
    database.checkpoint()
    return sealed


def _seal_column(connection: Connection, column: Column[Any], old: Seal, new: Seal) -> int:
    table: Any = column.table
    blobs = connection.execute(select(table.c.id, column).where(column.is_not(None))).all()
    renewed = update(table).where(table.c.id == bindparam("of")).values({column.name: bindparam("blob")})
    for at in range(0, len(blobs), _ROWS):
        part = [{"of": id_, "blob": new.seal(old.open(blob))} for id_, blob in blobs[at : at + _ROWS]]
        connection.execute(renewed, part)
    return len(blobs)
