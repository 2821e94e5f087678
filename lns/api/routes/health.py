"""What needs no key: metrics, health, readiness."""

import asyncio

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from lns import metrics
from lns.api.services import Given
from lns.errors import StoreError

router = APIRouter(tags=["operations"])


def _text(example: str) -> dict[str, object]:
    return {"content": {"text/plain": {"example": example}}}


@router.get("/metrics", response_class=PlainTextResponse, responses={200: _text("lns_datagrams_total 42.0")})
async def read_metrics() -> Response:
    """All metrics as Prometheus text."""
    content = await asyncio.to_thread(metrics.exposition)
    return Response(content, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get(
    "/healthz",
    response_class=PlainTextResponse,
    responses={200: _text("ok"), 503: {"description": "Not well.", **_text("cannot write the database: disk full")}},
)
async def read_health(services: Given) -> Response:
    """Whether the server is well: 200 `ok`, or 503 with a sentence. For a supervisor that restarts."""
    problem = services.health() or services.exchange.last_error
    if problem is None:
        try:
            await asyncio.to_thread(services.registry.check)
        except StoreError as error:
            problem = str(error)
    return _state(problem)


@router.get(
    "/readyz",
    response_class=PlainTextResponse,
    responses={200: _text("ok"), 503: {"description": "Not now.", **_text("stopping")}},
)
async def read_readiness(services: Given) -> Response:
    """Whether the server takes traffic now: 200 `ok`, or 503 with a sentence. For a load balancer."""
    return _state(services.ready())


def _state(problem: str | None) -> Response:
    return PlainTextResponse(problem or "ok", 503 if problem else 200)
