"""What bodies and answers have in common: unknown fields refused, pages, parameters, answers made in a thread."""

import asyncio
import json
from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from fastapi import Path, Query, Response
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from lns.lorawan.ids import parse_dev_addr, parse_eui

T = TypeVar("T")


class Body(BaseModel):
    """A request's body: a misspelt field is told, not ignored."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _is_text(cls, values: Any) -> Any:
        """JSON can spell half a character, a lone surrogate, which neither a database nor an answer can hold."""
        try:
            json.dumps(values, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("there is a lone surrogate in it, which is no character") from None
        return values


def example(**values: Any) -> ConfigDict:
    """The model's configuration with a body that works, shown in the documentation."""
    return ConfigDict(json_schema_extra={"example": values})


class Page(BaseModel, Generic[T]):
    """A part of a list."""

    items: list[T]
    next: str | None = Field(description="Give it as `after` to get the next page; null at the end.")


def optional(description: str, **more: Any) -> Any:
    """A field of a change: left out it stays as it is, so it has no default to show."""
    return Field(default=None, description=description, json_schema_extra=_without_default, **more)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


Eui = Annotated[str, AfterValidator(parse_eui)]
DevAddr = Annotated[str, AfterValidator(parse_dev_addr)]

DevEui = Annotated[Eui, Path(description="DevEUI, 16 hex digits.", examples=["70b3d57ed0000001"])]
GatewayEui = Annotated[Eui, Path(description="Gateway EUI, 16 hex digits.", examples=["a84041ffff1e8f2c"])]
Name = Annotated[str, Path(description="Its name.", examples=["default"])]
Limit = Annotated[int, Query(ge=1, le=1000, description="Items a page, at most 1000.")]


def _position(after: object) -> int:
    """The number in a page's `next`."""
    text = str(after)
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValueError(f"{text[:40]!r} is not the 'next' of a page")
    return int(text)


After = Annotated[
    int | None,
    BeforeValidator(_position),
    Query(description="`next` of the page before.", json_schema_extra={"type": "string"}),
]


async def answer(make: Callable[[], Any]) -> Response:
    """Run `make` in a thread and send what it returns: a large list must not hold up the event loop."""
    content = await asyncio.to_thread(lambda: msgspec.json.encode(make()))
    return Response(content, media_type="application/json")
