"""Where archive files lie: named bytes that are there whole or not at all."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Protocol, TypeVar

from lns.errors import StoreError

_BESIDE = ".part"

_T = TypeVar("_T")


class Storage(Protocol):
    """Named bytes. Names are paths with slashes; every method raises StoreError where the storage fails.

    `where` is for people.
    """

    where: str

    async def put(self, name: str, data: bytes) -> None:
        """Store under a name, whole or not at all, and durably; replaces what is there."""

    async def get(self, name: str) -> bytes | None:
        """What is stored under a name; None: nothing."""

    async def names(self, prefix: str) -> list[str]:
        """All names below a folder, sorted."""

    async def delete(self, name: str) -> None:
        """Remove a name; one that is not there is fine."""

    async def probe(self) -> None:
        """Find out whether it can be used, without a trace."""


class Folder:
    """`Storage` in a folder of the file system."""

    def __init__(self, path: Path) -> None:
        self._path, self.where = path, str(path.absolute())

    async def put(self, name: str, data: bytes) -> None:
        await self._run(lambda: _put(self._path / name, data))

    async def get(self, name: str) -> bytes | None:
        return await self._run(lambda: _get(self._path / name))

    async def names(self, prefix: str) -> list[str]:
        return await self._run(lambda: _names(self._path, prefix))

    async def delete(self, name: str) -> None:
        await self._run(lambda: (self._path / name).unlink(missing_ok=True))

    async def probe(self) -> None:
        await self._run(lambda: _probe(self._path))

    async def _run(self, work: Callable[[], _T]) -> _T:
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise StoreError(f"the archive in {self._path} cannot be used: {reason}") from error


def _put(path: Path, data: bytes) -> None:
    """Write beside, then rename: a name never stands for half a file, not even after a power loss."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + _BESIDE)
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _probe(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=folder) as file:
        file.write(b"probe")


def _get(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _names(root: Path, prefix: str) -> list[str]:
    files = (path for path in (root / prefix).rglob("*") if path.is_file() and path.suffix != _BESIDE)
    return sorted(path.relative_to(root).as_posix() for path in files)
