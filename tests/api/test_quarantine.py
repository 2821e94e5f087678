"""A codec that keeps killing workers: shown with its evidence, released, and its uplinks decoded after all."""

import httpx
import pytest

from tests.api.answers import ok, problem, without
from tests.api.conftest import Running
from tests.api.radio import Gateway, abp_session, frame

pytestmark = pytest.mark.asyncio(loop_scope="package")

DEADLY = "function decodeUplink(input) { for (;;) JSON.stringify('x'.repeat(5e8)); }"
FIXED = "function decodeUplink(input) { return {data: {t: input.bytes[0]}}; }"
EUI, GATEWAY_EUI, ADDRESS = "70b3d57eda610001", "a84041ffff610001", "00610001"


async def failures(api: httpx.AsyncClient) -> list[str]:
    return [row["reason"] for row in ok(await api.get("/decode-failures", params={"device": EUI}))["items"]]


async def metrics(running: Running) -> list[str]:
    async with running.client() as client:
        return (await client.get("/metrics")).text.splitlines()


@pytest.mark.timeout(120)
async def test_a_codec_that_kills_is_parked_released_and_its_uplinks_decoded_later(
    running: Running, api: httpx.AsyncClient
) -> None:
    ok(await api.post("/codecs", json={"name": "q1", "source": DEADLY}), 201)
    ok(await api.post("/devices", json={"dev_eui": EUI, "name": "q", "codec": "q1", "abp": abp_session(ADDRESS)}), 201)
    ok(await api.post(f"/gateways/{GATEWAY_EUI}/accept"))
    with Gateway(running.server, GATEWAY_EUI) as gateway:
        for fcnt in range(4):
            await gateway.causes(frame(ADDRESS, fcnt, 2, bytes([fcnt])), "decoded")
    assert await failures(api) == ["parked", "memory", "memory", "memory"]
    (shown,) = [row for row in ok(await api.get("/quarantine"))["items"] if row["codec"] == "q1"]
    assert without(shown, "at", "reason", "input") == {
        "codec": "q1", "version": 1, "parked": True, "deaths": 3, "overruns": 0,
    }  # fmt: skip
    assert "memory" in shown["reason"]
    assert without(shown["input"], "received_at") == {"payload": "02", "fport": 2, "dev_eui": EUI, "fcnt": 2}
    assert "lns_decoders_parked 1.0" in await metrics(running)
    assert ok(await api.post("/quarantine/q1/release")) == {"released": 1}
    assert "lns_decoders_parked 0.0" in await metrics(running)
    assert [row for row in ok(await api.get("/quarantine"))["items"] if row["codec"] == "q1"] == []
    ok(await api.post("/codecs/q1/versions", json={"source": FIXED}), 201)
    assert ok(await api.post("/decode-failures/retry", json={"codec": "q1"})) == {"retried": 4, "failed": 0}
    await running.server.exchange.caught_up()
    assert "lns_decodes_waiting 0.0" in await metrics(running)
    assert await failures(api) == []
    assert [p["value"] for p in ok(await api.get(f"/devices/{EUI}/series/t"))["items"]] == [0, 1, 2, 3]


async def test_only_codecs_that_exist_can_be_released(api: httpx.AsyncClient) -> None:
    told = (404, "not_found", "codec 'nobody' does not exist")
    assert problem(await api.post("/quarantine/nobody/release")) == told
