import httpx
import pytest

from tests.api.answers import ok, problem
from tests.api.radio import abp_session

pytestmark = pytest.mark.asyncio(loop_scope="package")

CODEC = """
function decodeUplink(input) { return { data: {} }; }
function encodeDownlink(input) {
  if (input.data.every === undefined) return { errors: ["every is missing"] };
  return { fPort: 7, bytes: [1, input.data.every, Number(input.variables.offset)] };
}
function decodeDownlink(input) {
  if (input.bytes.length < 2) throw new Error("short");
  return { data: { every: input.bytes[1] } };
}
"""
ONE_WAY = "function decodeUplink(input) { return { data: {} }; }"


async def device(api: httpx.AsyncClient, number: int, codec: str | None) -> str:
    body = {"dev_eui": f"70b3d57eda41{number:04x}", "abp": abp_session(f"0041{number:04x}")}
    ok(await api.post("/devices", json={**body, "codec": codec, "variables": {"offset": "3"}}), 201)
    return f"/devices/{body['dev_eui']}/downlinks"


async def test_object_is_encoded_by_the_codec_of_the_device(api: httpx.AsyncClient) -> None:
    ok(await api.post("/codecs", json={"name": "down1", "source": CODEC}), 201)
    where = await device(api, 1, "down1")
    made = ok(await api.post(where, json={"object": {"every": 60}}), 201)
    assert (made["fport"], made["payload"]) == (7, "013c03")
    own = ok(await api.post(where, json={"object": {"every": 61}, "fport": 9, "confirmed": True}), 201)
    assert (own["fport"], own["payload"], own["confirmed"]) == (9, "013d03", True)
    changed = ok(await api.put(f"{where}/{made['id']}", json={"object": {"every": 62}}))
    assert (changed["id"], changed["payload"]) == (made["id"], "013e03")


async def test_what_waits_is_shown_as_objects_on_request(api: httpx.AsyncClient) -> None:
    ok(await api.post("/codecs", json={"name": "down2", "source": CODEC}), 201)
    where = await device(api, 2, "down2")
    for body in ({"object": {"every": 60}}, {"fport": 7, "payload": "01"}):
        ok(await api.post(where, json=body), 201)
    plain = ok(await api.get(where))["items"]
    assert [set(item) & {"object", "object_error"} for item in plain] == [set(), set()]
    shown = ok(await api.get(where, params={"decode": True}))["items"]
    assert [item["object"] for item in shown] == [{"every": 60}, None]
    assert shown[0]["object_error"] is None
    assert shown[1]["object_error"].startswith("exception: short at line 8, column")
    bare = await device(api, 3, None)
    ok(await api.post(bare, json={"fport": 1, "payload": "00"}), 201)
    (item,) = ok(await api.get(bare, params={"decode": True}))["items"]
    assert (item["object"], item["object_error"]) == (None, "the device has no codec")


async def test_object_that_cannot_be_encoded_is_told(api: httpx.AsyncClient) -> None:
    ok(await api.post("/codecs", json={"name": "down4", "source": CODEC}), 201)
    ok(await api.post("/codecs", json={"name": "down5", "source": ONE_WAY}), 201)
    where = await device(api, 4, "down4")
    text = "codec 'down4' does not encode this object: script_error: every is missing"
    assert problem(await api.post(where, json={"object": {}})) == (422, "not_encoded", text)
    status, code, text = problem(await api.post(await device(api, 5, "down5"), json={"object": {}}))
    assert (status, code, "encodeDownlink" in text) == (422, "not_encoded", True)
    text = "device 70b3d57eda410006 has no codec: give the payload, or the device a codec that encodes"
    assert problem(await api.post(await device(api, 6, None), json={"object": {}})) == (422, "not_encoded", text)
    text = "give a payload or an object, one of them"
    assert problem(await api.post(where, json={"object": {}, "payload": "00"}))[2] == text
    text = "fport is missing: only a codec can name it, for an object"
    assert problem(await api.post(where, json={"payload": "00"}))[2] == text
    missing = await api.post("/devices/70b3d57eda41ffff/downlinks", json={"object": {}})
    assert problem(missing) == (404, "not_found", "device 70b3d57eda41ffff does not exist")
