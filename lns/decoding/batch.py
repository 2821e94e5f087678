"""Decoding a batch of uplinks: grouped by codec version, because V8 is only fast in batches."""

import asyncio
from collections.abc import Callable, Iterator, Sequence

from decoders.contract import Request, Result
from decoders.pool import Pool
from lns import metrics
from lns.decoding.codecs import Codec, Codecs
from lns.decoding.memory import Memories, session_of
from lns.exchange.records import Uplink

Choose = Callable[[int], Codec | None]
"""The codec version for a device's id; None: its uplinks are not decoded."""

Done = tuple[Codec, Result]


async def decode(
    pool: Pool, codecs: Codecs, uplinks: Sequence[Uplink], choose: Choose, memories: Memories
) -> list[Done | None]:
    """For each uplink the codec version and what it made of it; None where there is nothing or nobody to decode.

    `memories` are read only: it is the caller who notes what came out, when that is stored.
    """
    groups: dict[Codec, list[int]] = {}
    for index, uplink in enumerate(uplinks):
        codec = choose(uplink.device_id) if uplink.data and uplink.fport != 0 else None
        if codec is not None:
            groups.setdefault(codec, []).append(index)
    results: list[Done | None] = [None] * len(uplinks)

    async def run(codec: Codec, indexes: list[int]) -> None:
        needs = codec.needs
        if needs.memory:
            await run_in_order(codec, indexes)
            return
        wanted = [uplinks[index] for index in indexes]
        requests = [with_context(codecs, u) for u in wanted] if needs.context else [request(codecs, u) for u in wanted]
        await run_requests(codec, indexes, requests)

    async def run_in_order(codec: Codec, indexes: list[int]) -> None:
        known = memories.aside()
        for part in _by_session(uplinks, indexes):
            await run_requests(codec, part, [with_memory(codecs, codec, uplinks[index], known) for index in part])
            for index in part:
                if (done := results[index]) is not None:
                    known.note(codec, uplinks[index], done[1])

    async def run_requests(codec: Codec, indexes: list[int], requests: list[Request]) -> None:
        found = await pool.decode(codec.key, codec.source, requests, codec.convention)
        for index, result in zip(indexes, found, strict=True):
            results[index] = codec, result
            metrics.decode_time.observe(result.duration_us, codec.name)

    if len(groups) == 1:
        await run(*groups.popitem())
    elif groups:
        async with asyncio.TaskGroup() as tasks:
            for codec, indexes in groups.items():
                tasks.create_task(run(codec, indexes), name=f"decode {codec.name}")
    return results


def request(codecs: Codecs, uplink: Uplink) -> Request:
    """What every decoder is told of an uplink."""
    variables = codecs.variables(uplink.device_id)
    return Request(uplink.data, uplink.fport or 0, uplink.received_at_us, uplink.dev_eui, uplink.fcnt_up, variables)


def with_context(codecs: Codecs, uplink: Uplink, previous: str | None = None, state: str | None = None) -> Request:
    """What a decoder is told that asks for more."""
    variables, context = codecs.variables(uplink.device_id), codecs.contexts.of(uplink, previous)
    who = (uplink.received_at_us, uplink.dev_eui, uplink.fcnt_up)
    return Request(uplink.data, uplink.fport or 0, *who, variables, context, state)


def with_memory(codecs: Codecs, codec: Codec, uplink: Uplink, memories: Memories) -> Request:
    """What a decoder is told that builds on the device's uplink before."""
    memory = memories.of(codec, uplink)
    previous = memory.previous if codec.needs.previous else None
    return with_context(codecs, uplink, previous, memory.state if codec.needs.state else None)


def _by_session(uplinks: Sequence[Uplink], indexes: list[int]) -> Iterator[list[int]]:
    """Parts in each of which no device has two sessions: within a part the pool hands a device's state on."""
    sessions: dict[int, bytes] = {}
    part: list[int] = []
    for index in indexes:
        uplink = uplinks[index]
        session = session_of(uplink)
        if sessions.setdefault(uplink.device_id, session) != session:
            yield part
            sessions, part = {uplink.device_id: session}, []
        part.append(index)
    yield part
