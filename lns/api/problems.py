"""Every failure of the API is one JSON shape with a sentence that says what to do."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from lns.errors import StoreError
from lns.registry.errors import RegistryError

_STATUS = {"not_found": 404, "conflict": 409, "invalid": 422}
_SLUGS = {404: "not_found", 405: "method_not_allowed"}
_SHOWN = 40  # characters of a refused value that are repeated


class ApiProblem(Exception):
    """A refusal of a route: HTTP status, slug and sentence."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code = status, code


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: str = Field(description="Slug to act on.", examples=["not_found"])
    message: str = Field(
        description="Sentence for people: the value, the limit, what to do.",
        examples=["device 70b3d57ed0000001 does not exist"],
    )


class ErrorReply(BaseModel):
    """The body of every answer with a status of 400 or above."""

    error: ErrorDetail


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for the failures a route can give, beside those of every route."""
    texts = {
        401: "The key is missing, unknown or expired.",
        403: "The key has not the permission.",
        404: "What the path names does not exist.",
        409: "It contradicts what is stored.",
        413: "The body is too large.",
        422: "A value is wrong; the message names it and the limit.",
        503: "A database or worker cannot be used now.",
    }
    return {status: {"model": ErrorReply, "description": texts[status]} for status in (401, 403, 422, *statuses)}


def install(app: FastAPI) -> None:
    """Make `app` answer every failure in the one shape."""

    @app.exception_handler(ApiProblem)
    async def _problem(_: Request, problem: ApiProblem) -> JSONResponse:
        return _reply(problem.status, problem.code, str(problem))

    @app.exception_handler(RegistryError)
    async def _registry(_: Request, error: RegistryError) -> JSONResponse:
        return _reply(_STATUS[error.code], error.code, str(error))

    @app.exception_handler(StoreError)
    async def _store(_: Request, error: StoreError) -> JSONResponse:
        return _reply(503, "store", str(error))

    @app.exception_handler(RequestValidationError)
    async def _validation(_: Request, error: RequestValidationError) -> JSONResponse:
        return _reply(422, "invalid", validation_text(error.errors()))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        path = request.url.path
        texts = {404: f"there is nothing at {path}: see /docs", 405: f"{request.method} is not possible at {path}"}
        text = texts.get(error.status_code, str(error.detail))
        return _reply(error.status_code, _SLUGS.get(error.status_code, "bad_request"), text)

    @app.exception_handler(Exception)
    async def _bug(_: Request, __: Exception) -> JSONResponse:
        return _reply(500, "internal", "the server failed to answer this request, its log says why")


def validation_text(errors: Any) -> str:
    """Pydantic's findings as one sentence: field, complaint and the value, but never a key or a whole body."""
    return "; ".join(_complaint(error) for error in errors)


def _complaint(error: dict[str, Any]) -> str:
    where = [str(part) for part in error["loc"] if part not in ("body", "query", "path")]
    field = ".".join(where) or "body"
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "json_invalid":
        return f"the body is not JSON at byte {field}: {error['ctx']['error']}"
    if error["type"] == "value_error":
        return f"{field}: {message}"
    if error["type"] == "extra_forbidden":
        return f"{field}: there is no such field"
    if error["type"] == "missing":
        return f"{field} is missing"
    value = error.get("input")
    shown = isinstance(value, str | int | float | bool) and not field.endswith("_key") and len(str(value)) <= _SHOWN
    return f"{field}: {message[:1].lower()}{message[1:]}" + (f", not {value!r}" if shown else "")


def _reply(status: int, code: str, text: str) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse({"error": {"code": code, "message": text}}, status, headers)
