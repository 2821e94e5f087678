"""API keys; all of it needs permission admin."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, Field

from lns.api import times
from lns.api.auth import needs
from lns.api.problems import documented
from lns.api.services import Given
from lns.api.shapes import Body, Page, answer, example
from lns.registry.keys import MAX_EXPIRES_IN_DAYS
from lns.registry.rows import ApiKey

router = APIRouter(prefix="/keys", tags=["keys"], dependencies=[Depends(needs("admin"))])

_Id = Annotated[str, Path(description="Id from the list.", examples=["9f86d081884c"])]


class KeyBody(Body):
    """A key to create."""

    model_config = example(name="dashboard", permissions=["read"], expires_in_days=90)

    name: str = Field(description="What it is for, 1 to 64 characters.")
    permissions: list[Literal["read", "write", "keys:read", "admin"]] = Field(
        min_length=1,
        description="read: see everything but keys; write: change everything but API keys (it includes no reading); "
        "keys:read: see the keys of devices, sessions and groups; admin: all but keys:read.",
    )
    expires_in_days: float | None = Field(
        None, gt=0, le=MAX_EXPIRES_IN_DAYS, description="Days until it is refused; null: never."
    )


class KeyReply(BaseModel):
    """A key without its secret, of which only a hash is kept."""

    id: str = Field(examples=["9f86d081884c"])
    name: str = Field(examples=["dashboard"])
    permissions: list[str] = Field(examples=[["read"]])
    created_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])
    expires_at: str | None = Field(description="RFC 3339, UTC; null: never.")
    last_used_at: str | None = Field(description="RFC 3339, UTC, exact to a minute; null: never.")


class NewKeyReply(KeyReply):
    """A key with its secret, shown this once."""

    secret: str = Field(description="Send it as `Authorization: Bearer <secret>`.", examples=["lns_9f86d081884c_..."])


@router.get("", response_model=Page[KeyReply], responses=documented())
async def list_keys(services: Given) -> Response:
    """List API keys, oldest first."""
    return await answer(lambda: {"items": [_shown(key) for key in services.registry.keys.all()], "next": None})


@router.post("", status_code=201, response_model=NewKeyReply, responses=documented())
async def create_key(body: KeyBody, services: Given) -> dict[str, Any]:
    """Create an API key. The answer is the only place where its secret is ever shown."""
    create = services.registry.keys.create
    key, secret = await asyncio.to_thread(create, body.name, body.permissions, body.expires_in_days)
    return {**_shown(key), "secret": secret}


@router.delete("/{id}", status_code=204, responses=documented(404, 409))
async def delete_key(id: _Id, services: Given) -> None:
    """Revoke an API key at once. The last admin key cannot be revoked: without it no other could be made."""
    await asyncio.to_thread(services.registry.keys.delete, id)


def _shown(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "permissions": list(key.permissions),
        "created_at": times.text(key.created_at_us),
        "expires_at": times.text_or_none(key.expires_at_us),
        "last_used_at": times.text_or_none(key.last_used_at_us),
    }
