"""Errors that more than one layer raises."""

import sqlite3
from pathlib import Path

_DAMAGED = (
    "the database {path} is damaged: stop the server, move it away with its -wal and -shm files, and restore a backup"
)
_TEXTS = {
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: "cannot open the database {path}: this user must be allowed to write it and its folder",
    sqlite3.SQLITE_READONLY: "cannot write the database {path}: this user must be allowed to write it and its folder",
    sqlite3.SQLITE_FULL: "cannot write the database {path}: the disk is full",
    sqlite3.SQLITE_IOERR: "cannot read or write the database {path}: the disk reports an error",
    sqlite3.SQLITE_BUSY: "the database {path} is locked by another program: stop it and try again",
}


class StoreError(Exception):
    """A database cannot be opened, read or written; the text names the file and the cause in a plain sentence."""


def sqlite_sentence(path: Path | None, error: sqlite3.Error) -> str:
    """What SQLite's error means for the file `path`, or for a database in memory."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return _TEXTS.get(code, f"the database {{path}} cannot be used: {error}").format(path=path or "in memory")
