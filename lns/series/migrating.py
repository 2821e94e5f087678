"""The schema of the SQLite store: numbered files, each applied once."""

import sqlite3
from pathlib import Path

from lns.errors import StoreError

_FOLDER = Path(__file__).parent / "sql"


def migrate(connection: sqlite3.Connection, path: Path | None) -> None:
    """Run the files above the schema's version; one file and its number are one transaction."""
    version = _version(connection, path)
    for number, sql in _files().items():
        if number > version:
            connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")


def missing(path: Path | None) -> str:
    """The SQL that `migrate` would run on a file, which need not exist. sqlite3.Error where it cannot be read."""
    version = 0
    if path is not None and path.exists():
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            version = _version(connection, path)
        finally:
            connection.close()
    return "\n".join(sql for number, sql in _files().items() if number > version)


def _version(connection: sqlite3.Connection, path: Path | None) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    newest = max(_files())
    if version > newest:
        raise StoreError(
            f"the database {path} was written by a newer version (schema {version}, this version knows up to "
            f"{newest}): start the newer version, or restore a backup from before the upgrade"
        )
    return version


def _files() -> dict[int, str]:
    return {int(file.name[:4]): file.read_text("utf-8") for file in sorted(_FOLDER.glob("*.sql"))}
