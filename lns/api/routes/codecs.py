"""Codecs and their versions: upload, activate, roll back."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from lns.api.auth import needs
from lns.api.bench import Bench, checked, refusal, tried, tried_again
from lns.api.problems import ApiProblem, documented
from lns.api.routes.codec_shapes import (
    ActivateBody,
    CodecBody,
    CodecReply,
    CodecSummary,
    RetireBody,
    VersionBody,
    VersionReply,
    activation_reply,
    check_convention,
    codec_summary,
    version_reply,
    version_summary,
)
from lns.api.services import Given, Services
from lns.api.shapes import Name, Page, answer
from lns.api.times import text
from lns.registry.rows import ApiKey, CodecVersion

router = APIRouter(prefix="/codecs", tags=["codecs"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]
Author = Annotated[ApiKey, Depends(needs("write"))]


@router.get("", dependencies=_READ, response_model=Page[CodecSummary], responses=documented())
async def list_codecs(services: Given) -> Response:
    """List codecs, by name. `cayenne-lpp` is built in."""

    def page() -> dict[str, Any]:
        conventions = {version.codec: version.convention for version in services.registry.codecs.active()}
        codecs = services.registry.codecs.all()
        return {"items": [codec_summary(codec, conventions.get(codec.name)) for codec in codecs], "next": None}

    return await answer(page)


@router.post("", status_code=201, response_model=VersionReply, responses=documented(409, 503))
async def create_codec(body: CodecBody, services: Given, author: Author) -> dict[str, Any]:
    """Create a codec. The source is tried first: what cannot run is refused with line and column.

    Its examples are run. When one fails the version stays a draft, and `refused` says why, unless `force_reason` says
    why not.
    """
    convention = await checked(services, body.source, check_convention(body.convention))
    bench = await tried(services, body.source, convention, body.examples)
    stored = (body.note, author.name, bench.tested, body.activate)
    version = await asyncio.to_thread(services.registry.codecs.add, body.name, body.source, convention, *stored)
    return await _stored(services, body, version, author, bench)


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
        codecs = services.registry.codecs
        codec, versions = codecs.get(name), codecs.versions(name)
        wanted = version or codec.active_version or versions[-1].number
        chosen = next((v for v in versions if v.number == wanted), None)
        if chosen is None:
            raise ApiProblem(404, "not_found", f"codec {name!r} has no version {version}, it has 1 to {len(versions)}")
        return {
            "name": codec.name,
            "active_version": codec.active_version,
            "versions": [version_summary(v) for v in versions],
            "activations": [activation_reply(a) for a in codecs.activations(name)],
            "source": chosen.source,
            "examples": chosen.examples,
            "created_at": text(codec.created_at_us),
        }

    return await answer(read)


@router.post("/{name}/versions", status_code=201, response_model=VersionReply, responses=documented(404, 409, 503))
async def add_codec_version(name: Name, body: VersionBody, services: Given, author: Author) -> dict[str, Any]:
    """Add a version to a codec; by default it is in use from the next uplink on.

    Its examples are run, those of the version before where none are given. When one fails the version stays a draft,
    and `refused` says why, unless `force_reason` says why not.
    """
    codecs = services.registry.codecs
    convention = await checked(services, body.source, check_convention(body.convention))
    before = (await asyncio.to_thread(codecs.versions, name))[-1]
    examples = before.examples if body.examples is None else body.examples
    bench = await tried(services, body.source, convention, examples)
    version = await asyncio.to_thread(
        codecs.add_version, name, body.source, convention, body.note, body.activate, author.name, bench.tested
    )
    return await _stored(services, body, version, author, bench)


@router.post("/{name}/activate", response_model=VersionReply, responses=documented(404, 409))
async def activate_codec_version(name: Name, body: ActivateBody, services: Given, author: Author) -> dict[str, Any]:
    """Use another version of a codec, an older one too, from the next uplink on.

    Its examples are run first: one that fails refuses the activation, unless `force_reason` says why not.
    """
    codecs = services.registry.codecs
    chosen = await asyncio.to_thread(codecs.version, name, body.version)
    bench = await tried_again(services, chosen)
    why_not = refusal(bench)
    if why_not is not None and not body.force_reason:
        raise ApiProblem(409, "examples_fail", f"{why_not}; mend it, or give a reason to use it all the same")
    reason = body.force_reason if why_not is not None else None
    await asyncio.to_thread(codecs.put_examples, name, chosen.number, bench.tested)
    version = await asyncio.to_thread(codecs.activate, name, chosen.number, author.name, reason)
    await services.decoding.reload_codecs()
    return version_reply(version)


@router.post("/{name}/rollback", response_model=VersionReply, responses=documented(404, 409))
async def roll_codec_back(name: Name, services: Given, author: Author) -> dict[str, Any]:
    """Use again the version that the active one has replaced; its examples are not asked. Again goes back one more."""
    version = await asyncio.to_thread(services.registry.codecs.rollback, name, author.name)
    await services.decoding.reload_codecs()
    return version_reply(version)


@router.post("/{name}/retire", dependencies=_WRITE, response_model=VersionReply, responses=documented(404, 409))
async def retire_codec_version(name: Name, body: RetireBody, services: Given) -> dict[str, Any]:
    """Set a version aside that nobody is to use; activating it brings it back."""
    return version_reply(await asyncio.to_thread(services.registry.codecs.retire, name, body.version))


async def _stored(
    services: Services, body: CodecBody | VersionBody, version: CodecVersion, author: ApiKey, bench: Bench
) -> dict[str, Any]:
    """What became of an upload; one whose examples fail is used where the author insists."""
    if body.activate and body.force_reason and bench.tested.failed:
        use = (version.codec, version.number, author.name, body.force_reason)
        version = await asyncio.to_thread(services.registry.codecs.activate, *use)
    await services.decoding.reload_codecs()
    return version_reply(version, refusal(bench) if body.activate and version.state != "active" else None)
