"""The data folder: one server at a time, and a key for the first visitor."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lns.config import ConfigError
from lns.registry.registry import Registry

ADMIN_KEY_FILE = "admin.key"


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Make the folder and hold it for this process. ConfigError: it cannot be written, or another server has it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(
            f"the data folder {folder} cannot be written: {(error.strerror or str(error)).lower()}"
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(lock, 20).decode("ascii", "replace").strip() or "unknown"
            raise ConfigError(f"the data folder {folder} is in use by another server (process {holder})") from None
        os.truncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        yield
    finally:
        os.close(lock)


def first_key(folder: Path, registry: Registry) -> None:
    """Without an admin key nobody could make one: create it and leave it in the folder for this user only."""
    if any("admin" in key.permissions for key in registry.keys.all()):
        return
    _, secret = registry.keys.create("first admin key", ["admin"])
    path = folder / ADMIN_KEY_FILE
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(secret + "\n")
