import httpx
import pytest

from tests.api.answers import ok, problem, without
from tests.api.conftest import Running
from tests.api.radio import Gateway, abp_session, frame

pytestmark = pytest.mark.asyncio(loop_scope="package")

BROKEN = "function decodeUplink(input) {\n  return input.nothing.x;\n}"
FIXED = "function decodeUplink(input) { return { data: { t: input.bytes[0] } }; }"


async def test_failed_decode_is_listed_and_mended_by_a_new_version(running: Running, api: httpx.AsyncClient) -> None:
    eui, gateway_eui = "70b3d57eda600001", "a84041ffff600001"
    ok(await api.post("/codecs", json={"name": "f1", "source": BROKEN}), 201)
    ok(
        await api.post("/devices", json={"dev_eui": eui, "name": "n", "codec": "f1", "abp": abp_session("00600001")}),
        201,
    )
    ok(await api.post(f"/gateways/{gateway_eui}/accept"))
    with Gateway(running.server, gateway_eui) as gateway:
        await gateway.causes(frame("00600001", 0, 2, b"\x15"), "decoded")
    (failure,) = ok(await api.get("/decode-failures", params={"device": eui}))["items"]
    assert without(failure, "uplink_seq", "message", "at", "column") == {
        "dev_eui": eui,
        "device": "n",
        "codec": "f1",
        "codec_version": 1,
        "reason": "exception",
        "line": 2,
    }
    assert failure in ok(await api.get("/decode-failures"))["items"]
    assert ok(await api.post("/decode-failures/retry", json={"codec": "f1"})) == {"retried": 0, "failed": 1}
    ok(await api.post("/codecs/f1/versions", json={"source": FIXED}), 201)
    retry = {"device": eui, "uplink_seqs": [failure["uplink_seq"], 999_999]}
    assert ok(await api.post("/decode-failures/retry", json=retry)) == {"retried": 1, "failed": 0}
    await running.server.exchange.caught_up()
    assert ok(await api.get("/decode-failures", params={"device": eui}))["items"] == []
    assert ok(await api.post("/decode-failures/retry", json={"device": eui})) == {"retried": 0, "failed": 0}
    assert [p["value"] for p in ok(await api.get(f"/devices/{eui}/series/t"))["items"]] == [21]


async def test_what_is_unknown_is_told(api: httpx.AsyncClient) -> None:
    retry = "/decode-failures/retry"
    told = (404, "not_found", "device 70b3d57eda60ffff does not exist")
    assert problem(await api.post(retry, json={"device": "70b3d57eda60ffff"})) == told
    assert problem(await api.post(retry, json={"codec": "x"})) == (404, "not_found", "codec 'x' does not exist")
    assert problem(await api.get("/decode-failures", params={"device": "x"}))[0] == 422
