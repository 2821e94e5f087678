import asyncio
from typing import Any

import httpx
import pytest

from tests.api.answers import ok, problem, without
from tests.api.conftest import Running
from tests.api.radio import Gateway, abp_session, frame

pytestmark = pytest.mark.asyncio(loop_scope="package")

WRONG = """function decodeUplink(i) {
  if (i.bytes[0] === 3) throw new Error("three");
  return { data: { v: i.bytes[0], lost: true } };
}"""
RIGHT = "function decodeUplink(i) { return { data: { v: i.bytes[0] * 2 } }; }"
EUI, GATEWAY = "70b3d57eda800001", "a84041ffff800001"


async def finished(running: Running, api: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    """A replay, when it is over and every store has what it has corrected."""
    job = ok(await api.post("/replays", json=body), 202)
    async with asyncio.timeout(20):
        await running.server.replays.finished(job["id"])
        await running.server.exchange.caught_up()
    found: dict[str, Any] = ok(await api.get(f"/replays/{job['id']}"))
    return found


async def values(api: httpx.AsyncClient, field: str) -> list[Any]:
    answer = await api.get(f"/devices/{EUI}/series/{field}")
    return [item["value"] for item in ok(answer)["items"]] if answer.status_code == 200 else []


async def test_history_is_repaired_once_and_failures_with_it(running: Running, api: httpx.AsyncClient) -> None:
    ok(await api.post("/codecs", json={"name": "r1", "source": WRONG}), 201)
    ok(await api.post("/devices", json={"dev_eui": EUI, "codec": "r1", "abp": abp_session("00800001")}), 201)
    ok(await api.post(f"/gateways/{GATEWAY}/accept"))
    with Gateway(running.server, GATEWAY) as gateway:
        for fcnt in (1, 2, 3):
            await gateway.causes(frame("00800001", fcnt, 2, bytes([fcnt])), "decoded")
    ok(await api.post("/codecs/r1/versions", json={"source": RIGHT}), 201)

    dry = await finished(running, api, {"codec": "r1", "dry_run": True})
    counts = ("uplinks", "corrected", "added", "changed", "removed", "mended")
    assert {name: dry["report"][name] for name in counts} == {
        "uplinks": 3, "corrected": 3, "added": 1, "changed": 2, "removed": 2, "mended": 1,
    }  # fmt: skip
    assert (dry["state"], dry["dry_run"], dry["done"]) == ("done", True, 1)
    assert await values(api, "v") == [1, 2]

    done = await finished(running, api, {"codec": "r1", "since": "2020-01-01T00:00:00Z", "devices": [EUI]})
    assert without(done["report"], "examples") == without(dry["report"], "examples")
    assert (done["devices"], done["since"], done["finished_at"] is not None) == (
        [EUI],
        "2020-01-01T00:00:00.000000Z",
        True,
    )
    assert (await values(api, "v"), await values(api, "lost")) == ([2, 4, 6], [])
    assert ok(await api.get("/decode-failures", params={"device": EUI}))["items"] == []

    again = await finished(running, api, {"codec": "r1"})
    assert (again["report"]["corrected"], again["report"]["unchanged"]) == (0, 3)
    back = await finished(running, api, {"codec": "r1@1", "keep_lost": True})
    assert (back["version"], back["report"]["failed"], back["report"]["changed"]) == (1, {"exception": 1}, 2)
    listed = ok(await api.get("/replays"))["items"]
    assert [job["id"] for job in listed][:4] == [back["id"], again["id"], done["id"], dry["id"]]


async def test_replay_that_is_over_stays_as_it_is_when_cancelled(running: Running, api: httpx.AsyncClient) -> None:
    done = await finished(running, api, {"until": "2020-01-01T00:00:00Z"})
    assert (done["state"], done["codec"], done["report"]["corrected"]) == ("done", None, 0)
    assert ok(await api.delete(f"/replays/{done['id']}")) == done


async def test_replay_that_cannot_be_is_told(api: httpx.AsyncClient) -> None:
    async def told(**body: Any) -> tuple[int, str]:
        return problem(await api.post("/replays", json=body))[::2]

    assert await told(codec="nothing") == (404, "codec 'nothing' does not exist")
    assert await told(codec="cayenne-lpp@7") == (404, "codec 'cayenne-lpp' has no version 7, it has 1 to 1")
    assert await told(devices=["70b3d57eda80ffff"]) == (404, "device 70b3d57eda80ffff does not exist")
    early, late = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
    assert await told(since=late, until=early) == (422, "since is not before until")
    assert (await told(since="noon"))[0] == 422
    for answer in (await api.get("/replays/x"), await api.delete("/replays/x")):
        assert problem(answer) == (404, "not_found", "there is no replay x")
