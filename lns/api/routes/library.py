"""The template library: search it, and import folders of other projects into it."""

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field

from lns.api.auth import needs
from lns.api.library_import import Batch, take
from lns.api.problems import ApiProblem, documented
from lns.api.request_body import read_body
from lns.api.services import Given
from lns.api.shapes import Body, Limit, Page, answer, example
from lns.library.item import Item
from lns.library.packaged import matches, packaged

router = APIRouter(prefix="/template-library", tags=["device templates"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]
_DryRun = Annotated[bool, Query(description="Only say what would happen.")]


class ItemReply(BaseModel):
    """A kind of device in the library."""

    id: str = Field(examples=["milesight/em300-th"])
    origin: str = Field(description="The library it comes from; `inflight` is ours.", examples=["inflight"])
    vendor: str = Field(examples=["Milesight"])
    name: str = Field(examples=["EM300-TH"])
    description: str
    models: list[str] = Field(examples=[["EM300-TH"]])
    codec: bool = Field(description="It brings a codec, or names a built-in one.")
    examples_passed: int = Field(examples=[4])
    examples_failed: int = Field(examples=[0])
    source: str = Field(description="The vendor's document.")


class OriginReply(BaseModel):
    """A library."""

    origin: str = Field(examples=["ttn"])
    items: int = Field(examples=[1200])


class DigestsBody(Body):
    """Contents of items, by their SHA-256."""

    model_config = example(digests=["0" * 64])

    digests: list[str] = Field(max_length=50_000, description="Up to 50,000 of them.")


class DigestsReply(BaseModel):
    """Those that are stored already."""

    known: list[str]


class ImportedItem(BaseModel):
    """What became of an item."""

    id: str = Field(examples=["ttn:dragino/lht65"])
    ok: bool
    outcome: str = Field(description="added, changed or refused.", examples=["added"])
    codec_runs: bool = Field(description="It has a codec, and the decoder can run it.")
    passed: int = Field(description="Examples of its codec that passed.", examples=[3])
    failed: int = Field(examples=[0])
    error: str | None = Field(description="Why it was refused, or what is wrong with its codec or examples.")


class ImportedReply(BaseModel):
    """What became of each item."""

    items: list[ImportedItem]
    dry_run: bool


class ForgottenReply(BaseModel):
    """How many items were removed."""

    removed: int = Field(examples=[1200])


_IMPORT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["items"],
                    "properties": {
                        "items": {"type": "array", "items": {"type": "object"}},
                        "codecs": {"type": "array", "items": {"type": "object"}},
                    },
                },
                "example": {
                    "items": [
                        {
                            "digest": "0" * 64,
                            "item": {"id": "ours:acme/box", "origin": "ours", "vendor": "Acme", "name": "Box"},
                        }
                    ],
                    "codecs": [],
                },
            }
        },
    }
}


@router.get("", dependencies=_READ, response_model=Page[ItemReply], responses=documented())
async def search_template_library(
    services: Given,
    search: Annotated[str, Query(max_length=200, description="Words, all of which must be in it.")] = "",
    limit: Limit = 100,
    after: Annotated[str | None, Query(description="`next` of the page before.")] = None,
) -> Response:
    """Search the library for kinds of devices: ours, and what was imported."""

    def page() -> dict[str, Any]:
        own = [
            _shown(found.item, len(found.codec.examples) if found.codec else 0, 0)
            for found in packaged().values()
            if matches(found.item.words(), search) and (after is None or found.item.id > after)
        ]
        others = [_shown(e.item, e.passed, e.failed) for e in services.registry.library.search(search, after, limit)]
        items = sorted((*own, *others), key=lambda item: str(item["id"]))[:limit]
        return {"items": items, "next": items[-1]["id"] if len(items) == limit else None}

    return await answer(page)


@router.get("/origins", dependencies=_READ, response_model=Page[OriginReply], responses=documented())
async def list_libraries(services: Given) -> Response:
    """List the libraries and how many kinds of devices each has."""

    def page() -> dict[str, Any]:
        counts = {"inflight": len(packaged()), **services.registry.library.counts()}
        return {"items": [{"origin": origin, "items": items} for origin, items in counts.items()], "next": None}

    return await answer(page)


@router.post("/known", dependencies=_WRITE, response_model=DigestsReply, responses=documented())
async def known_library_items(body: DigestsBody, services: Given) -> dict[str, Any]:
    """Which contents are stored already: these need no second import."""
    return {"known": sorted(await asyncio.to_thread(services.registry.library.known, body.digests))}


@router.post(
    "/import",
    dependencies=_WRITE,
    response_model=ImportedReply,
    responses=documented(413, 503),
    openapi_extra=_IMPORT_BODY,
)
async def import_library(request: Request, services: Given, dry_run: _DryRun = False) -> Response:
    """Import kinds of devices with their codecs; `lns template import` reads them from a folder.

    Each codec is tried and its examples are run. An item stands for itself: a bad one never stops the good ones.
    """
    try:
        batch = msgspec.json.decode(await read_body(request), type=Batch)
    except msgspec.DecodeError as error:
        raise ApiProblem(422, "invalid", f"body: {error}") from error
    results = await take(services, batch, dry_run)
    return await answer(lambda: {"items": results, "dry_run": dry_run})


@router.delete("/origins/{origin}", dependencies=_WRITE, response_model=ForgottenReply, responses=documented(404))
async def forget_library(
    origin: Annotated[str, Path(description="Name of an imported library.", examples=["ttn"])], services: Given
) -> dict[str, int]:
    """Remove an imported library. Device templates and codecs that were made from it stay."""
    removed = await asyncio.to_thread(services.registry.library.forget, origin)
    if not removed:
        raise ApiProblem(404, "not_found", f"there is no imported library {origin!r}")
    return {"removed": removed}


def _shown(item: Item, passed: int, failed: int) -> dict[str, Any]:
    return {
        "id": item.id,
        "origin": item.origin,
        "vendor": item.vendor,
        "name": item.name,
        "description": item.description,
        "models": item.models,
        "codec": item.codec_sha256 is not None or item.built_in is not None,
        "examples_passed": passed,
        "examples_failed": failed,
        "source": item.source,
    }
