"""Latest values and healths in Redis, for dashboards that read them there; needs the extra `redis`.

Keys, after the prefix: `position` is a number, -1 while the store is filled, `healths` a hash by device:ID and
gateway:EUI, `device:ID` a hash by field. Hash values are JSON arrays: of a field [value, unit, time_us, seq], of a
health the fields of `Health`. A batch and its position are one script, which writes nothing where the position is not
the one that was written last: a Redis that was emptied or restored meanwhile is not taken for a full one.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, Literal, cast

import msgspec

from lns.config import ConfigError
from lns.config.masking import ESCAPED, masked
from lns.errors import StoreError
from lns.latest.health import Health
from lns.latest.store import Changes, LostError, Subject
from lns.latest.values import FieldKey, Latest

try:
    import redis.asyncio
    import redis.exceptions
except ModuleNotFoundError as missing:
    raise ConfigError("latest.redis_url needs the extra: pip install 'inflight-lns[redis]'") from missing

_TIMEOUT_S = 10.0
_FILLING = -1

# The first key is that of the position. Arguments: the positions that may be there (none: any), the new one (empty: it
# stays), then number of the key, field and value (empty: the field goes) of each change.
_SAVE = """
local at = redis.call('GET', KEYS[1]) or 'missing'
if ARGV[1] ~= '' and not string.find(ARGV[1], ' ' .. at .. ' ', 1, true) then
    return at
end
for i = 3, #ARGV, 3 do
    local key = KEYS[tonumber(ARGV[i])]
    if ARGV[i + 2] == '' then
        redis.call('HDEL', key, ARGV[i + 1])
    else
        redis.call('HSET', key, ARGV[i + 1], ARGV[i + 2])
    end
end
if ARGV[2] ~= '' then
    redis.call('SET', KEYS[1], ARGV[2])
end
return false
"""

_encode = msgspec.json.encode
_latest = msgspec.json.Decoder(Latest)
_health = msgspec.json.Decoder(Health)


class RedisLatest:
    """`LatestStore` on the server at `url` (redis://, rediss:// or unix://), under keys that begin with `prefix`."""

    def __init__(self, url: str, prefix: str = "inflight:", password: str | None = None) -> None:
        self._prefix = prefix
        more: dict[str, Any] = {} if password is None else {"password": password}
        try:
            self._redis: Any = redis.asyncio.Redis.from_url(
                url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S, **more
            )
        except ValueError:  # whose text may show a piece of the password
            raise ConfigError(
                f"latest.redis_url is {masked(url)!r}: it must begin with redis://, rediss:// or unix://, {ESCAPED}"
            ) from None
        self._run = self._redis.register_script(_SAVE)
        self._saving = asyncio.Lock()  # two answers on two connections would come in any order
        self._may_be: set[int] = set()  # positions that are there if nothing was lost; empty: not known yet

    async def open(self) -> None:
        async with self._errors():
            await self._redis.ping()

    async def close(self) -> None:
        await self._redis.aclose()

    async def position(self) -> int | None:
        async with self._errors():
            found = await self._redis.get(self._key("position"))
        position = None if found is None or int(found) == _FILLING else int(found)
        self._may_be = set() if position is None else {position}
        return position

    async def renew(self) -> None:
        async with self._errors(), self._saving:
            await self._redis.set(self._key("position"), _FILLING)
            self._may_be = {_FILLING}

    async def save(self, changes: Changes) -> None:
        async with self._errors(), self._saving:
            expected = " ".join(map(str, ("", *self._may_be, ""))) if self._may_be else ""
            if self._may_be and changes.position is not None:
                self._may_be.add(changes.position)  # a connection that is lost now leaves open whether it is written
            keys, arguments = self._changed(changes)
            position = "" if changes.position is None else changes.position
            found = await self._run(keys=keys, args=[expected, position, *arguments])
            if found is not None:
                raise LostError(f"redis lost what it held: its position is {found.decode()}, not{expected.rstrip()}")
            if changes.position is not None:
                self._may_be = {changes.position}

    def _changed(self, changes: Changes) -> tuple[list[str], list[str | int | bytes]]:
        """Keys and arguments of the script."""
        numbers = {self._key("position"): 1}
        arguments: list[str | int | bytes] = []
        for (device_id, field), latest in changes.values.items():
            number = numbers.setdefault(self._device(device_id), len(numbers) + 1)
            arguments += (number, field, "" if latest is None else _encode(latest))
        for subject, health in changes.healths.items():
            number = numbers.setdefault(self._key("healths"), len(numbers) + 1)
            arguments += (number, ":".join(subject), _encode(health))
        return list(numbers), arguments

    async def known(self, keys: Collection[FieldKey]) -> dict[FieldKey, Latest]:
        by_device: defaultdict[int, list[str]] = defaultdict(list)
        for device_id, field in keys:
            by_device[device_id].append(field)
        async with self._errors(), self._redis.pipeline(transaction=False) as pipe:
            for device_id, fields in by_device.items():
                pipe.hmget(self._device(device_id), fields)
            answers = await pipe.execute()
        return {
            FieldKey(device_id, field): _latest.decode(text)
            for (device_id, fields), texts in zip(by_device.items(), answers, strict=True)
            for field, text in zip(fields, texts, strict=True)
            if text is not None
        }

    async def values(self, device_id: int) -> dict[str, Latest]:
        async with self._errors():
            found = await self._redis.hgetall(self._device(device_id))
        return dict(sorted((field.decode(), _latest.decode(text)) for field, text in found.items()))

    async def healths(self) -> dict[Subject, Health]:
        async with self._errors():
            found = await self._redis.hgetall(self._key("healths"))
        return {_subject(name.decode()): _health.decode(text) for name, text in found.items()}

    async def forget(self, subject: Subject) -> None:
        async with self._errors(), self._redis.pipeline(transaction=True) as pipe:
            pipe.hdel(self._key("healths"), ":".join(subject))
            if subject.kind == "device":
                pipe.delete(self._device(int(subject.id)))
            await pipe.execute()

    def _key(self, name: str) -> str:
        return self._prefix + name

    def _device(self, device_id: int) -> str:
        return self._key(f"device:{device_id}")

    @asynccontextmanager
    async def _errors(self) -> AsyncIterator[None]:
        try:
            yield
        except redis.exceptions.RedisError as error:
            raise StoreError(f"redis cannot be used: {error}") from error


def _subject(name: str) -> Subject:
    kind, _, subject_id = name.partition(":")
    return Subject(cast(Literal["device", "gateway"], kind), subject_id)
