import asyncio
import json
from typing import Any

import httpx
import pytest

from lns import __version__
from tests.api.answers import ok, problem
from tests.api.conftest import Running
from tests.api.radio import Gateway, abp_session, first, frame

pytestmark = pytest.mark.asyncio(loop_scope="package")

GATEWAY = "a84041ffff700001"


async def test_status_shows_the_server_at_a_glance(running: Running, api: httpx.AsyncClient) -> None:
    status = ok(await api.get("/status"))
    assert (status["version"], status["region"], status["net_id"]) == (__version__, "EU868", "000000")
    assert status["udp"] == {"host": "127.0.0.1", "port": running.server.udp_port}
    assert status["uptime_s"] >= 0
    devices = running.server.network.devices
    assert (status["devices"], status["sessions"]) == (len(devices.by_eui), devices.sessions.count)
    assert set(status["gateways"]) == {"seen", "accepted", "blocked"}
    assert set(status["health"]) == {"device", "gateway"}
    assert "measurements_stored" in status["counters"]


async def test_exchange_shows_each_consumer(api: httpx.AsyncClient) -> None:
    exchange = ok(await api.get("/exchange"))
    assert [consumer["name"] for consumer in exchange["consumers"]] == ["decoder", "latest", "series.sqlite"]
    names = {"name", "position", "lag", "waiting", "rate_per_s", "applied", "state", "last_error", "last_error_at"}
    assert set(exchange["consumers"][0]) == names
    told = {"head_seq", "first_seq", "records", "bytes", "pending", "last_error", "consumers", "notices"}
    assert set(exchange) == told


async def test_refused_frames_are_listed_newest_first(running: Running, api: httpx.AsyncClient) -> None:
    ok(await api.post(f"/gateways/{GATEWAY}/accept"))
    with Gateway(running.server, GATEWAY) as gateway:
        for address in ("00700001", "00700002"):
            await gateway.causes(frame(address, 0, 1, b"\x00"), "refusal")
    newest, older = ok(await api.get("/refusals", params={"limit": 2}))["items"]
    assert (newest["dev_addr"], older["dev_addr"]) == ("00700002", "00700001")
    assert (newest["reason"], newest["gateway_eui"]) == ("unknown_dev_addr", GATEWAY)
    assert newest["hint"].startswith(
        "a neighbour's device; if it is yours, let it join again or add it: lns device add"
    )
    assert len(ok(await api.get("/refusals", params={"limit": 1}))["items"]) == 1
    for filters, found in (
        ({"dev_addr": "00:70:00:01"}, [older]),
        ({"reason": "unknown_dev_addr", "gateway": GATEWAY}, [newest, older]),
        ({"reason": "mic_failed", "gateway": GATEWAY}, []),
        ({"dev_eui": "70b3d57eda70ffff"}, []),
    ):
        assert ok(await api.get("/refusals", params=filters))["items"] == found
    text = "dev_addr: '1' is not a DevAddr: 8 hex digits are needed"
    assert problem(await api.get("/refusals", params={"dev_addr": "1"})) == (422, "invalid", text)
    assert problem(await api.get("/refusals", params={"limit": 0}))[0] == 422


async def test_events_are_streamed_as_they_happen(running: Running, api: httpx.AsyncClient) -> None:
    ok(await api.post(f"/gateways/{GATEWAY}/accept"))
    ok(await api.post("/devices", json={"dev_eui": "70b3d57eda700001", "abp": abp_session("00700011")}), 201)
    watchers = len(running.server.live._watchers)
    async with api.stream("GET", "/events/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        assert await first(lines, lambda line: True) == ": connected"
        with Gateway(running.server, GATEWAY) as gateway:
            gateway.hears(frame("00700011", 3, 1, b"\x00"))
        line = await first(lines, lambda line: '"uplink"' in line)
    event = json.loads(line.removeprefix("data: "))
    assert (event["kind"], event["dev_eui"], event["fcnt"]) == ("uplink", "70b3d57eda700001", 3)
    ok(await api.get("/status"))
    assert len(running.server.live._watchers) == watchers


async def test_uplinks_that_are_decoded_later_are_shown_as_waiting(running: Running, api: httpx.AsyncClient) -> None:
    def decoder(shown: dict[str, Any]) -> dict[str, Any]:
        return next(consumer for consumer in shown["consumers"] if consumer["name"] == "decoder")

    source = "function decodeUplink(i) { while (i.bytes[0]) {} return { data: {} }; }"
    ok(await api.post("/codecs", json={"name": "endless", "source": source}), 201)
    device = {"dev_eui": "70b3d57eda3000f1", "codec": "endless", "abp": abp_session("003000f1")}
    ok(await api.post("/devices", json=device), 201)
    ok(await api.post(f"/gateways/{GATEWAY}/accept"))
    with Gateway(running.server, GATEWAY) as gateway:
        for fcnt in range(12):
            gateway.hears(frame("003000f1", fcnt, 1, b"\x01"))
        async with asyncio.timeout(20):
            while not decoder(shown := ok(await api.get("/exchange")))["waiting"]:
                pass
            assert 0 < decoder(shown)["waiting"] <= 12
            assert {one["waiting"] for one in shown["consumers"] if one["name"] != "decoder"} == {0}
            while decoder(ok(await api.get("/exchange")))["waiting"]:
                pass
