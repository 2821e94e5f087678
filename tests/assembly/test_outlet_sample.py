"""The sample of `lns outlet test`, of every kind of outlet in every format it speaks."""

import json
from typing import Any

import pytest

from lns.assembly.outlet_sample import message
from lns.outlets.definition import Filter, Outlet
from tests.assembly.serving import World
from tests.outlets.receiver import receiving

SETTINGS: dict[str, dict[str, Any]] = {
    "webhook": {"url": "https://example.org/hook"},
    "mqtt": {"host": "127.0.0.1"},
    "amqp": {"host": "127.0.0.1"},
    "kafka": {"bootstrap_servers": "127.0.0.1:9092"},
}
FORMATS = ("inflight", "chirpstack", "tts")
ID = bytes(range(16))


@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("form", FORMATS)
async def test_a_sample_is_made_for_every_kind_and_format_whatever_the_filter(kind: Any, form: Any) -> None:
    outlet = Outlet("x", 1, kind, SETTINGS[kind], form, Filter(fields=("humidity",)))
    made = await message(outlet, "000000", 1_700_000_000_000_000, ID)
    assert made.id == f"test_sample_{ID.hex()}"
    assert b"temperature" in made.body
    assert isinstance(json.loads(made.body), dict)


async def test_a_sample_is_made_in_protobuf() -> None:
    pytest.importorskip("google.protobuf", reason="no protobuf: pip install inflight-lns[protobuf]")
    settings = SETTINGS["kafka"] | {"encoding": "protobuf"}
    made = await message(Outlet("x", 1, "kafka", settings), "000000", 1_700_000_000_000_000, ID)
    assert b"temperature" in made.body
    assert made.body[:1] != b"{"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("form", FORMATS)
async def test_a_test_of_an_outlet_arrives_in_every_format(world: World, form: str) -> None:
    async with receiving() as receiver:
        made = await world.outlet(f"try-{form}", receiver.url, format=form)
        told = await world.post(f"/applications/default/outlets/{made['name']}/test")
        assert (told["delivered"], told["status"], len(receiver.requests)) == (True, 200, 1)
        assert "temperature" in told["message"]
