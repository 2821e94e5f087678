import hashlib
import re
from typing import Any

import pytest

from lns.clock import now_us
from lns.registry.keys import KeyProblem, Keys
from lns.registry.registry import Registry
from lns.registry.rows import ApiKey
from tests.registry.samples import execute, refusal

DAY_US = 86_400_000_000


def test_secret_has_256_bits_and_only_its_hash_is_stored(registry: Registry) -> None:
    key, secret = registry.keys.create("dashboard", ["write", "read"])
    form = re.fullmatch(r"lns_([0-9a-f]{12})_([0-9a-f]{64})", secret)
    assert form is not None
    assert form[1] == key.id
    rows = execute(registry.path, "SELECT id, name, hash, permissions, expires_at_us, last_used_at_us FROM api_key")
    digest = hashlib.sha256(bytes.fromhex(form[2])).digest()
    assert rows == [(key.id, "dashboard", digest, '["read", "write"]', None, None)]
    assert bytes.fromhex(form[2]) not in registry.path.read_bytes()


def test_key_is_verified_in_memory_and_after_a_restart(registry: Registry) -> None:
    key, secret = registry.keys.create("a", ["read"], 1)
    assert registry.keys.verify(secret, now_us()) == key
    again = Keys(registry._database)
    assert again.verify(secret, now_us()) is KeyProblem.UNKNOWN
    again.load()
    assert again.verify(secret, now_us()) == key


def test_other_keys_are_refused_with_their_reason(registry: Registry) -> None:
    key, secret = registry.keys.create("a", ["admin"], 0.5)
    now = key.created_at_us
    wrong = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    assert registry.keys.verify(wrong, now) is KeyProblem.UNKNOWN
    assert registry.keys.verify("lns_" + "0" * 12 + "_" + "0" * 64, now) is KeyProblem.UNKNOWN
    assert registry.keys.verify("", now) is KeyProblem.MALFORMED
    assert registry.keys.verify(secret.upper(), now) is KeyProblem.MALFORMED
    assert registry.keys.verify(secret, now + DAY_US // 2) is KeyProblem.EXPIRED
    assert registry.keys.verify(secret, now + DAY_US // 2 - 1) == key


def test_revoked_key_is_refused_at_once(registry: Registry) -> None:
    registry.keys.create("admin", ["admin"])
    key, secret = registry.keys.create("a", ["read"])
    registry.keys.delete(key.id)
    assert registry.keys.verify(secret, now_us()) is KeyProblem.UNKNOWN
    assert [k.name for k in registry.keys.all()] == ["admin"]
    assert refusal(registry.keys.delete, key.id) == ("not_found", f"key {key.id!r} does not exist")


def test_last_valid_admin_key_is_not_revoked(registry: Registry) -> None:
    admin, _ = registry.keys.create("admin", ["admin"])
    short, _ = registry.keys.create("short", ["admin"], 1e-9)
    text = "key 'admin' is the last one with permission admin: create another one first"
    assert refusal(registry.keys.delete, admin.id) == ("conflict", text)
    registry.keys.delete(short.id)
    other, _ = registry.keys.create("other", ["admin"])
    registry.keys.delete(admin.id)
    assert registry.keys.all() == [other]


def test_use_is_stored_at_most_once_a_minute(registry: Registry) -> None:
    made, secret = registry.keys.create("a", ["read"])

    def current() -> ApiKey:
        key = registry.keys.verify(secret, made.created_at_us)
        assert isinstance(key, ApiKey)
        return key

    at_us = made.created_at_us
    assert registry.keys.note_use(current(), at_us)
    registry.keys.store_use(current(), at_us)
    assert not registry.keys.note_use(current(), at_us + 59_999_999)
    assert registry.keys.note_use(current(), at_us + 60_000_000)
    assert execute(registry.path, "SELECT last_used_at_us FROM api_key") == [(at_us,)]
    assert [key.last_used_at_us for key in registry.keys.all()] == [at_us + 60_000_000]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("", ["read"]), "name is empty, 1 to 64 characters are needed"),
        (("a", []), "permissions is empty, one or more of read, write, keys:read, admin are needed"),
        (("a", ["root"]), "permission 'root' is not known, read, write, keys:read, admin are"),
        (("a", ["read"], 0), "expires_in_days is 0, above 0 to 36500 is allowed"),
        (("a", ["read"], 36_501), "expires_in_days is 36501, above 0 to 36500 is allowed"),
    ],
)
def test_wrong_value_is_named(registry: Registry, arguments: tuple[Any, ...], text: str) -> None:
    assert refusal(registry.keys.create, *arguments) == ("invalid", text)
