"""A device template from the template library, with all it needs: made once, then found."""

import asyncio
from typing import Any

import msgspec

from lns.api.bench import checked, refusal, tried
from lns.api.problems import ApiProblem
from lns.api.services import Services
from lns.library.item import Item, template_name
from lns.library.packaged import packaged
from lns.registry.errors import RegistryError
from lns.registry.rows import DeviceTemplate

Examples = list[dict[str, Any]]


class _Script(msgspec.Struct, frozen=True):
    sha256: str
    source: str
    examples: Examples


async def from_library(
    services: Services, item_id: str, name: str | None = None, author: str = "", force_reason: str | None = None
) -> DeviceTemplate:
    """The template of a library's item, made where it is not there yet, with its codec in use."""
    templates = services.registry.templates
    item, script = await _found(services, item_id)
    name = name or template_name(item.id)
    known = {template.name: template for template in await asyncio.to_thread(templates.all)}
    if name in known:
        if known[name].library_item == item.id:
            return known[name]
        text = f"device template {name!r} exists already and is not from {item.id}: give another name"
        raise ApiProblem(409, "conflict", text)
    codec = item.built_in if script is None else await _codec(services, name, item, script, author, force_reason)
    values = {**item.template, "name": name, "codec": codec, "description": item.description}
    return await asyncio.to_thread(templates.add, values, item.id)


async def _found(services: Services, item_id: str) -> tuple[Item, _Script | None]:
    """An item with its script: our own from memory, others from the database."""
    own = (await asyncio.to_thread(packaged)).get(item_id)
    if own is not None:
        codec = own.codec
        _usable(own.item)
        return own.item, None if codec is None else _Script(codec.sha256, codec.source, codec.examples)
    library = services.registry.library
    item = await asyncio.to_thread(library.get, item_id)
    if item.codec_sha256 is None:
        return item, None
    stored = (await asyncio.to_thread(library.codecs, [item.codec_sha256]))[item.codec_sha256]
    if stored.problem is not None:
        raise ApiProblem(409, "conflict", f"the codec of {item_id} cannot run: {stored.problem}")
    return item, _Script(stored.sha256, stored.source, stored.examples)


def _usable(item: Item) -> None:
    if item.problem is not None:
        raise ApiProblem(409, "conflict", f"{item.id} cannot be used: {item.problem}")


async def _codec(
    services: Services, name: str, item: Item, script: _Script, author: str, force_reason: str | None
) -> str:
    """The name of a codec that runs the script now; a new one where there is none."""
    codecs = services.registry.codecs
    for version in await asyncio.to_thread(codecs.active):
        if version.sha256 == script.sha256:
            return version.codec
    convention = await checked(services, script.source)
    bench = await tried(services, script.source, convention, script.examples)
    why_not = refusal(bench)
    if why_not is not None and not force_reason:
        forced = f"lns template add-from-library {item.id} --force-reason ..."
        text = f"the codec of {item.id}: {why_not}; to use it all the same, add the template with a reason: {forced}"
        raise ApiProblem(409, "examples_fail", text)
    note = f"from the template library, {item.id}"
    try:
        version = await asyncio.to_thread(codecs.add, name, script.source, convention, note, author, bench.tested)
    except RegistryError as error:
        text = f"{item.id} brings a codec, but {error}; or give the template another name"
        raise ApiProblem(409, "conflict", text) from error
    if why_not is not None:
        await asyncio.to_thread(codecs.activate, name, version.number, author, force_reason)
    await services.decoding.reload_codecs()
    return name
