import httpx
import pytest

from tests.api.answers import ok, problem, without
from tests.api.radio import abp_session

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def device(api: httpx.AsyncClient, number: int) -> str:
    eui = f"70b3d57eda40{number:04x}"
    ok(await api.post("/devices", json={"dev_eui": eui, "abp": abp_session(f"0040{number:04x}")}), 201)
    return f"/devices/{eui}/downlinks"


async def test_downlinks_are_queued_listed_and_taken_out(api: httpx.AsyncClient) -> None:
    where = await device(api, 1)
    first = ok(await api.post(where, json={"fport": 2, "payload": "0100003c"}), 201)
    body = {"fport": 3, "payload_base64": "AQI=", "confirmed": True, "expires_in_s": 60}
    second = ok(await api.post(where, json=body), 201)
    assert without(first, "id", "enqueued_at") == {
        "fport": 2,
        "payload": "0100003c",
        "confirmed": False,
        "state": "queued",
        "reason": None,
        "expires_at": None,
        "fcnt_down": None,
    }
    assert (second["payload"], second["confirmed"], second["expires_at"] > second["enqueued_at"]) == (
        "0102",
        True,
        True,
    )
    assert ok(await api.get(where)) == {"items": [first, second], "next": None}
    ok(await api.delete(f"{where}/{first['id']}"), 204)
    eui = where.split("/")[2]
    text = f"downlink {first['id']} does not wait for device {eui} (any more)"
    assert problem(await api.delete(f"{where}/{first['id']}")) == (404, "not_found", text)
    ok(await api.post(where, json={"fport": 2, "payload": ""}), 201)
    assert ok(await api.delete(where)) == {"deleted": 2}
    assert ok(await api.get(where))["items"] == []


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"fport": 224, "payload": "00"}, "fport: input should be less than or equal to 223, not 224"),
        ({"fport": 1}, "give the payload once: payload (hex) or payload_base64"),
        ({"fport": 1, "payload": "00", "payload_base64": ""}, "give the payload once: payload (hex) or payload_base64"),
        ({"fport": 1, "payload": "0"}, "payload is not hex"),
        ({"fport": 1, "payload_base64": "%"}, "payload_base64 is not base64"),
        ({"fport": 1, "payload": "00" * 250}, "payload is 250 octets, at most 242 fit in EU868"),
        ({"fport": 1, "payload": "00", "expires_in_s": 0}, "expires_in_s: input should be greater than or equal to 1"),
    ],
)
async def test_refusals_are_told(api: httpx.AsyncClient, body: dict[str, object], text: str) -> None:
    where = "/devices/70b3d57eda400002/downlinks"
    if (await api.get(where)).status_code == 404:
        await device(api, 2)
    status, code, message = problem(await api.post(where, json=body))
    assert (status, code, message.startswith(text)) == (422, "invalid", True), message


async def test_unknown_device_is_told(api: httpx.AsyncClient) -> None:
    where = "/devices/70b3d57eda40ffff/downlinks"
    told = (404, "not_found", "device 70b3d57eda40ffff does not exist")
    for answer in (
        await api.get(where),
        await api.post(where, json={"fport": 1, "payload": "00"}),
        await api.delete(where),
        await api.delete(f"{where}/x"),
    ):
        assert problem(answer) == told
