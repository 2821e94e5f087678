"""Latest values and healths in Redis, for dashboards that read them there; needs the extra `redis`.

Keys, after the prefix: `position` is a number, `healths` a hash by device:ID and gateway:EUI, `device:ID` a hash by
field. Hash values are JSON arrays: of a field [value, unit, time_us, seq], of a health the fields of `Health`. A batch
and its position are one transaction.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, Literal, cast

import msgspec

from lns.config import ConfigError
from lns.errors import StoreError
from lns.latest.health import Health
from lns.latest.store import Changes, Subject
from lns.latest.values import FieldKey, Latest

try:
    import redis.asyncio
    import redis.exceptions
except ModuleNotFoundError as missing:
    raise ConfigError("latest.redis_url needs the extra: pip install 'inflight-lns[redis]'") from missing

_TIMEOUT_S = 10.0

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
        except ValueError as error:
            raise ConfigError(f"latest.redis_url is {url!r}: {error}") from error

    async def open(self) -> None:
        async with self._errors():
            await self._redis.ping()

    async def close(self) -> None:
        await self._redis.aclose()

    async def position(self) -> int | None:
        async with self._errors():
            found = await self._redis.get(self._key("position"))
        return None if found is None else int(found)

    async def save(self, changes: Changes) -> None:
        async with self._errors(), self._redis.pipeline(transaction=True) as pipe:
            for (device_id, field), latest in changes.values.items():
                if latest is None:
                    pipe.hdel(self._device(device_id), field)
                else:
                    pipe.hset(self._device(device_id), field, _encode(latest))
            for subject, health in changes.healths.items():
                pipe.hset(self._key("healths"), ":".join(subject), _encode(health))
            if changes.position is not None:
                pipe.set(self._key("position"), changes.position)
            await pipe.execute()

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
