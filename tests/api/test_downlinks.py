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
        "priority": 0,
        "state": "queued",
        "reason": None,
        "attempts": 0,
        "expires_at": None,
        "at": None,
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


async def test_downlink_of_higher_priority_goes_first(api: httpx.AsyncClient) -> None:
    where = await device(api, 3)
    for priority in (0, 5, -1, 5):
        ok(await api.post(where, json={"fport": 1, "payload": f"{priority & 0xFF:02x}", "priority": priority}), 201)
    assert [item["priority"] for item in ok(await api.get(where))["items"]] == [5, 5, 0, -1]


async def test_downlink_is_replaced_in_its_place(api: httpx.AsyncClient) -> None:
    where = await device(api, 4)
    first, second = [ok(await api.post(where, json={"fport": 1, "payload": "01"}), 201) for _ in range(2)]
    body = {"fport": 9, "payload": "02", "confirmed": True, "at": "2126-01-31T08:00:00Z", "expires_in_s": 60}
    new = ok(await api.put(f"{where}/{first['id']}", json=body))
    kept = {"id": first["id"], "enqueued_at": first["enqueued_at"]}
    changed = {"fport": 9, "payload": "02", "confirmed": True, "at": "2126-01-31T08:00:00.000000Z"}
    assert without(new, "expires_at") == without({**first, **kept, **changed}, "expires_at")
    assert ok(await api.get(where))["items"] == [new, second]
    ok(await api.delete(f"{where}/{first['id']}"), 204)
    text = f"downlink {first['id']} does not wait for device {where.split('/')[2]} (any more)"
    assert problem(await api.put(f"{where}/{first['id']}", json=body)) == (404, "not_found", text)


async def test_what_became_of_downlinks_can_be_seen(api: httpx.AsyncClient) -> None:
    where = await device(api, 5)
    items = [ok(await api.post(where, json={"fport": 1, "payload": f"0{n}"}), 201) for n in range(3)]
    ok(await api.delete(f"{where}/{items[0]['id']}"), 204)
    shown = ok(await api.get(f"{where}/{items[0]['id']}"))
    assert (shown["state"], shown["reason"]) == ("deleted", "deleted by a user")
    assert shown["updated_at"] >= shown["enqueued_at"]
    page = ok(await api.get(f"{where}/past", params={"limit": 2}))
    rest = ok(await api.get(f"{where}/past", params={"limit": 2, "after": page["next"]}))
    assert [item["id"] for item in page["items"] + rest["items"]] == [item["id"] for item in reversed(items)]
    assert (rest["items"], rest["next"]) == ([shown], None)
    eui = where.split("/")[2]
    assert problem(await api.get(f"{where}/x")) == (404, "not_found", f"device {eui} has no downlink x")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"fport": 224, "payload": "00"}, "fport: input should be less than or equal to 223, not 224"),
        ({"fport": 1}, "give the payload once: payload (hex) or payload_base64"),
        ({"fport": 1, "payload": "00", "payload_base64": ""}, "give the payload once: payload (hex) or payload_base64"),
        ({"fport": 1, "payload": "0"}, "payload is not hex"),
        ({"fport": 1, "payload_base64": "%"}, "payload_base64 is not base64"),
        ({"fport": 1, "payload": "00" * 250}, "payload is 250 octets, at most 242 fit in EU868"),
        (
            {"fport": 1, "payload": "00", "priority": 101},
            "priority: input should be less than or equal to 100, not 101",
        ),
        ({"fport": 1, "payload": "00", "at": "soon"}, "at: 'soon' is not a time such as 2026-01-31T08:00:00Z"),
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
        await api.put(f"{where}/x", json={"fport": 1, "payload": "00"}),
        await api.get(f"{where}/x"),
        await api.get(f"{where}/past"),
    ):
        assert problem(answer) == told
