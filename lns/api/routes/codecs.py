"""Codecs: upload, versions, trying one by hand."""

import asyncio
import hashlib
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from decoders.contract import Request, Result
from lns.api import times
from lns.api.auth import needs
from lns.api.problems import ApiProblem, documented
from lns.api.services import Given, Services
from lns.api.shapes import Body, Name, Page, answer, example
from lns.registry.clock import now_us
from lns.registry.rows import Codec, CodecVersion

router = APIRouter(prefix="/codecs", tags=["codecs"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]
_SOURCE = "function decodeUplink(input) { return { data: { temperature: input.bytes[0] / 2 } }; }"


class CodecBody(Body):
    """A codec to create; its first version is in use at once."""

    model_config = example(name="lht65", source=_SOURCE, note="from the vendor's page")

    name: str = Field(description="1 to 64 characters without a slash; unique.")
    source: str = Field(description="JavaScript with decodeUplink, Decoder or Decode.")
    note: str = Field("", description="What is new in this version.")


class VersionBody(Body):
    """A new version of a codec."""

    model_config = example(source=_SOURCE, note="humidity in percent", activate=True)

    source: str = Field(description="JavaScript with decodeUplink, Decoder or Decode.")
    note: str = Field("", description="What is new in this version.")
    activate: bool = Field(True, description="Use it from the next uplink on.")


class ActivateBody(Body):
    """The version to use."""

    model_config = example(version=1)

    version: int = Field(ge=1, description="Number of a version, an older one too.")


class RunBody(Body):
    """A codec, stored or not, and one payload for it."""

    model_config = example(source=_SOURCE, fport=2, payload="2b")

    source: str | None = Field(None, description="JavaScript; or `codec`.")
    codec: str | None = Field(None, description="Name of a stored codec, whose version in use runs.")
    fport: int = Field(ge=0, le=255, description="FPort the codec is told.")
    payload: str = Field(min_length=2, max_length=512, description="Decrypted payload as hex.")
    recv_time: times.Instant | None = Field(None, description="The script's clock, RFC 3339; null: now.")
    variables: dict[str, str] = Field({}, description="What the script sees as `variables`.")


class VersionSummary(BaseModel):
    """A version without its source."""

    version: int = Field(examples=[1])
    sha256: str = Field(description="Of the source; `builtin:...` for a codec without one.")
    convention: str = Field(description="What the source follows.", examples=["ts013"])
    note: str
    created_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])


class VersionReply(VersionSummary):
    """A version that was stored or activated."""

    codec: str = Field(examples=["lht65"])
    active: bool = Field(description="It is in use.")


class CodecSummary(BaseModel):
    """A codec in the list."""

    name: str = Field(examples=["lht65"])
    active_version: int | None = Field(examples=[1])
    versions: int = Field(description="How many versions it has.", examples=[1])
    convention: str | None = Field(description="Of the version in use.", examples=["ts013"])
    created_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])


class CodecReply(BaseModel):
    """A codec with its versions and the source of one of them."""

    name: str = Field(examples=["lht65"])
    active_version: int | None = Field(examples=[1])
    versions: list[VersionSummary]
    source: str = Field(description="Of the version asked for, else of the one in use.", examples=[_SOURCE])
    created_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])


class RunReply(BaseModel):
    """What the codec made of the payload; `data` is null where it failed."""

    data: Any = Field(examples=[{"temperature": 21.5}])
    warnings: list[str]
    errors: list[str] = Field(description="With line and column in the source, where known.")
    logs: list[str] = Field(description="What the script wrote to its console.")
    duration_us: int = Field(examples=[120])


@router.get("", dependencies=_READ, response_model=Page[CodecSummary], responses=documented())
async def list_codecs(services: Given) -> Response:
    """List codecs, by name. `cayenne-lpp` is built in."""

    def page() -> dict[str, Any]:
        conventions = {version.codec: version.convention for version in services.registry.codecs.active()}
        codecs = services.registry.codecs.all()
        return {"items": [_summary(codec, conventions.get(codec.name)) for codec in codecs], "next": None}

    return await answer(page)


@router.post("", dependencies=_WRITE, status_code=201, response_model=VersionReply, responses=documented(409, 503))
async def create_codec(body: CodecBody, services: Given) -> dict[str, Any]:
    """Create a codec. The source is tried first: what cannot run is refused with line and column."""
    convention = await _check(services, body.source)
    version = await asyncio.to_thread(services.registry.codecs.add, body.name, body.source, convention, body.note)
    await services.decoding.reload_codecs()
    return _version(version, active=True)


@router.post("/run", dependencies=_WRITE, response_model=RunReply, responses=documented(404, 503))
async def run_codec(body: RunBody, services: Given) -> dict[str, Any]:
    """Run a codec on one payload. Nothing is stored."""
    key, source = await _to_run(services, body)
    try:
        payload = bytes.fromhex(body.payload)
    except ValueError:
        raise ApiProblem(422, "invalid", "payload is not hex") from None
    at_us = body.recv_time if body.recv_time is not None else now_us()
    request = Request(payload, body.fport, at_us, "0" * 16, 0, body.variables)
    (result,) = await services.decoder_pool.decode(key, source, [request])
    return _run_reply(result)


@router.get("/{name}", dependencies=_READ, response_model=CodecReply, responses=documented(404))
async def get_codec(
    name: Name,
    services: Given,
    version: Annotated[
        int | None, Query(ge=1, description="Version to show the source of; else the one in use.")
    ] = None,
) -> Response:
    """Show a codec with its versions and its source."""

    def read() -> dict[str, Any]:
        codec, versions = services.registry.codecs.get(name), services.registry.codecs.versions(name)
        wanted = version or codec.active_version
        chosen = next((v for v in versions if v.number == wanted), None)
        if chosen is None and version is not None:
            raise ApiProblem(404, "not_found", f"codec {name!r} has no version {version}, it has 1 to {len(versions)}")
        return {
            "name": codec.name,
            "active_version": codec.active_version,
            "versions": [_version_summary(v) for v in versions],
            "source": chosen.source if chosen else "",
            "created_at": times.text(codec.created_at_us),
        }

    return await answer(read)


@router.post(
    "/{name}/versions",
    dependencies=_WRITE,
    status_code=201,
    response_model=VersionReply,
    responses=documented(404, 409, 503),
)
async def add_codec_version(name: Name, body: VersionBody, services: Given) -> dict[str, Any]:
    """Add a version to a codec; by default it is in use from the next uplink on."""
    convention = await _check(services, body.source)
    add = services.registry.codecs.add_version
    version = await asyncio.to_thread(add, name, body.source, convention, body.note, body.activate)
    await services.decoding.reload_codecs()
    return _version(version, active=body.activate)


@router.post("/{name}/activate", dependencies=_WRITE, response_model=VersionReply, responses=documented(404))
async def activate_codec_version(name: Name, body: ActivateBody, services: Given) -> dict[str, Any]:
    """Use another version of a codec, an older one too, from the next uplink on."""
    version = await asyncio.to_thread(services.registry.codecs.activate, name, body.version)
    await services.decoding.reload_codecs()
    return _version(version, active=True)


async def _check(services: Services, source: str) -> str:
    """The convention a source follows; a source that cannot run is refused."""
    report = await services.decoder_pool.check(source)
    if report.problem is not None:
        raise ApiProblem(422, "invalid", f"source: {report.problem.text()}")
    return report.convention or ""


async def _to_run(services: Services, body: RunBody) -> tuple[str, str]:
    """Key and source of what is to run."""
    if (body.source is None) == (body.codec is None):
        raise ApiProblem(422, "invalid", "give source or codec, one of them")
    if body.source is not None:
        await _check(services, body.source)
        return hashlib.sha256(body.source.encode()).hexdigest(), body.source
    name = body.codec or ""
    active = await asyncio.to_thread(services.registry.codecs.active)
    version = next((v for v in active if v.codec == name), None)
    if version is None:
        raise ApiProblem(404, "not_found", f"codec {name!r} does not exist")
    return version.sha256, version.source


def _run_reply(result: Result) -> dict[str, Any]:
    return {
        "data": msgspec.json.decode(result.data_json) if result.data_json and result.error is None else None,
        "warnings": result.warnings,
        "errors": [] if result.error is None else [result.error.text()],
        "logs": result.logs,
        "duration_us": result.duration_us,
    }


def _summary(codec: Codec, convention: str | None) -> dict[str, Any]:
    return {
        "name": codec.name,
        "active_version": codec.active_version,
        "versions": codec.versions,
        "convention": convention,
        "created_at": times.text(codec.created_at_us),
    }


def _version_summary(version: CodecVersion) -> dict[str, Any]:
    return {
        "version": version.number,
        "sha256": version.sha256,
        "convention": version.convention,
        "note": version.note,
        "created_at": times.text(version.created_at_us),
    }


def _version(version: CodecVersion, active: bool) -> dict[str, Any]:
    return {**_version_summary(version), "codec": version.codec, "active": active}
