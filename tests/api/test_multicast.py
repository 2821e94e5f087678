import httpx
import pytest

from tests.api.answers import ok, problem, without
from tests.api.conftest import Running
from tests.api.radio import abp_session

pytestmark = pytest.mark.asyncio(loop_scope="package")

KEY = "2b7e151628aed2a6abf7158809cf4f3c"


async def group(api: httpx.AsyncClient, name: str, **more: object) -> str:
    made = ok(await api.post("/multicast-groups", json={"name": name, **more}), 201)
    return f"/multicast-groups/{made['id']}"


async def test_group_is_created_shown_changed_and_deleted(api: httpx.AsyncClient) -> None:
    body = {"name": "m1", "dr": 3, "mc_addr": "00:e0:00:01", "mc_key": KEY, "expires_at": "2126-12-31T00:00:00Z"}
    made = ok(await api.post("/multicast-groups", json=body), 201)
    assert without(made, "id", "created_at") == {
        "name": "m1",
        "application": "default",
        "device_class": "C",
        "region": "EU868",
        "mc_addr": "00e00001",
        "fcnt": 0,
        "dr": 3,
        "freq_hz": 869_525_000,
        "ping_periodicity": None,
        "members": 0,
        "expires_at": "2126-12-31T00:00:00.000000Z",
    }
    where = f"/multicast-groups/{made['id']}"
    assert ok(await api.get(where)) == made
    assert made in ok(await api.get("/multicast-groups", params={"application": "default"}))["items"]
    assert ok(await api.get("/multicast-groups", params={"application": "none"}))["items"] == []
    changed = ok(await api.patch(where, json={"name": "m1b", "device_class": "B", "expires_at": None}))
    assert changed == {**made, "name": "m1b", "device_class": "B", "ping_periodicity": 0, "expires_at": None}
    ok(await api.delete(where), 204)
    told = (404, "not_found", f"multicast group {made['id']} does not exist")
    for answer in (
        await api.get(where),
        await api.patch(where, json={}),
        await api.delete(where),
        await api.get(f"{where}/devices"),
        await api.get(f"{where}/downlinks"),
        await api.post(f"{where}/downlinks", json={"fport": 1, "payload": "00"}),
    ):
        assert problem(answer) == told


async def test_keys_of_a_group_need_their_permission(running: Running, api: httpx.AsyncClient) -> None:
    where = await group(api, "m2", mc_addr="00e00002", mc_key=KEY)
    assert problem(await api.get(f"{where}/keys"))[:2] == (403, "forbidden")
    made = ok(await api.post("/keys", json={"name": "groups", "permissions": ["keys:read"]}), 201)
    async with running.client(made["secret"]) as client:
        keys = ok(await client.get(f"/api/v1{where}/keys"))
    assert (list(keys), keys["mc_key"]) == (["mc_key", "mc_nwk_s_key", "mc_app_s_key"], KEY)


async def test_members_come_and_go(api: httpx.AsyncClient) -> None:
    where = await group(api, "m3")
    euis = [f"70b3d57edae0000{n}" for n in (1, 2)]
    for n, eui in enumerate(euis, 1):
        ok(
            await api.post("/devices", json={"dev_eui": eui, "name": f"lamp {n}", "abp": abp_session(f"00e0001{n}")}),
            201,
        )
    assert ok(await api.post(f"{where}/devices", json={"dev_euis": [euis[1].upper(), euis[0]]}))["members"] == 2
    members = ok(await api.get(f"{where}/devices"))["items"]
    assert members == [{"dev_eui": eui, "name": f"lamp {n}"} for n, eui in enumerate(euis, 1)]
    ok(await api.delete(f"{where}/devices/{euis[0]}"), 204)
    text = f"device {euis[0]} is no member of multicast group 'm3'"
    assert problem(await api.delete(f"{where}/devices/{euis[0]}")) == (404, "not_found", text)
    answer = await api.post(f"{where}/devices", json={"dev_euis": ["70b3d57edae0ffff"]})
    assert problem(answer) == (404, "not_found", "device 70b3d57edae0ffff does not exist")


async def test_downlinks_of_a_group_are_queued_and_listed(api: httpx.AsyncClient) -> None:
    where = await group(api, "m4")
    body = {"fport": 2, "payload": "01", "at": "2126-01-31T08:00:00Z", "expires_in_s": 60}
    item = ok(await api.post(f"{where}/downlinks", json=body), 201)
    assert without(item, "id", "enqueued_at", "expires_at", "reason") == {
        "fport": 2,
        "payload": "01",
        "state": "queued",
        "at": "2126-01-31T08:00:00.000000Z",
        "fcnt": None,
    }
    assert ok(await api.get(f"{where}/downlinks"))["items"] == [item]
    answer = await api.post(f"{where}/downlinks", json={"fport": 2, "payload": "00" * 60})
    assert problem(answer) == (422, "invalid", "payload is 60 octets, at most 51 fit at dr 0 of the group")


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"name": "m5", "device_class": "A"}, 422, "device_class: input should be 'B' or 'C', not 'A'"),
        ({"name": "m5", "dr": 9}, 422, "dr is 9, which is no downlink data rate of EU868"),
        ({"name": "m5", "application": "none"}, 422, "application 'none' does not exist"),
        ({"name": "m5", "mc_key": "00"}, 422, "mc_key: the key has 2 characters: 32 hex digits are needed"),
        ({"name": "m4"}, 409, "multicast group 'm4' exists already in this application"),
    ],
)
async def test_refusals_are_told(api: httpx.AsyncClient, body: dict[str, object], status: int, text: str) -> None:
    await api.post("/multicast-groups", json={"name": "m4"})
    answer = problem(await api.post("/multicast-groups", json=body))
    assert (answer[0], answer[2]) == (status, text)
