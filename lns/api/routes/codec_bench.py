"""The bench of codec authors: run a codec on one payload, run its examples, make examples of what came in."""

import asyncio
import hashlib
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path

from decoders.contract import Request
from lns.api import times
from lns.api.auth import needs
from lns.api.bench import checked, tried
from lns.api.outcomes import offending, run_reply, shown_outcome
from lns.api.problems import ApiProblem, documented
from lns.api.routes.bench_shapes import (
    ContextBody,
    ExampleBody,
    ExamplesBody,
    ExamplesReply,
    RunBody,
    RunReply,
    TestBody,
    TestReply,
)
from lns.api.routes.codec_shapes import Examples, check_convention
from lns.api.services import Given, Services
from lns.api.shapes import Name
from lns.clock import now_us
from lns.exchange.records import Uplink
from lns.registry.codec_names import split_version
from lns.registry.rows import CodecVersion

router = APIRouter(prefix="/codecs", tags=["codecs"])

_WRITE = [Depends(needs("write"))]

_LOOK_BACK, _LOOKS = 2000, 50
"""Uplinks read at a time, and how often, to find a device's newest one."""

Which = Annotated[str, Path(description="Number of a version, `active` or `draft` (the newest).", examples=["1"])]


@router.post("/run", dependencies=_WRITE, response_model=RunReply, responses=documented(404, 503))
async def run_codec(body: RunBody, services: Given) -> dict[str, Any]:
    """Run a codec on one payload. Nothing is stored."""
    key, source, convention = await _chosen(services, body.source, body.codec, body.convention)
    try:
        payload = bytes.fromhex(body.payload)
    except ValueError:
        raise ApiProblem(422, "invalid", "payload is not hex") from None
    at_us = body.recv_time if body.recv_time is not None else now_us()
    given = body.context or ContextBody.model_validate({})
    context = None if body.context is None else body.context.told()
    request = Request(payload, body.fport, at_us, given.dev_eui, given.fcnt, body.variables, context, given.state)
    (result,) = await services.decoder_pool.decode(key, source, [request], convention, measure=True)
    return {**run_reply(result, source), "input": offending(payload, body.fport, None)}


@router.post("/test", dependencies=_WRITE, response_model=TestReply, responses=documented(404, 503))
async def test_codec(body: TestBody, services: Given) -> dict[str, Any]:
    """Run examples of a codec, given or stored with it. Nothing is stored."""
    _, source, convention = await _chosen(services, body.source, body.codec, body.convention)
    examples = body.examples
    if examples is None:
        if body.codec is None:
            raise ApiProblem(422, "invalid", "give examples: a source that is not stored has none")
        examples = (await _stored(services, body.codec)).examples
    bench = await tried(services, source, convention, examples)
    return {
        "convention": convention or "builtin",
        "passed": bench.tested.passed,
        "failed": bench.tested.failed,
        "outcomes": [shown_outcome(outcome, source) for outcome in bench.outcomes],
    }


@router.post(
    "/{name}/versions/{version}/examples",
    dependencies=_WRITE,
    status_code=201,
    response_model=ExamplesReply,
    responses=documented(404, 503),
)
async def add_codec_example(name: Name, version: Which, body: ExampleBody, services: Given) -> dict[str, Any]:
    """Add an example to a version, the cheapest way being from an uplink that came in.

    Of an uplink, what the version makes of it now is taken as right: look at it, then correct the codec or keep it.
    """
    if sum(given is not None for given in (body.example, body.uplink_seq, body.device)) != 1:
        raise ApiProblem(422, "invalid", "give example, uplink_seq or device, one of them")
    chosen = await asyncio.to_thread(services.registry.codecs.version, name, version)
    added = body.example
    if added is None:
        uplink = await _picked(services, body.uplink_seq, body.device or "")
        added = await _of_uplink(services, chosen, uplink, body.description)
    return await _keep(services, chosen, [*chosen.examples, added])


@router.put(
    "/{name}/versions/{version}/examples",
    dependencies=_WRITE,
    response_model=ExamplesReply,
    responses=documented(404, 503),
)
async def replace_codec_examples(name: Name, version: Which, body: ExamplesBody, services: Given) -> dict[str, Any]:
    """Replace the examples of a version; they are run, and none of them has to pass."""
    chosen = await asyncio.to_thread(services.registry.codecs.version, name, version)
    return await _keep(services, chosen, body.examples)


async def _keep(services: Services, version: CodecVersion, examples: Examples) -> dict[str, Any]:
    convention = None if version.convention == "builtin" else version.convention
    bench = await tried(services, version.source, convention, examples)
    kept = await asyncio.to_thread(services.registry.codecs.put_examples, version.codec, version.number, bench.tested)
    return {"examples": kept.examples, "passed": kept.passed, "failed": kept.failed}


async def _picked(services: Services, seq: int | None, dev_eui: str) -> Uplink:
    """The uplink at a place in the log, else the newest of a device; it has something to decode."""
    if seq is not None:
        stored = await services.exchange.pick(seq)
        if stored is None or not isinstance(stored.record, Uplink) or not stored.record.data:
            raise ApiProblem(404, "not_found", f"the log has no uplink with a payload at {seq}")
        return stored.record
    await asyncio.to_thread(services.registry.devices.id, dev_eui)
    before = services.exchange.head_seq + 1
    for _ in range(_LOOKS):
        for one in await services.exchange.read_back(before, "uplink", _LOOK_BACK):
            before = one.seq
            if (
                isinstance(one.record, Uplink)
                and one.record.dev_eui == dev_eui
                and one.record.data
                and one.record.fport
            ):
                return one.record
    raise ApiProblem(
        404, "not_found", f"none of the last {_LOOKS * _LOOK_BACK} uplinks is one of {dev_eui} with a payload"
    )


async def _of_uplink(services: Services, version: CodecVersion, uplink: Uplink, description: str) -> dict[str, Any]:
    """An example from a stored uplink and what the version makes of it."""
    variables = services.codecs.variables(uplink.device_id)
    request = Request(uplink.data, uplink.fport or 0, uplink.received_at_us, uplink.dev_eui, uplink.fcnt_up, variables)
    convention = None if version.convention == "builtin" else version.convention
    (result,) = await services.decoder_pool.decode(version.sha256, version.source, [request], convention)
    given = {
        "bytes": list(uplink.data),
        "fPort": uplink.fport or 0,
        "recvTime": times.text(uplink.received_at_us),
        **({"variables": variables} if variables else {}),
    }
    output = {"errors": [result.error.message]} if result.error else {"data": msgspec.json.decode(result.data_json)}
    warned = {"warnings": result.warnings} if result.warnings else {}
    name = description or f"uplink {uplink.fcnt_up} of {uplink.dev_eui}"
    return {"type": "uplink", "description": name, "input": given, "output": {**output, **warned}}


async def _chosen(
    services: Services, source: str | None, codec: str | None, convention: str | None
) -> tuple[str, str, str | None]:
    """Key, source and convention of what is to run."""
    if (source is None) == (codec is None):
        raise ApiProblem(422, "invalid", "give source or codec, one of them")
    if source is not None:
        known = await checked(services, source, check_convention(convention))
        return hashlib.sha256(source.encode()).hexdigest(), source, known or None
    version = await _stored(services, codec or "")
    return version.sha256, version.source, None if version.convention == "builtin" else version.convention


async def _stored(services: Services, named: str) -> CodecVersion:
    name, which = split_version(named)
    return await asyncio.to_thread(services.registry.codecs.version, name, which)
