"""What outlets are after a start of the server: as they were, whatever was cut off or has gone meanwhile."""

import sqlite3
from contextlib import closing
from pathlib import Path

from lns.config import Deliveries
from lns.outlets.webhook import trust
from lns.registry.registry import FILE_NAME
from tests.api.answers import problem
from tests.assembly.serving import serving, shown
from tests.outlets.receiver import certify, receiving


async def test_a_removal_that_was_cut_off_is_finished_and_a_pause_stays(tmp_path: Path) -> None:
    async with receiving() as receiver:
        async with serving(tmp_path) as world:
            await world.device(1)
            for name in ("stays", "goes"):
                await world.outlet(name, receiver.url, paused=True, filter={"events": ["uplink"]})
            await world.uplinks(2, 1)
            for name in ("stays", "goes"):
                await shown(world, f"/applications/default/outlets/{name}", lambda one: one["open"] == 2)
        with closing(sqlite3.connect(tmp_path / FILE_NAME)) as db:
            db.execute("DELETE FROM outlet WHERE name = 'goes'")
            db.commit()
        async with serving(tmp_path) as world:
            (one,) = (await world.get("/outlets"))["items"]
            assert (one["name"], one["state"], one["open"]) == ("stays", "paused", 2)
            gone = (await world.get("/deliveries", application="default", outlet="goes"))["items"]
            assert [(row["status"], row["removed"]) for row in gone] == [("dropped", True)] * 2
            assert receiver.requests == []
            await world.post("/applications/default/outlets/stays/resume")
            await receiver.got(2)


async def test_an_outlet_that_cannot_work_any_more_says_why_and_loses_nothing(tmp_path: Path) -> None:
    context = certify("127.0.0.1", tmp_path)
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes((tmp_path / "certificate.pem").read_bytes())
    async with receiving(context) as receiver:
        async with serving(tmp_path / "data") as world:
            await world.device(1)
            settings = {"ca_location": str(trusted)}
            await world.outlet("hook", receiver.url, settings=settings, filter={"events": ["uplink"]})
            await world.uplinks(1, 1)
            await receiver.got(1)
        trusted.rename(tmp_path / "aside.pem")
        trust.cache_clear()  # a new process has not read it
        async with serving(tmp_path / "data") as world:
            world.fcnts[1] = 0
            await world.uplinks(1, 1)
            where = "/applications/default/outlets/hook"
            one = await shown(world, where, lambda one: one["last_error"] is not None)
            assert (str(trusted) in one["last_error"], one["open"], one["dead"]) == (True, 1, 0)
        (tmp_path / "aside.pem").rename(trusted)
        trust.cache_clear()
        async with serving(tmp_path / "data") as world:
            await receiver.got(2)
        assert len(set(receiver.ids)) == 2


async def test_a_server_that_takes_no_private_addresses_keeps_what_was_to_be_sent_to_one(tmp_path: Path) -> None:
    text = "allow_private is set, but this server does not take it: deliveries.allow_private is off"
    where = "/applications/default/outlets/hook"
    async with receiving() as receiver:
        async with serving(tmp_path) as world:
            await world.device(1)
            await world.outlet("hook", receiver.url, filter={"events": ["uplink"]})
        async with serving(tmp_path, deliveries=Deliveries(allow_private=False)) as world:
            await world.uplinks(1, 1)
            one = await shown(world, where, lambda one: one["last_error"])
            assert (one["last_error"], one["open"], receiver.requests) == (text, 1, [])
            body = {"name": "other", "kind": "webhook", "settings": {"url": receiver.url, "allow_private": True}}
            assert problem(await world.api.post("/applications/default/outlets", json=body)) == (422, "invalid", text)
            change = {"settings": {"timeout_s": 3}}
            assert problem(await world.api.patch(where, json=change)) == (422, "invalid", text)
        async with serving(tmp_path) as world:
            await receiver.got(1)
