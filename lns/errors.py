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


def known_sentence(path: Path | None, error: BaseException | None) -> str | None:
    """What an error of SQLite means for the file `path` (None: in memory); None where it is not the file's trouble."""
    text = _TEXTS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    return text and text.format(path=path or "in memory")


def sqlite_sentence(path: Path | None, error: sqlite3.Error) -> str:
    """The same for any error."""
    return known_sentence(path, error) or f"the database {path or 'in memory'} cannot be used: {error}"
