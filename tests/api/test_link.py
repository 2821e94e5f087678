import httpx
import pytest

from tests.api.answers import ok, problem
from tests.api.conftest import Running
from tests.api.radio import Gateway, abp_session, frame

pytestmark = pytest.mark.asyncio(loop_scope="package")

EUI = "70b3d57edad00001"
GATEWAY = "a84041ffffd00001"


async def test_link_shows_losses_gateways_and_data_rates(running: Running, api: httpx.AsyncClient) -> None:
    ok(await api.post("/devices", json={"dev_eui": EUI, "abp": abp_session("00d00001")}), 201)
    nothing = ok(await api.get(f"/devices/{EUI}/link"))
    assert (nothing["received"], nothing["packet_error_rate"], nothing["battery"]) == (0, None, None)
    assert (nothing["uplinks"], nothing["gateways"], nothing["device_class"]) == ([], [], "A")
    ok(await api.post(f"/gateways/{GATEWAY}/accept"))
    with Gateway(running.server, GATEWAY) as gateway:
        for fcnt in (0, 3):
            await gateway.causes(frame("00d00001", fcnt, 1, b"\x00"), "uplink")
    link = ok(await api.get(f"/devices/{EUI}/link"))
    assert (link["received"], link["lost"], link["packet_error_rate"]) == (2, 2, 0.5)
    assert [(entry["fcnt"], entry["dr"], entry["data_rate"]) for entry in link["uplinks"]] == [
        (0, 5, "SF7BW125"),
        (3, 5, "SF7BW125"),
    ]
    assert link["uplinks"][0]["gateways"] == [{"gateway_eui": GATEWAY, "snr_db": 7.5}]
    # SF7 is demodulated down to -7.5 dB
    assert link["gateways"] == [{"gateway_eui": GATEWAY, "uplinks": 2, "margin_db_mean": 15.0, "margin_db_min": 15.0}]


async def test_only_a_device_of_lorawan_1_1_can_be_asked_to_rejoin(api: httpx.AsyncClient) -> None:
    eui = "70b3d57edad00002"
    ok(await api.post("/devices", json={"dev_eui": eui, "abp": abp_session("00d00002")}), 201)
    status, code, text = problem(await api.post(f"/devices/{eui}/rejoin", json={}))
    assert (status, code) == (422, "invalid")
    assert "1.1" in text
    answer = await api.post(f"/devices/{eui}/rejoin", json={"rejoin_type": 1})
    assert problem(answer) == (422, "invalid", "rejoin_type: input should be 0 or 2, not 1")


async def test_unknown_device_is_told(api: httpx.AsyncClient) -> None:
    told = (404, "not_found", "device 70b3d57edad0ffff does not exist")
    assert problem(await api.get("/devices/70b3d57edad0ffff/link")) == told
    assert problem(await api.post("/devices/70b3d57edad0ffff/rejoin", json={})) == told
