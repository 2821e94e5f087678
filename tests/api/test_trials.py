import asyncio
from typing import Any

import httpx
import pytest

from lns.api.trials import MAX_WAITING, Trials
from lns.decoding.parts import Refused
from lns.decoding.trial import TrialSpec
from tests.api.answers import ok, problem, without
from tests.api.conftest import Running
from tests.api.radio import Gateway, abp_session, frame

pytestmark = pytest.mark.asyncio(loop_scope="package")

IN_USE = "function decodeUplink(i) { return { data: { v: i.bytes[0], old: 1 } }; }"
DRAFT = """function decodeUplink(i) {
  if (i.bytes[0] === 3) throw new Error("three");
  return { data: { v: i.bytes[0] * 2, extra: true } };
}"""
EUI, GATEWAY = "70b3d57eda750001", "a84041ffff750001"


async def finished(api: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    """The trial, when it is over."""
    async with asyncio.timeout(20):
        while (job := ok(await api.get(f"/trials/{job_id}")))["state"] in ("waiting", "running"):
            await asyncio.sleep(0.01)
    found: dict[str, Any] = job
    return found


async def test_draft_is_compared_with_what_is_in_use_and_nothing_is_written(
    running: Running, api: httpx.AsyncClient
) -> None:
    ok(await api.post("/codecs", json={"name": "t1", "source": IN_USE}), 201)
    ok(await api.post("/codecs/t1/versions", json={"source": DRAFT, "activate": False}), 201)
    ok(await api.post("/devices", json={"dev_eui": EUI, "codec": "t1", "abp": abp_session("00750001")}), 201)
    ok(await api.post(f"/gateways/{GATEWAY}/accept"))
    with Gateway(running.server, GATEWAY) as gateway:
        for fcnt in (1, 2, 3):
            await gateway.causes(frame("00750001", fcnt, 2, bytes([fcnt])), "decoded")
    head = running.server.exchange.head_seq
    started = ok(await api.post("/trials", json={"codec": "t1@draft", "last": 100}), 202)
    assert (started["codec"], started["version"], started["report"]) == ("t1", 2, None)
    job = await finished(api, started["id"])
    assert (job["state"], job["compared"], job["of"], job["error"]) == ("done", 3, 3, None)
    report = job["report"]
    assert (report["uplinks"], report["same"], report["different"]) == (3, 0, 2)
    kinds = ("same", "added", "lost", "changed")
    assert {name: tuple(field[kind] for kind in kinds) for name, field in report["fields"].items()} == {
        "v": (0, 0, 0, 2),
        "old": (0, 0, 2, 0),
        "extra": (0, 2, 0, 0),
    }
    sample = report["fields"]["v"]["samples"][0]
    assert (sample["dev_eui"], sample["payload"], sample["before"], sample["after"]) == (EUI, "01", 1, 2)
    assert report["new_failures"]["count"] == 1
    failed = report["new_failures"]["samples"][0]
    assert (failed["before"], without(failed["after"], "column")) == (
        None,
        {"reason": "exception", "message": "three", "line": 2},
    )
    assert running.server.exchange.head_seq == head
    one = ok(await api.post("/trials", json={"codec": "t1@2", "last": 1, "devices": [EUI]}), 202)
    assert (await finished(api, one["id"]))["report"]["uplinks"] == 1


async def test_trial_that_is_over_stays_as_it_is_when_cancelled(api: httpx.AsyncClient) -> None:
    ok(await api.post("/codecs", json={"name": "t2", "source": IN_USE}), 201)
    job = ok(await api.post("/trials", json={"codec": "t2@1"}), 202)
    done = await finished(api, job["id"])
    assert (done["state"], done["report"]["uplinks"]) == ("done", 0)
    assert without(ok(await api.delete(f"/trials/{job['id']}")), "x") == done


async def test_trial_that_cannot_be_is_told(api: httpx.AsyncClient) -> None:
    ok(await api.post("/codecs", json={"name": "t3", "source": IN_USE}), 201)
    no_draft = problem(await api.post("/trials", json={"codec": "t3@draft"}))
    assert no_draft == (404, "not_found", "codec 't3' has no draft version")
    assert problem(await api.post("/trials", json={"codec": "nothing@1"}))[0] == 404
    text = "last: input should be greater than or equal to 1, not 0"
    assert problem(await api.post("/trials", json={"codec": "t3", "last": 0}))[2] == text
    for answer in (await api.get("/trials/x"), await api.delete("/trials/x")):
        assert problem(answer) == (404, "not_found", "there is no trial x")


async def test_waiting_trials_are_limited_and_can_be_cancelled(running: Running) -> None:
    trials = Trials(running.server.trials._parts)  # nobody works on these
    jobs = [trials.start(TrialSpec("t1", 1), 0) for _ in range(MAX_WAITING)]
    with pytest.raises(Refused, match=f"{MAX_WAITING} trials wait already"):
        trials.start(TrialSpec("t1", 1), 0)
    cancelled = trials.cancel(jobs[0].id)
    assert cancelled is not None
    assert (cancelled.state, trials.cancel("x")) == ("cancelled", None)
    assert trials.start(TrialSpec("t1", 1), 0).state == "waiting"
