"""Each codec of the library, run by the real decoders: on its examples, both ways, and on octets from nowhere."""

import random
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from decoders.contract import Downlink, Request
from decoders.examples import run_examples
from decoders.normalise import flatten
from decoders.pool import Pool
from tests.codecs.families import FAMILIES, Family
from tests.decoders.conftest import RECEIVED_US, key_of, request, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

each_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
each_script = pytest.mark.parametrize(
    "family", [family for family in FAMILIES if family.source], ids=lambda family: family.name
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    """A real pool."""
    async with running() as shared:
        yield shared


@each_family
async def test_every_example_comes_out_as_written(pool: Pool, family: Family) -> None:
    for outcome in await run_examples(pool, family.source, None, family.examples):
        assert [difference.text() for difference in outcome.differences] == [], outcome.example.description
        if outcome.example.kind == "uplink":
            assert outcome.got.get("warnings", []) == list(outcome.example.expected.warnings or [])


@each_family
async def test_every_value_of_the_examples_is_described_and_within_its_range(pool: Pool, family: Family) -> None:
    for outcome in await run_examples(pool, family.source, None, family.of("uplink")):
        samples, warnings = flatten(outcome.got.get("data", {}))
        assert warnings == []
        for name, value, unit, _ in samples:
            field = family.fields[name]
            if isinstance(value, (bool, str)):
                assert not {"unit", "min", "max"} & set(field), name
            else:
                assert unit in (None, field["unit"])
                assert field.get("min", value) <= value <= field.get("max", value), name


@each_script
async def test_what_it_encodes_it_can_read_back(pool: Pool, family: Family) -> None:
    encodings = [example for example in family.of("downlink-encode") if example.expected.errors is None]
    for outcome in await run_examples(pool, family.source, None, encodings):
        downlink = Request(bytes(outcome.got["bytes"]), outcome.got["fPort"], RECEIVED_US, "0" * 16, 0)
        (back,) = await pool.decode_downlink(key_of(family.source), family.source, [downlink])
        assert msgspec.json.decode(back.data_json) == outcome.example.input.data


@pytest.mark.parametrize(
    "family", [family for family in FAMILIES if family.of("downlink-encode")], ids=lambda family: family.name
)
async def test_any_settings_give_octets_or_a_reason(pool: Pool, family: Family) -> None:
    names = {name for example in family.of("downlink-encode") for name in example.input.data}
    odd = [None, True, "", "60", -60, 0, 0.5, 61.7, 1e9, 2**53, [], [60], {}, {"a": 1}]
    for data in [{name: value} for name in names for value in odd] + [*odd, dict.fromkeys(names, 60)]:
        downlink = Downlink(msgspec.json.encode(data), 1, RECEIVED_US, "0" * 16, 0)
        encoded = await pool.encode_downlink(key_of(family.source), family.source, downlink)
        if encoded.error is None:
            assert encoded.payload
            assert 1 <= encoded.fport <= 223, data
        else:
            assert encoded.error.reason == "script_error", (data, encoded.error)


@each_script
async def test_any_octets_give_values_or_a_reason(pool: Pool, family: Family) -> None:
    chance = random.Random(family.name)
    examples = [example.input for example in family.of("uplink")]
    requests = []
    for _ in range(300):
        given = chance.choice(examples)
        octets = bytearray(given.payload if chance.random() < 0.7 else chance.randbytes(chance.randint(1, 60)))
        octets[chance.randrange(len(octets))] = chance.randrange(256)
        kept = chance.randint(1, len(octets)) if chance.random() < 0.2 else len(octets)
        requests.append(request(bytes(octets[:kept]), given.fport, variables=given.variables))
    results = await pool.decode(key_of(family.source), family.source, requests)
    told_by = "script_error" if "function decodeUplink" in family.source else "exception"
    assert {result.error.reason for result in results if result.error is not None} <= {told_by}
    assert [warning for result in results for warning in result.warnings if "has no value" in warning] == []
