"""A whole server with an archive: stores and outlets are filled from it, and a disk that is full harms nobody."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("pyarrow", reason="no Parquet: pip install inflight-lns[archive]")

from lns.archive.storage import Folder
from lns.archive.verify import verify
from lns.config import Archive
from lns.series.checksum import Checksum, checksum
from lns.series.store import Removal, Rows
from tests.api.answers import without
from tests.assembly.serving import World, serving, shown, until
from tests.outlets.receiver import receiving
from tests.postgres import config as postgres_config
from tests.postgres import shared

ARCHIVE = Archive(enabled=True, file_age_s=1.0)
EVER = (0, 2**62)


async def caught_up(world: World) -> None:
    async with asyncio.timeout(30):
        await world.running.server.exchange.caught_up()


async def filled(world: World, into: str, **body: Any) -> dict[str, Any]:
    job = await world.post("/backfills", {"into": into, **body}, 202)
    job = await shown(world, f"/backfills/{job['id']}", lambda job: job["state"] not in ("waiting", "running"), 60)
    assert (job["state"], job["error"]) == ("done", None)
    found: dict[str, Any] = job["found"]
    return found


async def held(world: World, name: str = "sqlite", to_us: int = EVER[1]) -> Checksum:
    return await checksum(world.running.server.stores.all[name], 0, to_us)


async def forget_log(world: World) -> None:
    """Everything that is archived and stored leaves the log."""
    await caught_up(world)
    exchange = world.running.server.exchange
    assert await exchange.expire(2**62) > 0
    assert (await exchange.status())["first_seq"] is None


async def test_an_empty_store_is_rebuilt_from_the_archive_alone(tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="no PostgreSQL: pip install inflight-lns[postgres]")
    async with serving(tmp_path, archive=ARCHIVE) as world:
        for number in (1, 2, 3):
            await world.device(number, codec="cayenne-lpp")
            await world.uplinks(8, number)
        await forget_log(world)
        before = await held(world)
        assert before.count > 24
    settings = postgres_config(shared().dsn, enabled=True)
    async with serving(tmp_path, archive=ARCHIVE, postgres=settings) as world:
        await caught_up(world)
        assert await held(world, "postgres") == Checksum()
        found = await filled(world, "postgres")
        assert (found["uplinks"], found["missing"], found["present"], found["failed"]) == (24, before.count, 0, {})
        assert await held(world, "postgres") == await held(world) == before


async def test_deleted_hours_come_back_identical_while_live_traffic_goes_on(tmp_path: Path) -> None:
    async with serving(tmp_path, archive=ARCHIVE) as world:
        await world.device(1, codec="cayenne-lpp")
        await world.uplinks(60)
        await caught_up(world)
        store = world.running.server.stores.all["sqlite"]
        rows = list(await store.scan(*EVER, 10_000))
        end_us = max(row.time_us for row in rows) + 1
        before = await held(world, to_us=end_us)
        await store.write(Rows(), None, [Removal(r.device_id, r.field, r.time_us, 2**40) for r in rows])
        assert await held(world, to_us=end_us) == Checksum()
        job = await world.post("/backfills", {"into": "sqlite", "rate": 200}, 202)
        sent = 0
        while (await world.get(f"/backfills/{job['id']}"))["state"] in ("waiting", "running"):
            await world.uplinks(2)
            sent += 2
        await caught_up(world)
        assert await held(world, to_us=end_us) == before
        found = (await world.get(f"/backfills/{job['id']}"))["found"]
        assert (found["missing"], found["differing"]) == (before.count, 0)
        live = [row for row in await store.scan(*EVER, 10_000) if row.time_us >= end_us]
        assert len({row.time_us for row in live if row.field.startswith("temperature")}) == sent > 0


@pytest.mark.parametrize("forgotten", [False, True])
async def test_messages_are_sent_to_an_outlet_again_under_their_ids(tmp_path: Path, forgotten: bool) -> None:
    async with serving(tmp_path, archive=ARCHIVE) as world, receiving() as receiver:
        await world.device(1, codec="cayenne-lpp")
        await world.device(2, codec="cayenne-lpp")
        made = await world.outlet("hook", receiver.url, filter={"events": ["uplink", "measurements"]})
        assert made["state"] == "active"
        for _ in range(3):
            await world.uplinks(1, 1)
            await world.uplinks(1, 2)
        await caught_up(world)
        await shown(world, "/applications/default/outlets/hook", lambda one: one["open"] == 0)
        first = {request.id: msgspec.json.decode(request.body) for request in receiver.requests}
        assert len(first) == len(receiver.requests) == 12
        if forgotten:
            await forget_log(world)
        dry = await filled(world, "default/hook", dry_run=True)
        assert (dry["messages"], len(receiver.requests)) == (len(first), len(first))
        found = await filled(world, "default/hook", devices=["70b3d57ed0000002"])
        assert (found["uplinks"], found["messages"]) == (3, len(first) // 2)
        await receiver.got(len(first) + found["messages"])
        again = {request.id: msgspec.json.decode(request.body) for request in receiver.requests[len(first) :]}
        own = {id_: body for id_, body in first.items() if "70b3d57ed0000002" in str(body)}
        for id_, body in own.items():
            names = ("seq", "measurements", "suppressed") if forgotten else ("seq",)
            assert without(again[id_], *names) == without(body, *names)
            # of what store-on-change has held back then, nothing tells any more
            assert [m for m in body.get("measurements", ()) if m not in again[id_]["measurements"]] == []
        assert len(again) == len(own) == found["messages"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("no small disk: mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_disk_that_is_full_only_makes_the_archive_lag(tmp_path: Path, small_disk: Path) -> None:
    settings = Archive(enabled=True, file_age_s=1.0, folder=str(small_disk / "archive"))
    async with serving(tmp_path / "data", archive=settings) as world:
        await world.device(1, codec="cayenne-lpp")
        exchange = world.running.server.exchange
        told = await world.get("/archive")
        while told["state"] != "retrying":
            await world.uplinks(10)
            told = await world.get("/archive")
        assert told["last_error"].endswith("cannot be used: no space left on device")
        before = exchange.head_seq
        await world.uplinks(20)  # the server goes on, and the log keeps what the archive lacks
        await until(lambda: exchange.lag("series.sqlite") == 0)
        shown_now = {one["name"]: one for one in (await world.get("/exchange"))["consumers"]}
        assert (shown_now["archive"]["state"], shown_now["decoder"]["state"]) == ("retrying", "running")
        assert shown_now["archive"]["lag"] > exchange.head_seq - before
        await exchange.expire(2**62)
        remount = ["mount", "-o", "remount,size=10m", str(small_disk)]
        await asyncio.to_thread(subprocess.run, remount, check=True)
        await caught_up(world)
        verdict = await verify(Folder(small_disk / "archive"), log=exchange.log_id)
        assert (verdict.is_whole, verdict.uplinks) == (True, world.fcnts[1] + 1)
