"""Outlets of a whole server, from a frame on the air to the message at its destination, while it runs."""

import asyncio
import time
from typing import Any

import msgspec
import pytest

from tests.api.answers import ok, problem
from tests.assembly.serving import QUICK, World, shown
from tests.outlets.receiver import Request, answer, receiving
from tests.process import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "whsec_c2VjcmV0IG9mIGEgd2ViaG9vayAxMjM0"
UPLINKS: dict[str, Any] = {"filter": {"events": ["uplink"]}}


def counts(requests: list[Request]) -> list[int]:
    return [msgspec.json.decode(request.body)["fcnt_up"] for request in requests]


def ended(log: dict[str, Any]) -> bool:
    return all(one["status"] not in ("pending", "waiting") for one in log["items"])


async def consumers(world: World) -> list[str]:
    return [one["name"] for one in (await world.get("/exchange"))["consumers"]]


async def test_an_uplink_reaches_a_webhook_and_is_in_the_delivery_log(world: World) -> None:
    async with receiving() as receiver:
        dev_eui = await world.device(1)
        await world.uplinks(1, 1)  # before there was an outlet
        made = await world.outlet("hook", receiver.url, **UPLINKS)
        assert (made["state"], made["application"]) == ("active", "default")
        await world.uplinks(2, 1)
        await receiver.got(2)
        assert counts(receiver.requests) == [1, 2]
        assert msgspec.json.decode(receiver.requests[0].body)["device"]["dev_eui"] == dev_eui
        log = await shown(world, "/deliveries", ended, outlet="hook")
        assert [one["message_id"] for one in reversed(log["items"])] == receiver.ids
        whole = await world.get(f"/deliveries/{log['items'][0]['id']}")
        assert (whole["message"], len(whole["tries"]), whole["tries"][0]["status"]) == (None, 1, 200)
        assert "POST" in whole["tries"][0]["request"]
        ok(await world.api.delete("/applications/default/outlets/hook"))


async def test_a_change_goes_on_where_it_was_and_cuts_nothing_off(world: World) -> None:
    await world.application("changed")
    await world.device(2, "changed")
    async with receiving() as old, receiving() as new:
        go = asyncio.Event()

        async def late(request: Request, writer: asyncio.StreamWriter) -> None:
            await go.wait()
            await answer()(request, writer)

        old.acts = [late]
        await world.outlet("hook", old.url, "changed", **UPLINKS)
        await world.uplinks(5, 2)
        await old.got(1)
        before = await consumers(world)
        async with asyncio.TaskGroup() as tasks:
            where = "/applications/changed/outlets/hook"
            change = tasks.create_task(world.api.patch(where, json={"settings": {"url": new.url}}))
            await shown(world, where, lambda one: one["state"] == "changing")
            assert not change.done()
            assert await consumers(world) == before, "the log is kept for it meanwhile"
            go.set()
        assert ok(change.result())["settings"]["url"] == new.url
        await new.got(4)
        await shown(world, "/deliveries", ended, application="changed")
        assert (counts(old.requests), counts(new.requests)) == ([0], [1, 2, 3, 4])


async def test_a_change_that_mends_an_outlet_is_tried_at_once(world: World) -> None:
    await world.application("mended")
    await world.device(9, "mended")
    async with receiving() as receiver:
        away = f"http://127.0.0.1:{free_port()}/"
        slow = {
            **QUICK,
            "schedule": {"waits_s": [3600.0] * 3},
            "breaker": {"row": 1, "open_s": 3600.0, "open_most_s": 3600.0},
        }
        await world.outlet("hook", away, "mended", sending=slow, **UPLINKS)
        await world.uplinks(3, 9)
        where = "/applications/mended/outlets/hook"
        await shown(world, where, lambda one: one["breaker"] == "open")
        ok(await world.api.patch(where, json={"settings": {"url": receiver.url}}))
        await receiver.got(3)
        assert (await world.get(where))["breaker"] == "closed"


async def test_what_comes_during_a_pause_is_sent_after_it(world: World) -> None:
    await world.application("paused")
    await world.device(3, "paused")
    async with receiving() as receiver:
        await world.outlet("hook", receiver.url, "paused", **UPLINKS)
        where = "/applications/paused/outlets/hook"
        assert (await world.post(f"{where}/pause"))["state"] == "paused"
        await world.uplinks(3, 3)
        await shown(world, where, lambda one: one["open"] == 3)
        assert receiver.requests == []
        assert (await world.post(f"{where}/resume"))["state"] == "active"
        await receiver.got(3)
        assert counts(receiver.requests) == [0, 1, 2]


async def test_an_outlet_that_is_gone_drops_what_it_had_and_holds_nothing(world: World) -> None:
    await world.application("gone")
    await world.device(4, "gone")
    async with receiving() as receiver:
        await world.outlet("hook", receiver.url, "gone", paused=True, **UPLINKS)
        await world.uplinks(3, 4)
        await shown(world, "/applications/gone/outlets/hook", lambda one: one["open"] == 3)
        before = await consumers(world)
        assert len([name for name in before if name.startswith("outlet.")]) == len(
            (await world.get("/outlets"))["items"]
        )
        assert ok(await world.api.delete("/applications/gone/outlets/hook")) == {"dropped": 3}
        assert len(await consumers(world)) == len(before) - 1
        log = (await world.get("/deliveries", application="gone", outlet="hook"))["items"]
        assert {(one["status"], one["reason"], one["removed"]) for one in log} == {("dropped", "outlet removed", True)}
        assert problem(await world.api.get("/applications/gone/outlets/hook")) == (
            404,
            "not_found",
            "application 'gone' has no outlet 'hook'",
        )
        # one of the same name begins anew
        await world.outlet("hook", receiver.url, "gone", from_seq=1, **UPLINKS)
        await receiver.got(3)
        assert receiver.ids == [one["message_id"] for one in reversed(log)]


async def test_an_application_takes_its_outlets_with_it(world: World) -> None:
    await world.application("short-lived")
    async with receiving() as receiver:
        await world.outlet("hook", receiver.url, "short-lived")
        ok(await world.api.delete("/applications/short-lived"), 204)
    items = (await world.get("/outlets"))["items"]
    assert [one for one in items if one["application"] == "short-lived"] == []
    assert len([name for name in await consumers(world) if name.startswith("outlet.")]) == len(items)


async def test_an_outlet_begins_where_it_is_told_to(world: World) -> None:
    await world.application("begin")
    await world.device(5, "begin")
    await world.uplinks(2, 5)
    await asyncio.sleep(0)
    at = time.time()
    head = (await world.get("/exchange"))["head_seq"]
    await world.uplinks(2, 5)
    async with receiving() as by_seq, receiving() as by_time:
        await world.outlet("a", by_seq.url, "begin", from_seq=head + 1, **UPLINKS)
        since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1e6):06d}Z"
        await world.outlet("b", by_time.url, "begin", from_time=since, **UPLINKS)
        await by_seq.got(2)
        await by_time.got(2)
        assert (counts(by_seq.requests), counts(by_time.requests)) == ([2, 3], [2, 3])
        body = {"name": "c", "kind": "webhook", "settings": {"url": by_seq.url}, "from_seq": 10**9}
        status, code, text = problem(await world.api.post("/applications/begin/outlets", json=body))
        assert (status, code, text.startswith("from is seq 1000000000, the newest record in the log is ")) == (
            422,
            "invalid",
            True,
        )


async def test_secrets_are_masked_and_come_back_as_they_were(world: World) -> None:
    await world.application("masked")
    async with receiving() as receiver:
        settings = {"secrets": [SECRET], "headers": {"Authorization": "Bearer x"}}
        made = await world.outlet("hook", receiver.url, "masked", settings=settings)
        assert (made["settings"]["secrets"], made["settings"]["headers"]) == (["***"], {"Authorization": "***"})
        where = "/applications/masked/outlets/hook"
        ok(await world.api.patch(where, json={"settings": {**made["settings"], "timeout_s": 3}}))
        assert (await world.post(f"{where}/test"))["delivered"] is True
        assert receiver.requests[0].headers["authorization"] == "Bearer x"
        assert receiver.requests[0].headers["webhook-signature"].startswith("v1,")
        gone = ok(await world.api.patch(where, json={"settings": {"secrets": None, "timeout_s": None}}))
        assert sorted(gone["settings"]) == ["allow_private", "headers", "url"]
        refused = problem(await world.api.patch(where, json={"settings": {"secrets": ["***"]}}))
        assert refused[0] == 422


async def test_dead_letters_are_told_to_others_but_not_to_who_cannot_hear_them(world: World) -> None:
    await world.application("trouble")
    await world.device(6, "trouble")
    async with receiving() as deaf, receiving() as other:
        deaf.then = answer(400)
        sending = {**QUICK, "schedule": {"waits_s": [], "refusals": 1}}
        events = ["uplink", "measurements", "delivery"]
        await world.outlet("deaf", deaf.url, "trouble", sending=sending, filter={"events": events})
        await world.outlet("other", other.url, "trouble", filter={"events": ["delivery"]})
        await world.uplinks(1, 6)
        await other.got(2)  # the uplink and its measurements
        told = [msgspec.json.decode(request.body)["data"] for request in other.requests]
        assert {(one["outlet"], one["what"], one["reason"]) for one in told} == {("deaf", "dead", "refused")}
        status = await shown(world, "/status", lambda one: any(a["outlet"] == "deaf" for a in one["alerts"]))
        (alert,) = [one for one in status["alerts"] if one["outlet"] == "deaf"]
        assert (alert["kind"], alert["text"][:13]) == ("dead", "2 deliveries ")
        log = (await world.get("/deliveries", outlet="deaf"))["items"]
        assert {one["event"] for one in log} == {"uplink", "measurements"}
        deaf.then = answer()
        dry = {"outlet": "deaf", "text": "STATUS 400", "dry_run": True}
        assert await world.post("/deliveries/retry", dry) == {"count": 2, "dry_run": True}
        assert await world.post("/deliveries/retry", {"outlet": "deaf", "event": "uplink"}) == {
            "count": 1,
            "dry_run": False,
        }
        assert await world.post("/deliveries/drop", {"outlet": "deaf"}) == {"count": 1, "dry_run": False}
        log = await shown(world, "/deliveries", ended, outlet="deaf")
        assert sorted(one["status"] for one in log["items"]) == ["delivered", "dropped"]


async def test_a_destination_that_wants_no_more_disables_its_outlet_until_it_is_resumed(world: World) -> None:
    await world.application("wants-none")
    await world.device(7, "wants-none")
    async with receiving() as receiver:
        receiver.acts = [answer(410)]
        await world.outlet("hook", receiver.url, "wants-none", **UPLINKS)
        await world.uplinks(2, 7)
        where = "/applications/wants-none/outlets/hook"
        one = await shown(world, where, lambda one: one["state"] == "disabled")
        assert (one["reason"], len(receiver.requests)) == ("status 410", 1)
        kinds = [a["kind"] for a in (await world.get("/status"))["alerts"] if a["outlet"] == "hook"]
        assert "disabled" in kinds
        await world.post(f"{where}/resume")
        await receiver.got(2)


async def test_a_replay_counts_first_and_sends_the_same_ids(world: World) -> None:
    await world.application("again")
    await world.device(8, "again")
    async with receiving() as receiver:
        await world.outlet("hook", receiver.url, "again", **UPLINKS)
        await world.uplinks(5, 8)
        await receiver.got(5)
        await shown(world, "/deliveries", ended, application="again")
        where = "/applications/again/outlets/hook/replays"
        job = await world.post(where, {"dry_run": True}, 202)
        counted = await shown(world, f"{where}/{job['id']}", lambda one: one["state"] == "done")
        assert (counted["messages"], len(receiver.requests)) == (5, 5)
        assert (counted["begins_at"] is None, counted["archived"], counted["lost"]) == (False, 0, 0)
        job = await world.post(where, {"max_per_s": 1000}, 202)
        done = await shown(world, f"{where}/{job['id']}", lambda one: one["state"] == "done")
        assert (done["messages"], done["done"], done["error"]) == (5, 1.0, None)
        await receiver.got(10)
        assert receiver.ids[5:] == receiver.ids[:5]
        assert [one["id"] for one in (await world.get(where))["items"]] == [done["id"], counted["id"]]
        slow = await world.post(where, {"max_per_s": 0.1}, 202)
        again = problem(await world.api.post(where, json={}))
        assert again == (409, "conflict", f"replay {slow['id']} of this outlet is under way: wait for it, or cancel it")
        assert ok(await world.api.delete(f"{where}/{slow['id']}"))["state"] == "cancelled"
