"""Hostile scripts beside an honest one in one pool: each ends as its header says and changes no result of others."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from decoders.contract import Context, Gateway, Request, Result
from decoders.pool import Pool
from tests.decoders.attack_scripts import PAYLOADS, Attack, attacks
from tests.decoders.conftest import key_of, request, running

ATTACKS = attacks()
HONEST = (
    "function decodeUplink(input) { var bytes = input.bytes; var leaks = Object.keys(globalThis).length; "
    "return {data: {n: bytes[0], sum: bytes.reduce(function (a, b) { return a + b; }), leaks: leaks, "
    "text: bytes.map(function (b) { return b.toString(16); }).join(' ')}, warnings: ['w']}; }"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    async with running() as shared:
        yield shared


def uplinks() -> list[Request]:
    """One of each of three devices, which have values that are not ASCII and places that are not whole."""
    gateway = Gateway("0102030405060708", -101.5, 7.25, 47.3769, 8.5417, 408.5)
    context = Context("Keller Zürich", {"place": "Zürich"}, 5, "SF7BW125", 868_100_000, (gateway,))
    return [
        request(payload, dev_eui=f"{n:016x}", fcnt=n, variables={"place": "Zürich"}, context=context)
        for n, payload in enumerate(PAYLOADS)
    ]


async def honest(pool: Pool) -> list[Result]:
    found = await pool.decode(key_of(HONEST), HONEST, [request(bytes([n, n + 1])) for n in range(1, 51)])
    return [Result(result.data_json, result.samples, result.warnings, result.error) for result in found]


async def strike(pool: Pool, attack: Attack) -> list[Result]:
    """Upload the script as an author would, and let devices use it."""
    key = key_of(attack.source)
    problem = (await pool.check(attack.source)).problem
    if problem is not None:
        return [Result(error=problem)]
    return await pool.decode(key, attack.source, uplinks())


def test_there_are_attacks_of_every_kind() -> None:
    kinds = {attack.name.partition("_")[0] for attack in ATTACKS}
    assert kinds >= {"loop", "regex", "native", "memory", "stack", "result", "throw", "pollute", "state", "poison"}
    assert kinds >= {"escape", "one", "killer", "input", "console", "convention", "syntax"}
    assert len(ATTACKS) >= 60


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
async def test_an_attack_ends_as_it_should_and_the_honest_codec_notices_nothing(pool: Pool, attack: Attack) -> None:
    expected = await honest(pool)
    results, *meanwhile = await asyncio.gather(strike(pool, attack), *(honest(pool) for _ in range(3)))
    assert meanwhile == [expected] * 3
    assert [result.error for result in expected] == [None] * 50
    if len(results) == 1:
        error = results[0].error
        assert error is not None
        assert error.reason in attack.refused, error.text()
        return
    ends = [(result.error.reason if result.error else None, result.data_json) for result in results]
    wrong = [end for place, end in enumerate(ends) if not attack.accepts(place, *end)]
    assert wrong == []
    assert await honest(pool) == expected
