import httpx
import pytest

from tests.api.answers import ok, problem, without
from tests.api.conftest import Running
from tests.api.radio import Gateway
from tests.registry.samples import NO_REGION

pytestmark = pytest.mark.asyncio(loop_scope="package")

NEVER_HEARD: dict[str, object] = {
    "first_seen_at": None,
    "last_seen_at": None,
    "health": None,
    "last_pull_at": None,
    "protocol_version": None,
    "address": None,
    "push_address": None,
    "pull_address": None,
    "round_trip_ms": None,
    "datagrams": 0,
    "uplinks": 0,
    "problems": {},
    "limited": {},
    "address_changes": 0,
    "stat": None,
}


async def test_gateway_is_added_before_it_calls(running: Running, api: httpx.AsyncClient) -> None:
    eui = "a84041ffff100001"
    body = {"eui": eui, "name": "roof", "region": "EU868", "latitude": 52.5, "longitude": 13.4, "tags": {"a": "b"}}
    made = ok(await api.post("/gateways", json=body), 201)
    expected = {**body, "state": "accepted", "altitude_m": None, **NEVER_HEARD}
    assert without(made, "created_at", "downlinks") == expected
    assert ok(await api.get(f"/gateways/{eui}")) == made
    assert made in ok(await api.get("/gateways"))["items"]
    assert problem(await api.post("/gateways", json=body)) == (409, "conflict", f"gateway {eui} exists already")
    changed = ok(await api.patch(f"/gateways/{eui}", json={"name": "cellar", "altitude_m": -3}))
    assert changed == {**made, "name": "cellar", "altitude_m": -3}
    refused = ok(await api.patch(f"/gateways/{eui}", json={"accepted": False}))
    assert (refused["state"], running.server.links.get(eui)) == ("seen", None)
    ok(await api.delete(f"/gateways/{eui}"), 204)
    text = f"gateway {eui} was neither added nor heard"
    for answer in (await api.get(f"/gateways/{eui}"), await api.delete(f"/gateways/{eui}")):
        assert problem(answer) == (404, "not_found", text)
    assert problem(await api.patch(f"/gateways/{eui}", json={}))[0] == 404


async def test_gateway_that_calls_is_seen_and_then_accepted(running: Running, api: httpx.AsyncClient) -> None:
    eui = "a84041ffff100002"
    with Gateway(running.server, eui) as gateway:
        await gateway.keep_alive()
    seen = ok(await api.get(f"/gateways/{eui}"))
    assert (seen["state"], seen["name"], seen["created_at"], seen["protocol_version"]) == ("seen", eui, None, 2)
    assert seen["address"].startswith("127.0.0.1:")
    assert seen["last_seen_at"] is not None
    assert eui in [gateway["eui"] for gateway in ok(await api.get("/gateways"))["items"]]
    accepted = ok(await api.post(f"/gateways/{eui}/accept"))
    assert (accepted["state"], accepted["address"]) == ("accepted", seen["address"])
    ok(await api.delete(f"/gateways/{eui}"), 204)
    assert running.server.links.get(eui) is None


async def test_gateway_that_was_only_seen_can_be_forgotten(running: Running, api: httpx.AsyncClient) -> None:
    eui = "a84041ffff100003"
    with Gateway(running.server, eui) as gateway:
        await gateway.keep_alive()
    ok(await api.delete(f"/gateways/{eui}"), 204)
    assert problem(await api.get(f"/gateways/{eui}"))[0] == 404


async def test_gateway_that_is_added_as_not_accepted_is_not_served(running: Running, api: httpx.AsyncClient) -> None:
    eui = "a84041ffff100004"
    assert ok(await api.post("/gateways", json={"eui": eui, "accepted": False}), 201)["state"] == "seen"
    assert ok(await api.patch(f"/gateways/{eui}", json={"name": "n"}))["state"] == "seen"
    assert running.server.links.get(eui) is None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"eui": "x"}, "eui: 'x' is not an EUI: 16 hex digits are needed"),
        ({"eui": "a84041ffff100005", "latitude": 91}, "latitude: input should be less than or equal to 90, not 91"),
        ({"eui": "a84041ffff100005", "region": "XX"}, f"region: {NO_REGION}"),
    ],
)
async def test_refusals_are_told(api: httpx.AsyncClient, body: dict[str, object], text: str) -> None:
    assert problem(await api.post("/gateways", json=body)) == (422, "invalid", text)
