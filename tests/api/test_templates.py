import httpx
import pytest

from lns.mac.settings import AdrSettings, MacSettings
from tests.api.answers import ok, problem, without
from tests.api.conftest import Running
from tests.api.radio import abp_session
from tests.registry.samples import NO_REGION

pytestmark = pytest.mark.asyncio(loop_scope="package")

RULES = {"temperature": {"deadband_abs": 0.5}}


async def test_template_is_created_shown_changed_and_deleted(api: httpx.AsyncClient) -> None:
    made = ok(await api.post("/device-templates", json={"name": "t1", "codec": "cayenne-lpp", "rules": RULES}), 201)
    assert without(made, "created_at") == {
        "name": "t1",
        "region": None,
        "lorawan_version": "1.0.3",
        "supports_join": True,
        "codec": "cayenne-lpp",
        "codec_version": None,
        "description": "",
        "fields": {},
        "library_item": None,
        "fcnt_reset_allowed": False,
        "uplink_interval_s": None,
        "rules": RULES,
        "max_measurements_per_hour": None,
        "network": {},
        "devices": 0,
    }
    assert ok(await api.get("/device-templates/t1")) == made
    assert made in ok(await api.get("/device-templates"))["items"]
    changed = ok(await api.patch("/device-templates/t1", json={"codec": None, "lorawan_version": "1.0.4"}))
    assert changed == {**made, "codec": None, "lorawan_version": "1.0.4"}
    ok(await api.delete("/device-templates/t1"), 204)
    assert problem(await api.get("/device-templates/t1")) == (
        404,
        "not_found",
        "device template 't1' does not exist",
    )


async def test_template_stays_with_a_version_or_follows_the_active_one(
    running: Running, api: httpx.AsyncClient
) -> None:
    source = "function decodeUplink(i) { return { data: { v: %d } }; }"
    ok(await api.post("/codecs", json={"name": "tv", "source": source % 1}), 201)
    ok(await api.post("/device-templates", json={"name": "t4", "codec": "tv", "codec_version": 1}), 201)
    device = {"dev_eui": "70b3d57eda100004", "template": "t4", "abp": abp_session("00100004")}
    ok(await api.post("/devices", json=device), 201)
    device_id = running.server.registry.devices.id("70b3d57eda100004")

    def in_use() -> str:
        codec = running.server.codecs.of(device_id)
        assert codec is not None
        return codec.source

    ok(await api.post("/codecs/tv/versions", json={"source": source % 2}), 201)
    assert in_use() == source % 1
    assert ok(await api.patch("/device-templates/t4", json={"codec_version": None}))["codec_version"] is None
    assert in_use() == source % 2
    assert ok(await api.patch("/device-templates/t4", json={"codec_version": 1}))["codec_version"] == 1
    assert in_use() == source % 1
    text = "device template 't4' is pinned to version 1 of codec 'tv'"
    assert problem(await api.post("/codecs/tv/retire", json={"version": 1})) == (409, "conflict", text)
    text = "codec_version is 9: the codec has no such version"
    assert problem(await api.patch("/device-templates/t4", json={"codec_version": 9})) == (422, "invalid", text)


async def test_fields_have_labels_units_and_ranges(api: httpx.AsyncClient) -> None:
    fields = {"t": {"label": "air", "unit": "°C", "min": -40.0, "max": 85.0}, "v": {"unit": "V"}}
    made = ok(await api.post("/device-templates", json={"name": "t5", "description": "a box", "fields": fields}), 201)
    assert (made["fields"], made["description"]) == (fields, "a box")
    wrong = await api.patch("/device-templates/t5", json={"fields": {"t": {"min": 5, "max": 4}}})
    text = "fields.t.min is 5, at most the max 4 is allowed"
    assert problem(wrong) == (422, "invalid", text)


async def test_network_settings_are_merged_and_reach_the_devices(running: Running, api: httpx.AsyncClient) -> None:
    body = {"name": "t3", "lorawan_version": "1.0.4", "network": {"device_class": "C", "adr": {"max_dr": 4}}}
    assert ok(await api.post("/device-templates", json=body), 201)["network"] == body["network"]
    device = {"dev_eui": "70b3d57eda100003", "template": "t3", "abp": abp_session("00100003")}
    ok(await api.post("/devices", json={**device, "network": {"adr": {"min_dr": 1}}}), 201)
    change = {"network": {"adr": {"margin_db": 8, "max_dr": None}, "rx1_delay_s": 5}}
    changed = ok(await api.patch("/device-templates/t3", json=change))
    assert changed["network"] == {"device_class": "C", "adr": {"margin_db": 8.0}, "rx1_delay_s": 5}
    expected = MacSettings(device_class="C", adr=AdrSettings(margin_db=8.0, min_dr=1), rx1_delay_s=5)
    assert running.server.network.device("70b3d57eda100003").settings == expected
    ok(await api.patch("/devices/70b3d57eda100003", json={"network": {"device_class": "A"}}))
    assert running.server.network.device("70b3d57eda100003").settings.device_class == "A"
    answer = await api.patch("/device-templates/t3", json={"network": {"adr": {"algorithm": "best"}}})
    text = "network.adr.algorithm is 'best', expected one of 'margin', 'gateways', 'static', 'off'"
    assert problem(answer) == (422, "invalid", text)


async def test_refusals_are_told(api: httpx.AsyncClient) -> None:
    def told(answer: httpx.Response) -> tuple[int, str]:
        return problem(answer)[::2]

    make = "/device-templates"
    assert told(await api.post(make, json={"name": "default"})) == (409, "device template 'default' exists already")
    text = f"region: {NO_REGION}"
    assert told(await api.post(make, json={"name": "x", "region": "XX"})) == (422, text)
    text = "rules.t.deadband_abs: input should be greater than or equal to 0, not -1"
    assert told(await api.post(make, json={"name": "x", "rules": {"t": {"deadband_abs": -1}}})) == (422, text)
    text = "uplink_interval_s: input should be greater than or equal to 1, not 0"
    assert told(await api.patch(f"{make}/default", json={"uplink_interval_s": 0})) == (422, text)
    assert told(await api.delete(f"{make}/default"))[0] == 409


async def test_change_reaches_the_devices_in_memory(running: Running, api: httpx.AsyncClient) -> None:
    ok(await api.post("/device-templates", json={"name": "t2"}), 201)
    body = {"dev_eui": "70b3d57eda100001", "template": "t2", "abp": abp_session("00100001")}
    ok(await api.post("/devices", json=body), 201)
    ok(await api.patch("/device-templates/t2", json={"region": "US915", "fcnt_reset_allowed": True}))
    device = running.server.network.device("70b3d57eda100001")
    assert device.session is not None
    assert (device.region.name, device.fcnt_reset_allowed, device.session.rx2_freq_hz) == ("US915", True, 923_300_000)


async def test_limits_are_shown_as_they_were_given_and_taken_away_again(api: httpx.AsyncClient) -> None:
    rules = {"t": {"on_change": False, "min_interval_s": 30.5, "max_per_hour": 9}}
    body = {"name": "t6", "rules": rules, "max_measurements_per_hour": 60}
    made = ok(await api.post("/device-templates", json=body), 201)
    assert (made["rules"], made["max_measurements_per_hour"]) == (rules, 60)
    assert made["rules"]["t"]["on_change"] is False
    changed = ok(await api.patch("/device-templates/t6", json={"rules": {}, "max_measurements_per_hour": None}))
    assert (changed["rules"], changed["max_measurements_per_hour"]) == ({}, None)
    answer = await api.patch("/device-templates/t6", json={"max_measurements_per_hour": 1_000_001})
    text = "max_measurements_per_hour: input should be less than or equal to 1000000, not 1000001"
    assert problem(answer) == (422, "invalid", text)
    answer = await api.patch("/device-templates/t6", json={"rules": {"t": {"on_change": False, "deadband_abs": 1}}})
    text = "rules.t: deadband_abs is 1.0, but on_change is false: it would never count"
    assert problem(answer) == (422, "invalid", text)
