import httpx
import pytest

from tests.api.answers import ok, problem, without
from tests.api.conftest import Running
from tests.api.radio import Gateway, abp_session, frame

pytestmark = pytest.mark.asyncio(loop_scope="package")

APP_KEY = "2b7e151628aed2a6abf7158809cf4f3c"
HELD_BACK = ("unchanged", "dead_band", "min_interval", "max_per_hour", "device_max_per_hour")


async def test_otaa_device_is_created_shown_changed_and_deleted(running: Running, api: httpx.AsyncClient) -> None:
    eui = "70b3d57eda200001"
    body = {"dev_eui": eui.upper(), "app_key": APP_KEY, "join_eui": "70b3d57ed0000000", "tags": {"room": "1"}}
    made = ok(await api.post("/devices", json=body), 201)
    assert without(made, "created_at") == {
        "dev_eui": eui,
        "name": eui,
        "application": "default",
        "template": "default",
        "activation": "otaa",
        "join_eui": "70b3d57ed0000000",
        "has_app_key": True,
        "has_nwk_key": False,
        "has_gen_app_key": False,
        "codec": None,
        "fcnt_reset_allowed": None,
        "disabled": False,
        "tags": {"room": "1"},
        "variables": {},
        "network": {},
        "session": None,
        "last_seen_at": None,
        "health": None,
        "rules": {},
        "max_measurements_per_hour": None,
        "held_back": dict.fromkeys(HELD_BACK, 0),
    }
    assert ok(await api.get("/devices/70-B3-D5-7E-DA-20-00-01")) == made
    assert running.server.network.device(eui).app_key == bytes.fromhex(APP_KEY)
    changes = {"name": "cellar", "disabled": True, "join_eui": None, "variables": {"k": "v"}}
    assert ok(await api.patch(f"/devices/{eui}", json=changes)) == {**made, **changes}
    device = running.server.network.device(eui)
    assert (device.name, device.disabled, device.join_eui) == ("cellar", True, None)
    assert running.server.codecs.variables(device.id) == {"k": "v"}
    ok(await api.delete(f"/devices/{eui}"), 204)
    assert eui not in running.server.network.devices.by_eui
    assert running.server.codecs.variables(device.id) == {}
    for answer in (
        await api.get(f"/devices/{eui}"),
        await api.patch(f"/devices/{eui}", json={}),
        await api.delete(f"/devices/{eui}"),
    ):
        assert problem(answer) == (404, "not_found", f"device {eui} does not exist")


async def test_abp_device_has_its_session_at_once(running: Running, api: httpx.AsyncClient) -> None:
    eui = "70b3d57eda200002"
    session = {**abp_session("00200002"), "fcnt_up": 41, "fcnt_down": 7}
    made = ok(await api.post("/devices", json={"dev_eui": eui, "activation": "abp", "abp": session}), 201)
    assert without(made["session"], "created_at") == {
        "dev_addr": "00200002",
        "region": "EU868",
        "lorawan": "1.0",
        "fcnt_up": 41,
        "fcnt_down": 7,
        "afcnt_down": None,
        "rx1_delay_s": 1,
        "rx1_dr_offset": 0,
        "rx2_dr": 0,
        "rx2_freq_hz": 869_525_000,
    }
    assert len(running.server.network.devices.sessions.candidates("00200002")) == 1
    changed = ok(await api.patch(f"/devices/{eui}", json={"abp": abp_session("00200003")}))
    assert (changed["session"]["dev_addr"], changed["session"]["fcnt_up"]) == ("00200003", None)
    sessions = running.server.network.devices.sessions
    assert [len(sessions.candidates(address)) for address in ("00200002", "00200003")] == [0, 1]
    ok(await api.delete(f"/devices/{eui}"), 204)
    assert not sessions.candidates("00200003")


async def test_devices_are_listed_in_pages_and_searched(api: httpx.AsyncClient) -> None:
    ok(await api.post("/applications", json={"name": "listed"}), 201)
    for number in range(3):
        body = {
            "dev_eui": f"70b3d57eda21000{number}",
            "app_key": APP_KEY,
            "application": "listed",
            "name": f"n{number}",
        }
        ok(await api.post("/devices", json=body), 201)
    found: list[str] = []
    after = None
    while True:
        parameters = {"application": "listed", "limit": "2"} | ({"after": after} if after else {})
        page = ok(await api.get("/devices", params=parameters))
        found += [device["name"] for device in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert found == ["n0", "n1", "n2"]
    assert [d["name"] for d in ok(await api.get("/devices", params={"search": "DA210001"}))["items"]] == ["n1"]


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"dev_eui": "70b3"}, 422, "dev_eui: '70b3' is not an EUI: 16 hex digits are needed"),
        ({"dev_eui": "70b3d57eda220001", "activation": "wifi"}, 422, "activation: input should be 'otaa' or 'abp'"),
        ({"dev_eui": "70b3d57eda220001", "tags": {"a": 1}}, 422, "tags.a: input should be a valid string, not 1"),
        ({"dev_eui": "70b3d57eda220001", "app_key": APP_KEY, "codec": "x"}, 422, "codec 'x' does not exist"),
        (
            {"dev_eui": "70b3d57eda220001", "abp": {**abp_session("1"), "fcnt_up": 1 << 32}},
            422,
            "abp.fcnt_up: input should be less than or equal to 4294967295, not 4294967296",
        ),
        ({"dev_eui": "70b3d57eda220009", "app_key": APP_KEY}, 409, "device 70b3d57eda220009 exists already"),
    ],
)
async def test_refusals_are_told(api: httpx.AsyncClient, body: dict[str, object], status: int, text: str) -> None:
    await api.post("/devices", json={"dev_eui": "70b3d57eda220009", "app_key": APP_KEY})
    answer = problem(await api.post("/devices", json=body))
    assert (answer[0], answer[2].startswith(text)) == (status, True), answer


async def test_eui_in_the_path_is_checked(api: httpx.AsyncClient) -> None:
    text = "dev_eui: '70b3' is not an EUI: 16 hex digits are needed"
    assert problem(await api.get("/devices/70b3")) == (422, "invalid", text)


async def test_rules_and_limits_of_a_device_hold_and_what_they_hold_back_is_counted(
    running: Running, api: httpx.AsyncClient
) -> None:
    eui, source = "70b3d57eda2000f1", "function decodeUplink(i) { return { data: { level: i.bytes[0], n: 1 } }; }"
    ok(await api.post("/codecs", json={"name": "limited", "source": source}), 201)
    template = {"name": "limited", "codec": "limited", "rules": {"n": {}}, "max_measurements_per_hour": 1000}
    ok(await api.post("/device-templates", json=template), 201)
    own = {"rules": {"level": {"on_change": False, "min_interval_s": 3600}}}
    made = ok(
        await api.post("/devices", json={"dev_eui": eui, "template": "limited", "abp": abp_session("002000f1")} | own),
        201,
    )
    assert (made["rules"], made["max_measurements_per_hour"]) == (own["rules"], None)
    ok(await api.post("/gateways/a84041ffff2000f1/accept"))
    with Gateway(running.server, "a84041ffff2000f1") as gateway:
        for fcnt in (1, 2, 3):
            await gateway.causes(frame("002000f1", fcnt, 1, bytes([fcnt])), "decoded")
    held = ok(await api.get(f"/devices/{eui}"))["held_back"]
    assert (held["min_interval"], held["max_per_hour"], held["device_max_per_hour"]) == (2, 0, 0)
    assert held["unchanged"] >= 2
    async with running.client(running.admin_key) as plain:
        text = (await plain.get("/metrics")).text
    reasons = {
        line.partition("{")[2].partition("}")[0]
        for line in text.splitlines()
        if "measurements_suppressed_total" in line
    }
    assert 'reason="min_interval"' in reasons
    changed = ok(await api.patch(f"/devices/{eui}", json={"rules": {}, "max_measurements_per_hour": 0}))
    assert (changed["rules"], changed["max_measurements_per_hour"]) == ({}, 0)
    answer = await api.patch(f"/devices/{eui}", json={"rules": {"level": {"max_per_hour": -1}}})
    text = "rules.level.max_per_hour: input should be greater than or equal to 0, not -1"
    assert problem(answer) == (422, "invalid", text)
    answer = await api.patch(f"/devices/{eui}", json={"rules": {"level": {"min_interval_s": 3e6}}})
    text = "rules.level.min_interval_s: input should be less than or equal to 2592000, not 3000000.0"
    assert problem(answer) == (422, "invalid", text)
