import httpx
import pytest

from tests.api.answers import ok, problem
from tests.api.conftest import Running
from tests.api.radio import APP_S_KEY, NWK_S_KEY, abp_session
from tests.registry.samples import APP_KEY, KEYS_1_1, NWK_KEY

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def reader(running: Running, api: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client that may read keys, and nothing else."""
    made = ok(await api.post("/keys", json={"name": "mover", "permissions": ["keys:read"]}), 201)
    client = running.client(made["secret"])
    client.base_url = f"{running.url}/api/v1"
    return client


async def test_keys_are_shown_to_who_may_read_them(running: Running, api: httpx.AsyncClient) -> None:
    ok(await api.post("/device-templates", json={"name": "k1", "lorawan_version": "1.1"}), 201)
    otaa = {"dev_eui": "70b3d57edac00001", "template": "k1", "app_key": APP_KEY, "nwk_key": NWK_KEY}
    abp = {"dev_eui": "70b3d57edac00002", "template": "k1", "abp": {"dev_addr": "00c00002", **KEYS_1_1}}
    answers = [await api.post("/devices", json=body) for body in (otaa, abp)]
    async with await reader(running, api) as client:
        first = ok(await client.get("/devices/70b3d57edac00001/keys"))
        second = ok(await client.get("/devices/70b3d57edac00002/keys"))
        text = "device 70b3d57edac0ffff does not exist"
        assert problem(await client.get("/devices/70b3d57edac0ffff/keys")) == (404, "not_found", text)
    assert first == {"nwk_key": NWK_KEY, "app_key": APP_KEY, "gen_app_key": None, "session": None}
    assert second == {"nwk_key": None, "app_key": None, "gen_app_key": None, "session": KEYS_1_1}
    answers += [
        await api.get("/devices"),
        await api.get("/devices/70b3d57edac00002"),
        await api.get("/device-templates"),
    ]
    shown = "".join(answer.text for answer in answers)
    assert [key for key in (APP_KEY, NWK_KEY, *KEYS_1_1.values()) if key in shown] == []


async def test_session_moves_from_device_to_device_as_json(running: Running, api: httpx.AsyncClient) -> None:
    eui = "70b3d57edac00003"
    session = {**abp_session("00c00003"), "fcnt_up": 41, "fcnt_down": 7}
    ok(await api.post("/devices", json={"dev_eui": eui, "abp": session}), 201)
    async with await reader(running, api) as client:
        found = ok(await client.get(f"/devices/{eui}/session"))
        assert (found["version"], found["dev_addr"], found["fcnt_up"], found["fcnt_down"]) == (1, "00c00003", 41, 7)
        assert found["keys"] == {"nwk_s_key": NWK_S_KEY, "app_s_key": APP_S_KEY}
        ok(await api.delete(f"/devices/{eui}"), 204)
        ok(await api.post("/devices", json={"dev_eui": eui, "app_key": APP_KEY}), 201)
        text = f"device {eui} has no session: it has not joined yet"
        assert problem(await client.get(f"/devices/{eui}/session")) == (404, "not_found", text)
        placed = ok(await api.post(f"/devices/{eui}/session", json={**found, "dev_nonces": [7], "join_nonce": 3}))
        assert (placed["session"]["dev_addr"], placed["session"]["fcnt_up"]) == ("00c00003", 41)
        again = ok(await client.get(f"/devices/{eui}/session"))
    assert again == {**found, "dev_nonces": [7], "join_nonce": 3}
    device = running.server.network.device(eui)
    assert device.session is not None
    assert running.server.network.devices.sessions.candidates("00c00003") == (device.session,)


async def test_session_of_another_version_is_refused(running: Running, api: httpx.AsyncClient) -> None:
    eui = "70b3d57edac00004"
    ok(await api.post("/devices", json={"dev_eui": eui, "abp": abp_session("00c00004")}), 201)
    async with await reader(running, api) as client:
        found = ok(await client.get(f"/devices/{eui}/session"))
    text = f"the session is of lorawan 1.0.4, device {eui} of 1.0.3 by its device template 'default'"
    answer = await api.post(f"/devices/{eui}/session", json={**found, "lorawan_version": "1.0.4"})
    assert problem(answer) == (409, "conflict", text)
    wrong = {**found, "keys": {**found["keys"], "app_s_key": APP_S_KEY[:-1]}}
    text = "keys.app_s_key: the key has 31 characters: 32 hex digits are needed"
    assert problem(await api.post(f"/devices/{eui}/session", json=wrong)) == (422, "invalid", text)
    for answer in (await api.post("/devices/70b3d57edac0ffff/session", json=found),):
        assert problem(answer) == (404, "not_found", "device 70b3d57edac0ffff does not exist")
