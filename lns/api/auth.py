"""The bearer key of a request. Keys are checked in memory; their use is stored at most once a minute."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from lns.api import times
from lns.api.problems import ApiProblem
from lns.api.services import Given, Services
from lns.clock import now_us
from lns.errors import StoreError
from lns.registry.keys import KEYS_READ, KeyProblem
from lns.registry.rows import ApiKey

_logger = logging.getLogger(__name__)

_bearer = HTTPBearer(
    scheme_name="API key",
    bearerFormat="lns_<id>_<secret>",
    description="A key made with `lns key create`; the first start leaves one in `<data_dir>/admin.key`.",
    auto_error=False,
)
Presented = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]

_TEXTS = {
    KeyProblem.MALFORMED: "the API key is not one: a key reads lns_<id>_<secret>, make one with 'lns key create'",
    KeyProblem.UNKNOWN: "the API key is not known, it may have been revoked: make one with 'lns key create'",
}


def needs(permission: str) -> Callable[[Services, HTTPAuthorizationCredentials | None], Awaitable[ApiKey]]:
    """A dependency that lets only keys with `permission` pass, or admin where that includes it."""

    async def check(services: Given, presented: Presented) -> ApiKey:
        if presented is None:
            raise _refused("an API key is needed: send the header 'Authorization: Bearer lns_...'")
        at_us = now_us()
        keys = services.registry.keys
        key = keys.verify(presented.credentials, at_us)
        if isinstance(key, KeyProblem):
            raise _refused(_TEXTS.get(key, "the API key has expired: make a new one with 'lns key create'"))
        if permission not in key.permissions and not ("admin" in key.permissions and permission != KEYS_READ):
            raise ApiProblem(
                403,
                "forbidden",
                f"key {key.name!r} has permission {' and '.join(key.permissions)}, this needs {permission}: "
                f"make one with 'lns key create NAME --permission {permission}'",
            )
        if keys.note_use(key, at_us):
            await _store_use(services, key, at_us)
        return key

    return check


async def _store_use(services: Services, key: ApiKey, at_us: int) -> None:
    """A database that cannot be written costs the note, not the request."""
    try:
        await asyncio.to_thread(services.registry.keys.store_use, key, at_us)
    except StoreError as error:
        _logger.warning("use of key %s at %s not stored: %s", key.id, times.text(at_us), error)


def _refused(text: str) -> ApiProblem:
    return ApiProblem(401, "unauthorized", text)
