"""Where the key-encryption key comes from: the environment, or a file that the first start makes.

A rotation leaves the next key in `<file>.new` until the database is sealed with it; whichever of the two fits the
database is the key, so that a crash between the two writes costs nothing.
"""

import os
import secrets
from collections.abc import Collection
from pathlib import Path

from lns.errors import StoreError
from lns.registry.seal import Seal

ENVIRONMENT = "LNS_KEY_ENCRYPTION_KEY"
NEXT_ENVIRONMENT = "LNS_NEW_KEY_ENCRYPTION_KEY"
FILE_NAME = "key-encryption.key"


def next_file(file: Path) -> Path:
    """Where a rotation puts the key that is to follow."""
    return file.with_name(file.name + ".new")


def obtain(file: Path, in_use: Collection[bytes]) -> Seal:
    """The seal of the environment or of `file`; a new file only while nothing is sealed yet.

    `in_use` are the ids of the keys that the database is sealed with. StoreError: the key is missing or another one.
    """
    found = from_environment(ENVIRONMENT) or _of_file(file, in_use)
    if found is None:
        if in_use:
            ids = " and ".join(sorted(key_id.hex() for key_id in in_use))
            raise StoreError(
                f"the keys in the database are sealed with key-encryption key {ids}, but {file} does not exist: "
                f"put it there, or give it in the environment variable {ENVIRONMENT}"
            )
        found = create(file)
    for key_id in in_use:
        if key_id != found.key_id:
            raise StoreError(found.mismatch(key_id))
    return found


def from_environment(name: str) -> Seal | None:
    """The seal whose KEK an environment variable holds."""
    text = os.environ.get(name)
    return None if text is None else Seal(_parse(text, f"the environment variable {name}"), name)


def read(file: Path) -> Seal | None:
    """The seal whose KEK a file holds; None where there is no such file."""
    try:
        text = file.read_text("ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise StoreError(f"cannot read the key-encryption key in {file}: {why}") from error
    return Seal(_parse(text, str(file)), str(file))


def create(file: Path) -> Seal:
    """Make a random KEK of 256 bits and leave it in `file`, readable by this user only and safe from a power cut."""
    draft = file.with_name(file.name + ".draft")
    text = secrets.token_hex(32)
    try:
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as out:
            out.write(text + "\n")
            out.flush()
            os.fsync(out.fileno())
        move(draft, file)
    except OSError as error:
        raise StoreError(f"cannot write the key-encryption key to {file}: {error.strerror}") from error
    return Seal(bytes.fromhex(text), str(file))


def move(source: Path, target: Path) -> None:
    """Rename a file, durably."""
    source.replace(target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _of_file(file: Path, in_use: Collection[bytes]) -> Seal | None:
    following = read(next_file(file)) if in_use else None
    if following is not None and set(in_use) == {following.key_id}:
        move(next_file(file), file)  # a rotation was cut off after the database had been sealed anew
        return read(file)
    return read(file)


def _parse(text: str, origin: str) -> bytes:
    digits = text.strip()
    try:
        kek = bytes.fromhex(digits)
    except ValueError:
        kek = b""
    if len(digits) not in (32, 64) or len(kek) * 2 != len(digits):
        text = f"the key-encryption key in {origin} has {len(digits)} characters: 32 or 64 hex digits are needed"
        raise StoreError(text)
    return kek
