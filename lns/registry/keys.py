"""API keys: a 256-bit random secret, stored as its SHA-256 and checked in memory.

A key reads `lns_<id>_<secret>`. A plain hash is enough because the secret is random: there is nothing to guess.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from enum import Enum

import msgspec
from sqlalchemy import delete, insert, select, update

from lns.clock import now_us
from lns.registry.database import Database
from lns.registry.errors import conflict, invalid, not_found
from lns.registry.fields import check_name
from lns.registry.rows import ApiKey
from lns.registry.schema import api_key

KEYS_READ = "keys:read"
"""To see the keys of devices; admin does not include it, so that nobody has it by chance."""
PERMISSIONS = ("read", "write", KEYS_READ, "admin")
MAX_EXPIRES_IN_DAYS = 36_500
USE_NOTED_EVERY_US = 60_000_000

_FORM = re.compile(r"lns_([0-9a-f]{12})_([0-9a-f]{64})")
_NOBODY = bytes(32)


class KeyProblem(Enum):
    """Why a presented key is refused."""

    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"


class Keys:
    """The table `api_key` and its copy in memory, by id."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._by_id: dict[str, ApiKey] = {}
        self._used_at_us: dict[str, int] = {}

    def load(self) -> None:
        """Bring all keys into memory."""
        with self._database.read() as connection:
            rows = connection.execute(select(*api_key.c)).all()
        keys = [ApiKey(i, name, digest, tuple(p), *times) for i, name, digest, p, *times in rows]
        self._by_id = {key.id: key for key in keys}
        self._used_at_us = {key.id: key.last_used_at_us for key in keys if key.last_used_at_us is not None}

    def all(self) -> list[ApiKey]:
        """All keys, oldest first."""
        keys = sorted(self._by_id.values(), key=lambda key: (key.created_at_us, key.id))
        return [msgspec.structs.replace(key, last_used_at_us=self._used_at_us.get(key.id)) for key in keys]

    def create(self, name: str, permissions: Iterable[str], expires_in_days: float | None = None) -> tuple[ApiKey, str]:
        """A new key and its text, which is not kept."""
        check_name("name", name)
        wanted = tuple(permission for permission in PERMISSIONS if permission in set(permissions))
        _check_permissions(permissions)
        at_us = now_us()
        expires_at_us = None
        if expires_in_days is not None:
            if not 0 < expires_in_days <= MAX_EXPIRES_IN_DAYS:
                raise invalid(f"expires_in_days is {expires_in_days:g}, above 0 to {MAX_EXPIRES_IN_DAYS} is allowed")
            expires_at_us = at_us + int(expires_in_days * 86_400e6)
        secret = secrets.token_hex(32)
        key = ApiKey(secrets.token_hex(6), name, _digest(secret), wanted, at_us, expires_at_us, None)
        with self._database.write() as connection:
            row = {**msgspec.structs.asdict(key), "permissions": list(wanted)}
            connection.execute(insert(api_key).values(**row))
        self._by_id[key.id] = key
        return key, f"lns_{key.id}_{secret}"

    def delete(self, key_id: str) -> None:
        """Revoke a key at once. The last admin key stays: without it no other could be made."""
        with self._database.write() as connection:
            key = self._by_id.get(key_id)
            if key is None:
                raise not_found(f"key {key_id!r} does not exist")
            at_us = now_us()
            if [k.id for k in self.all() if "admin" in k.permissions and _valid(k, at_us)] == [key_id]:
                raise conflict(f"key {key.name!r} is the last one with permission admin: create another one first")
            connection.execute(delete(api_key).where(api_key.c.id == key_id))
        self._by_id.pop(key_id, None)

    def verify(self, presented: str, at_us: int) -> ApiKey | KeyProblem:
        """The key whose text this is, in constant time and without the database."""
        form = _FORM.fullmatch(presented)
        if form is None:
            return KeyProblem.MALFORMED
        key = self._by_id.get(form[1])
        if not hmac.compare_digest(_digest(form[2]), key.hash if key else _NOBODY) or key is None:
            return KeyProblem.UNKNOWN
        return key if _valid(key, at_us) else KeyProblem.EXPIRED

    def note_use(self, key: ApiKey, at_us: int) -> bool:
        """Note in memory that the key is used; True once a minute, when `store_use` is due."""
        used_at_us = self._used_at_us.get(key.id)
        if used_at_us is not None and at_us - used_at_us < USE_NOTED_EVERY_US:
            return False
        self._used_at_us[key.id] = at_us
        return True

    def store_use(self, key: ApiKey, at_us: int) -> None:
        """Store when the key was last used."""
        with self._database.write() as connection:
            connection.execute(update(api_key).where(api_key.c.id == key.id).values(last_used_at_us=at_us))


def _check_permissions(permissions: Iterable[str]) -> None:
    unknown = [permission for permission in permissions if permission not in PERMISSIONS]
    if unknown:
        raise invalid(f"permission {unknown[0]!r} is not known, {', '.join(PERMISSIONS)} are")
    if not list(permissions):
        raise invalid(f"permissions is empty, one or more of {', '.join(PERMISSIONS)} are needed")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(bytes.fromhex(secret)).digest()


def _valid(key: ApiKey, at_us: int) -> bool:
    return key.expires_at_us is None or at_us < key.expires_at_us
