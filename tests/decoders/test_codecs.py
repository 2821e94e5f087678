"""The codecs that come with Inflight: their examples, plain node's opinion, and the layout of their folders."""

import asyncio
import json
import random
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from decoders import example_files
from decoders.examples import Example, run_examples
from decoders.pool import Pool
from tests.decoders.conftest import RECEIVED_US, key_of, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOLDERS = sorted(path.parent for path in (Path(__file__).parents[2] / "codecs").glob("*/*/codec.js"))
NODE = shutil.which("node")


@pytest.fixture(params=FOLDERS, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def folder(request: pytest.FixtureRequest) -> Path:
    """Each codec's folder."""
    return request.param


def uplinks(folder: Path) -> list[Example]:
    """Its examples of uplinks."""
    examples = example_files.read("examples.json", (folder / "examples.json").read_text("utf-8"))
    return [example for example in examples if example.kind == "uplink"]


async def test_its_examples_come_out_as_written(pool: Pool, folder: Path) -> None:
    source = (folder / "codec.js").read_text("utf-8")
    examples = example_files.read("examples.json", (folder / "examples.json").read_text("utf-8"))
    outcomes = await run_examples(pool, source, None, examples)
    assert [difference.text() for outcome in outcomes for difference in outcome.differences] == []


async def test_it_keeps_no_state(pool: Pool, folder: Path) -> None:
    report = await pool.check((folder / "codec.js").read_text("utf-8"))
    assert (report.problem, report.fresh) == (None, False)


@pytest.mark.skipif(NODE is None, reason="node is not installed: our decoding is NOT compared with plain node's")
async def test_plain_node_decodes_the_same(pool: Pool, folder: Path) -> None:
    source = (folder / "codec.js").read_text("utf-8")
    chance = random.Random(folder.name)
    examples = [example.input for example in uplinks(folder)]
    ports = sorted({example.fport for example in examples})
    inputs = []
    for _ in range(300):
        octets = bytearray(chance.choice(examples).payload)
        octets[chance.randrange(len(octets))] = chance.randrange(256)
        if chance.random() < 0.2:
            octets = bytearray(chance.randbytes(chance.randint(1, 40)))
        inputs.append((bytes(octets), chance.choice(ports)))
    ours = await pool.decode(key_of(source), source, [request(octets, port) for octets, port in inputs])
    assert NODE is not None
    node = await asyncio.create_subprocess_exec(
        NODE,
        str(Path(__file__).with_name("node_decode.js")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    received = datetime.fromtimestamp(RECEIVED_US / 1e6, UTC).isoformat()
    payload = {
        "source": source,
        "inputs": [
            {"bytes": list(octets), "fPort": port, "recvTime": received, "variables": {}} for octets, port in inputs
        ],
    }
    output, _ = await node.communicate(json.dumps(payload).encode())
    theirs = json.loads(output)
    assert [
        {"error": result.error.message} if result.error else {"data": json.loads(result.data_json)} for result in ours
    ] == theirs
    assert any("data" in row for row in theirs)


async def test_the_demo_sensor_has_four_numbers(pool: Pool) -> None:
    source = (Path(__file__).parents[2] / "codecs/inflight/demo-sensor/codec.js").read_text("utf-8")
    (result,) = await pool.decode(
        key_of(source), source, [request(bytes.fromhex("0108666 10e10000186a000".replace(" ", "")), 10)]
    )
    assert result.samples == [
        ("temperature", 21.5, None, None),
        ("humidity", 48.5, None, None),
        ("battery", 3.6, None, None),
        ("counter", 100000.0, None, None),
    ]


async def test_the_soil_logger_stores_each_record_at_its_time(pool: Pool) -> None:
    source = (Path(__file__).parents[2] / "codecs/inflight/soil-logger/codec.js").read_text("utf-8")
    (result,) = await pool.decode(key_of(source), source, [request(bytes.fromhex("6968baa00f00533efffb3c"), 3)])
    quarter_us = 900_000_000
    assert result.samples == [
        ("soil.temperature", 8.3, "°C", RECEIVED_US),
        ("soil.moisture", 31.0, "%", RECEIVED_US),
        ("soil.temperature", -0.5, "°C", RECEIVED_US + quarter_us),
        ("soil.moisture", 30.0, "%", RECEIVED_US + quarter_us),
    ]
