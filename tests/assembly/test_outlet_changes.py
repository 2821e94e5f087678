"""Outlets that are changed, added and removed while the delivery log cannot be written."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lns.assembly.outlet_changes import Changes
from lns.assembly.running_outlet import REST_S
from lns.errors import StoreError
from lns.outlets.definition import Outlet
from lns.registry.rows import StoredOutlet
from tests.api.answers import ok, problem
from tests.assembly.serving import QUICK, World, shown, until
from tests.outlets.receiver import receiving

pytestmark = pytest.mark.asyncio(loop_scope="module")

UPLINKS: dict[str, Any] = {"filter": {"events": ["uplink"]}}


@contextmanager
def refusing(world: World, what: str) -> Iterator[None]:
    """The table of outlets refuses `what` at the delivery log's own statements."""
    path = world.running.server.outlets.store._path
    assert path is not None
    db = sqlite3.connect(path, isolation_level=None, timeout=10)
    db.execute(f"CREATE TRIGGER away BEFORE {what} ON outlet BEGIN SELECT RAISE(ABORT, 'the disk is away'); END")
    try:
        yield
    finally:
        db.execute("DROP TRIGGER away")
        db.close()


async def active(world: World, where: str) -> dict[str, Any]:
    found: dict[str, Any] = await shown(world, where, lambda one: one["state"] == "active")
    return found


async def test_a_change_that_fails_halfway_is_made_when_the_delivery_log_is_back(world: World) -> None:
    await world.application("halfway")
    await world.device(101, "halfway")
    where = "/applications/halfway/outlets/hook"
    async with receiving() as old, receiving() as new:
        await world.outlet("hook", old.url, "halfway", **UPLINKS)
        with refusing(world, "UPDATE OF disabled"):  # its former self has ended by then
            changed = ok(await world.api.patch(where, json={"settings": {"url": new.url}}))
            assert (changed["state"], changed["settings"]["url"]) == ("changing", new.url)
            assert "the disk is away" in changed["last_error"]
            await world.uplinks(2, 101)
            held = await shown(world, where, lambda one: one["lag"] >= 4)
            assert held["state"] == "changing"
            paused = ok(await world.api.post(f"{where}/pause"))
            assert paused["state"] == "changing"
            ok(await world.api.post(f"{where}/resume"))
            assert problem(await world.api.post(f"{where}/test")) == (
                409,
                "conflict",
                "outlet 'hook' is being changed",
            )
        await new.got(2)
        assert (await active(world, where))["last_error"] is None
        assert old.requests == []


async def test_a_change_that_cannot_begin_leaves_the_outlet_where_it_was(world: World) -> None:
    await world.application("unbegun")
    await world.device(102, "unbegun")
    where = "/applications/unbegun/outlets/hook"
    async with receiving() as old, receiving() as new:
        await world.outlet("hook", old.url, "unbegun", **UPLINKS)
        with refusing(world, "INSERT"):
            assert ok(await world.api.patch(where, json={"settings": {"url": new.url}}))["state"] == "changing"
            await world.uplinks(1, 102)
        await active(world, where)
        await until(lambda: len(old.requests) + len(new.requests) == 1)  # its former self was still there to send it
        sent = len(new.requests)
        await world.uplinks(2, 102)
        await new.got(sent + 2)
        assert len(old.requests) + len(new.requests) == 3


async def test_an_outlet_that_is_added_meanwhile_begins_where_it_was_to(world: World) -> None:
    await world.application("added")
    await world.device(103, "added")
    where = "/applications/added/outlets/hook"
    async with receiving() as receiver:
        with refusing(world, "INSERT"):
            body = {"name": "hook", "kind": "webhook", "sending": QUICK, **UPLINKS}
            settings = {"url": receiver.url, "allow_private": True}
            made = await world.post("/applications/added/outlets", body | {"settings": settings}, 201)
            assert made["state"] == "changing"
            await world.uplinks(2, 103)
            assert (await world.get(where))["lag"] >= 4, "the log is kept for it from its first record on"
        await receiver.got(2)
        await active(world, where)


async def test_what_a_removed_outlet_had_is_dropped_when_the_delivery_log_is_back(world: World) -> None:
    await world.application("removed")
    await world.device(104, "removed")
    where = "/applications/removed/outlets/hook"
    async with receiving() as receiver:
        await world.outlet("hook", receiver.url, "removed", paused=True, **UPLINKS)
        await world.uplinks(1, 104)
        await shown(world, where, lambda one: one["open"] == 1)
        with refusing(world, "DELETE"):
            assert ok(await world.api.delete(where)) == {"dropped": 1}
            assert problem(await world.api.get(where))[0] == 404
            log = (await world.get("/deliveries", application="removed"))["items"]
            assert [one["status"] for one in log] == ["pending"]
        done = await shown(
            world,
            "/deliveries",
            lambda log: [one["status"] for one in log["items"]] == ["dropped"],
            application="removed",
        )
        assert done["items"][0]["reason"] == "outlet removed"


async def test_an_application_takes_an_outlet_with_it_that_is_being_changed(world: World) -> None:
    await world.application("leaving")
    async with receiving() as receiver:
        await world.outlet("hook", receiver.url, "leaving")
        where = "/applications/leaving/outlets/hook"
        with refusing(world, "UPDATE OF disabled"):
            ok(await world.api.patch(where, json={"settings": {"timeout_s": 3}}))
            ok(await world.api.delete("/applications/leaving"), 204)
    names = [one["name"] for one in (await world.get("/exchange"))["consumers"]]
    items = (await world.get("/outlets"))["items"]
    assert len([name for name in names if name.startswith("outlet.")]) == len(items)
    assert [one for one in items if one["state"] == "changing"] == []


def stored(number: int) -> StoredOutlet:
    outlet = Outlet(f"hook{number}", 1, "webhook", {"url": "https://example.com"})
    return StoredOutlet(number, "default", outlet, 0, 0)


async def test_what_takes_longer_than_it_may_is_an_alert() -> None:
    async def away(_: StoredOutlet) -> None:
        raise StoreError("the disk is full")

    async def forget(_: str) -> None:
        return None

    locks = {1: asyncio.Lock()}
    changes = Changes(away, forget, lambda one: locks[one.id])
    began_s = asyncio.get_running_loop().time()
    await changes.renew(stored(1), 7)
    assert changes.status(stored(1).key, 3) == {
        "state": "changing",
        "open": 7,
        "lag": 3,
        "last_error": "the disk is full",
    }
    assert list(changes.alerts(began_s + REST_S)) == []
    ((_, kind, text),) = changes.alerts(began_s + 90.5)
    assert (kind, text) == ("changing", "it was to begin 90 s ago and cannot: the disk is full")
    await changes.forget(stored(1).key)
    assert stored(1).key not in changes


async def test_an_error_that_nobody_expected_is_tried_again_too() -> None:
    tried: list[int] = []
    done = asyncio.Event()

    async def renew(one: StoredOutlet) -> None:
        tried.append(one.id)
        if tried.count(one.id) < 3:
            raise StoreError("away") if one.id == 1 else KeyError("unexpected")
        if len(tried) == 6:
            done.set()

    async def forget(_: str) -> None:
        return None

    locks = {1: asyncio.Lock(), 2: asyncio.Lock()}
    changes = Changes(renew, forget, lambda one: locks[one.id])
    await changes.renew(stored(1), 0)
    with pytest.raises(KeyError):
        await changes.renew(stored(2), 0)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(changes.run())
        await done.wait()
        task.cancel()
    assert changes.all() == []
