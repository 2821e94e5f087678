"""Downlink commands over HTTP in the words of ChirpStack and The Things Stack, with our keys."""

from typing import Any

import httpx
import pytest

from tests.api.answers import ok, problem
from tests.api.conftest import Running
from tests.api.radio import abp_session

pytestmark = pytest.mark.asyncio(loop_scope="package")

CHIRPSTACK = "/api/devices/{}/queue"
TTS = "/api/v3/as/applications/{}/webhooks/hook/devices/{}/down/{}"


async def device(api: httpx.AsyncClient, number: int, **more: Any) -> str:
    eui = f"70b3d57edf0{number:05x}"
    body = {"dev_eui": eui, "abp": abp_session(f"0f0{number:05x}"), **more}
    ok(await api.post("/devices", json=body), 201)
    return eui


async def queue(api: httpx.AsyncClient, eui: str) -> list[tuple[int, str, bool, int]]:
    items = ok(await api.get(f"/devices/{eui}/downlinks"))["items"]
    return [(one["fport"], one["payload"], one["confirmed"], one["priority"]) for one in items]


async def test_chirpstacks_clients_queue_and_flush(running: Running, api: httpx.AsyncClient) -> None:
    eui = await device(api, 1)
    async with running.client() as client:
        headers = {"Grpc-Metadata-Authorization": f"Bearer {running.admin_key}"}
        item = {"queueItem": {"fPort": 2, "data": "AQAAPA==", "confirmed": True}}
        answer = ok(await client.post(CHIRPSTACK.format(eui), json=item, headers=headers))
        assert list(answer) == ["id"]
        plain = {"Authorization": f"Bearer {running.admin_key}"}
        ok(
            await client.post(
                CHIRPSTACK.format(eui.upper()), json={"queue_item": {"fPort": 3, "data": ""}}, headers=plain
            )
        )
        assert await queue(api, eui) == [(2, "0100003c", True, 0), (3, "", False, 0)]
        assert ok(await client.delete(CHIRPSTACK.format(eui), headers=headers)) == {}
        assert await queue(api, eui) == []


async def test_the_things_stacks_clients_push_and_replace(running: Running, api: httpx.AsyncClient) -> None:
    ok(await api.post("/applications", json={"name": "tts-words"}), 201)
    eui = await device(api, 2, application="tts-words", name="valve")
    async with running.client(running.admin_key) as client:
        one = {"downlinks": [{"f_port": 2, "frm_payload": "AQ==", "priority": "HIGH"}]}
        assert ok(await client.post(TTS.format("tts-words", "valve", "push"), json=one)) == {}
        ok(await client.post(TTS.format("tts-words", f"eui-{eui}", "push"), json=one))
        assert await queue(api, eui) == [(2, "01", False, 2)] * 2
        other = {"downlinks": [{"f_port": 4, "frm_payload": "Ag==", "confirmed": True}]}
        ok(await client.post(TTS.format("tts-words", "valve", "replace"), json=other))
        assert await queue(api, eui) == [(4, "02", True, 0)]


@pytest.mark.parametrize(
    ("where", "body", "expected"),
    [
        (CHIRPSTACK.format("70b3d57edf0fffff"), {"queueItem": {"fPort": 2}},
         (404, "not_found", "device 70b3d57edf0fffff does not exist")),
        (CHIRPSTACK.format("70b3d57edf000001"), {"fPort": 2},
         (422, "invalid", "the command cannot be read: it has no object queueItem")),
        (CHIRPSTACK.format("70b3d57edf000001"), {"queueItem": {"fPort": 0}},
         (422, "invalid", "fPort is 0, expected 1 to 223")),
        (TTS.format("nowhere", "x", "push"), {"downlinks": []},
         (404, "not_found", "no application has the id 'nowhere'")),
        (TTS.format("default", "x", "push"), {"downlinks": []},
         (404, "not_found", "device 'x' does not exist in this application")),
        (TTS.format("default", "eui-70b3d57edf000002", "push"), {"downlinks": []},
         (404, "not_found", "device 70b3d57edf000002 does not exist in this application")),
    ],
)  # fmt: skip
async def test_what_cannot_be_done_is_said(running: Running, where: str, body: Any, expected: Any) -> None:
    async with running.client(running.admin_key) as client:
        assert problem(await client.post(where, json=body)) == expected


async def test_an_object_needs_a_codec(running: Running, api: httpx.AsyncClient) -> None:
    eui = await device(api, 3)
    async with running.client(running.admin_key) as client:
        answer = await client.post(CHIRPSTACK.format(eui), json={"queueItem": {"fPort": 2, "object": {"on": True}}})
    text = f"device {eui} has no codec that could encode an object: give the payload"
    assert problem(answer) == (422, "invalid", text)


async def test_a_key_is_needed_and_one_that_reads_is_not_enough(running: Running, api: httpx.AsyncClient) -> None:
    eui = await device(api, 4)
    body = {"queueItem": {"fPort": 2, "data": "AQ=="}}
    read = ok(await api.post("/keys", json={"name": "reads", "permissions": ["read"]}), 201)["secret"]
    async with running.client() as client:
        assert problem(await client.post(CHIRPSTACK.format(eui), json=body))[:2] == (401, "unauthorized")
        given = {"Grpc-Metadata-Authorization": f"Bearer {read}"}
        assert problem(await client.post(CHIRPSTACK.format(eui), json=body, headers=given))[:2] == (403, "forbidden")
    assert await queue(api, eui) == []
