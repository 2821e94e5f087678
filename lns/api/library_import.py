"""Taking items into the template library: each checked, its codec tried, its examples run."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from decoders.contract import MAX_SOURCE_BYTES
from decoders.example_files import ExampleError
from decoders.examples import Example, Outcome, run_examples
from lns.api.bench import Bench, refusal
from lns.api.services import Services
from lns.library.example_json import from_ts013
from lns.library.item import BUILT_IN_CODECS, CodecSource, Item, by_source
from lns.library.own import ORIGIN
from lns.library.packaged import packaged
from lns.registry.codecs import MAX_EXAMPLES, Tested
from lns.registry.errors import RegistryError
from lns.registry.fields import MAX_TEXT
from lns.registry.network_settings import changed
from lns.registry.rows import LibraryCodec
from lns.registry.templates import check_template

AT_ONCE = 8
"""Codecs that are tried at the same time: enough to keep all workers busy, few enough to let live uplinks through."""
EXAMPLES_AT_ONCE = 5
MAX_OVERRUNS = 3
_OVERRUNS = ("timeout", "memory", "worker_died", "parked")
_MAX_ID = 200
_TEMPLATE_FIELDS = frozenset(
    ("lorawan_version", "supports_join", "uplink_interval_s", "max_measurements_per_hour", "network", "rules", "fields")
)


class Digested(msgspec.Struct, frozen=True):
    """An item, and the name of its whole content."""

    item: Item
    digest: str


class Batch(msgspec.Struct, frozen=True):
    """Some items and the codecs they name."""

    items: list[Digested]
    codecs: list[CodecSource] = []


class _Judged(msgspec.Struct, frozen=True):
    """A codec as it is stored, and what its author should know: why it cannot run, or which examples fail."""

    codec: LibraryCodec
    note: str | None = None


async def take(services: Services, batch: Batch, dry_run: bool) -> list[dict[str, Any]]:
    """Store what is good, and tell what became of each item."""
    library = services.registry.library
    judged = await _tried(services, by_source(batch.codecs).values())
    ids = [one.item.id for one in batch.items]
    problems = await asyncio.to_thread(lambda: [_problem(one.item) for one in batch.items])
    good = [one for one, problem in zip(batch.items, problems, strict=True) if problem is None]
    named = [one.item.codec_sha256 for one in good if one.item.codec_sha256 is not None]
    stored = await asyncio.to_thread(library.codecs, [sha256 for sha256 in named if sha256 not in judged])
    known = {**{sha256: _Judged(codec, codec.problem) for sha256, codec in stored.items()}, **judged}
    there = await asyncio.to_thread(library.ids, ids)
    taken = [(_clean(one.item), one.digest) for one in good if _has_codec(one.item, known)]
    if not dry_run:
        await asyncio.to_thread(library.put, taken, [found.codec for found in judged.values()])
    return [
        _result(one.item, problem, known, one.item.id in there)
        for one, problem in zip(batch.items, problems, strict=True)
    ]


async def _tried(services: Services, sources: Iterable[CodecSource]) -> dict[str, _Judged]:
    """Every source tried, with its examples, by hash."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def judged(source: CodecSource) -> _Judged:
        async with gate:
            return await _judged(services, source)

    return {found.codec.sha256: found for found in await asyncio.gather(*map(judged, sources))}


async def _judged(services: Services, given: CodecSource) -> _Judged:
    sha256, source = given.sha256, given.source
    examples = given.examples[:MAX_EXAMPLES]
    if len(source.encode()) > MAX_SOURCE_BYTES:
        problem = f"source has more than {MAX_SOURCE_BYTES} octets"
        return _Judged(LibraryCodec(sha256, "", "", [], 0, 0, problem), problem)
    report = await services.decoder_pool.check(source)
    if report.problem is not None:
        problem = report.problem.text()
        return _Judged(LibraryCodec(sha256, source, "", examples, 0, len(examples), problem), problem)
    convention = report.convention or ""
    try:
        read = from_ts013(examples)
    except ExampleError as error:
        return _Judged(LibraryCodec(sha256, source, convention, [], 0, 0, None), f"examples: {error}")
    outcomes = await _run(services, source, convention, read)
    passed = sum(outcome.passed for outcome in outcomes)
    failed = len(examples) - passed
    note = refusal(Bench(Tested(examples, passed, failed), outcomes)) or given.unread
    if len(outcomes) < len(examples):
        note = f"{note}; the rest of the {len(examples)} examples was not run"
    return _Judged(LibraryCodec(sha256, source, convention, examples, passed, failed, None), note)


async def _run(services: Services, source: str, convention: str, examples: list[Example]) -> list[Outcome]:
    """Outcomes of the examples, some at a time; a codec that runs over its limits again and again is left."""
    outcomes: list[Outcome] = []
    for at in range(0, len(examples), EXAMPLES_AT_ONCE):
        some = examples[at : at + EXAMPLES_AT_ONCE]
        outcomes += await run_examples(services.decoder_pool, source, convention or None, some, measure=False)
        if sum(one.error is not None and one.error.reason in _OVERRUNS for one in outcomes) >= MAX_OVERRUNS:
            break
    return outcomes


def _problem(item: Item) -> str | None:
    """Why an item cannot be used."""
    if item.problem is not None:
        return item.problem
    if not 0 < len(item.id) <= _MAX_ID or "/" not in item.id or not item.id.isprintable():
        return f"id is {item.id[:40]!r}: vendor/device in at most {_MAX_ID} characters is needed"
    if item.origin == ORIGIN or item.id in packaged():
        return f"{item.id} has the name of a library that is ours: give it another one"
    if not item.id.startswith(f"{item.origin}:"):
        return f"id {item.id!r} does not begin with the name of its library, {item.origin!r}, and a colon"
    if item.built_in is not None and item.built_in not in BUILT_IN_CODECS:
        return f"codec {item.built_in!r} is not built in"
    unknown = item.template.keys() - _TEMPLATE_FIELDS
    if unknown:
        return f"template has {', '.join(sorted(unknown))}, which it cannot have"
    try:
        check_template(item.template)
        changed({}, item.template.get("network") or {})
    except RegistryError as error:
        return str(error)
    return None


def _clean(item: Item) -> Item:
    """Descriptions of others may be long and have line breaks."""
    return msgspec.structs.replace(item, description=" ".join(item.description.split())[:MAX_TEXT])


def _has_codec(item: Item, known: Mapping[str, _Judged]) -> bool:
    return item.codec_sha256 is None or item.codec_sha256 in known


def _result(item: Item, problem: str | None, known: Mapping[str, _Judged], was_there: bool) -> dict[str, Any]:
    judged = known.get(item.codec_sha256 or "")
    if problem is None and not _has_codec(item, known):
        problem = "its codec was not sent"
    codec = judged.codec if judged is not None and problem is None else None
    return {
        "id": item.id,
        "ok": problem is None,
        "outcome": "refused" if problem is not None else "changed" if was_there else "added",
        "codec_runs": codec is not None and codec.problem is None,
        "passed": 0 if codec is None else codec.passed,
        "failed": 0 if codec is None else codec.failed,
        "error": problem or (None if judged is None else judged.note),
    }
