"""Archive and backfills over HTTP, with a whole server."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("pyarrow", reason="no Parquet: pip install inflight-lns[archive]")

from lns.archive import filling
from lns.config import Archive, ConfigError, Exchange
from lns.errors import StoreError
from lns.series.store import Removal, Rows
from tests.api.answers import ok, problem
from tests.api.conftest import Running, started
from tests.api.radio import Gateway, abp_session, frame

pytestmark = pytest.mark.asyncio(loop_scope="package")

OLD = "function decodeUplink(i) { return { data: { v: i.bytes[0] } }; }"
NEW = "function decodeUplink(i) { return { data: { v: i.bytes[0] * 100 } }; }"
EUI, ADDRESS, GATEWAY = "70b3d57edc900001", "00900001", "a84041ffff900001"
ARCHIVE = Archive(enabled=True, file_age_s=1.0)
EVER = (0, 2**62)


async def hear(running: Running, api: httpx.AsyncClient, count: int) -> None:
    """A codec, a device of it, and its first uplinks, archived."""
    ok(await api.post("/codecs", json={"name": "tank", "source": OLD}), 201)
    ok(await api.post("/devices", json={"dev_eui": EUI, "codec": "tank", "abp": abp_session(ADDRESS)}), 201)
    ok(await api.post(f"/gateways/{GATEWAY}/accept"))
    with Gateway(running.server, GATEWAY) as gateway:
        for fcnt in range(1, count):
            gateway.hears(frame(ADDRESS, fcnt, 2, bytes([fcnt])))
        await gateway.causes(frame(ADDRESS, count, 2, bytes([count])), "decoded")


async def finished(api: httpx.AsyncClient, where: str) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while (found := ok(await api.get(where)))["state"] in ("waiting", "running"):
            await asyncio.sleep(0.02)
    answer: dict[str, Any] = found
    return answer


async def filled(api: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    job = ok(await api.post("/backfills", json={"into": "sqlite", **body}), 202)
    return await finished(api, f"/backfills/{job['id']}")


async def rows(running: Running) -> set[tuple[Any, ...]]:
    store = running.server.stores.all["sqlite"]
    return {(r.device_id, r.field, r.time_us, r.value, r.unit) for r in await store.scan(*EVER, 10_000)}


async def delete(running: Running) -> None:
    store = running.server.stores.all["sqlite"]
    await store.write(
        Rows(), None, [Removal(r.device_id, r.field, r.time_us, 2**40) for r in await store.scan(*EVER, 10_000)]
    )


def client(running: Running) -> httpx.AsyncClient:
    made = running.client(running.admin_key)
    made.base_url = httpx.URL(f"{running.url}/api/v1")
    return made


async def test_uplinks_are_archived_and_fill_a_store_again(tmp_path: Path) -> None:
    async with started(tmp_path, archive=ARCHIVE) as running, client(running) as api:
        await hear(running, api, 3)
        told = ok(await api.get("/archive"))
        assert (told["enabled"], told["uplinks"], told["state"], told["last_error"]) == (True, 3, "running", None)
        assert told["where"] == str(tmp_path / "archive")
        files = ok(await api.get("/archive/files", params={"limit": 1}))
        assert (files["items"][0]["first_seq"], files["items"][0]["first_at"]) == (told["first_seq"], told["first_at"])
        assert ok(await api.get("/archive/files", params={"to": "2020-01-01T00:00:00Z"}))["items"] == []
        before = await rows(running)
        assert {value for _, field, _, value, _ in before if field == "v"} == {1.0, 2.0, 3.0}

        await delete(running)
        dry = await filled(api, dry_run=True, devices=[EUI])
        assert (dry["found"]["missing"], dry["found"]["present"], await rows(running)) == (len(before), 0, set())
        job = await filled(api, application="default")
        assert (job["state"], job["done"], job["found"]["missing"]) == ("done", 1.0, len(before))
        assert await rows(running) == before
        assert job["found"]["devices"][EUI]["count"] == len(before)
        again = await filled(api)
        assert (again["found"]["missing"], again["found"]["present"]) == (0, len(before))
        listed = [one["id"] for one in ok(await api.get("/backfills"))["items"]]
        assert listed == [again["id"], job["id"], dry["id"]]


async def test_uplinks_are_decoded_as_they_were_then_or_as_now(tmp_path: Path) -> None:
    async with started(tmp_path, archive=ARCHIVE) as running, client(running) as api:
        await hear(running, api, 3)
        before = await rows(running)
        ok(await api.post("/codecs/tank/versions", json={"source": NEW}), 201)
        await delete(running)
        job = await filled(api)
        assert (job["found"]["otherwise"], await rows(running)) == (0, before)
        await delete(running)
        await filled(api, codec_version="current")
        assert {value for _, field, _, value, _ in await rows(running) if field == "v"} == {100.0, 200.0, 300.0}
        await delete(running)
        await filled(api)
        replay = ok(await api.post("/replays", json={"codec": "tank"}), 202)
        await finished(api, f"/replays/{replay['id']}")
        await running.server.exchange.caught_up()
        mended = await rows(running)
        await delete(running)
        await filled(api)  # a replay has decoded them last
        assert await rows(running) == mended != before


async def test_a_replay_reads_from_the_archive_what_the_log_has_dropped(tmp_path: Path) -> None:
    async with started(tmp_path, archive=ARCHIVE, exchange=Exchange(retention_days=0.0)) as running:
        async with client(running) as api:
            await hear(running, api, 3)
            exchange = running.server.exchange
            await exchange.caught_up()
            assert await exchange.expire(2**62) > 0
            assert (await exchange.status())["first_seq"] is None
            ok(await api.post("/codecs/tank/versions", json={"source": NEW}), 201)
            job = ok(await api.post("/replays", json={"codec": "tank"}), 202)
            report = (await finished(api, f"/replays/{job['id']}"))["report"]
            await exchange.caught_up()
            assert (report["uplinks"], report["changed"]) == (3, 3)
            found = {value for _, field, _, value, _ in await rows(running) if field == "v"}
            assert found == {100.0, 200.0, 300.0}


async def test_a_backfill_is_paused_changed_resumed_and_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "PAGE", 1)  # three pages, each of which takes seconds at one measurement a second
    async with started(tmp_path, archive=ARCHIVE) as running, client(running) as api:
        await hear(running, api, 3)
        job = ok(await api.post("/backfills", json={"into": "sqlite", "rate": 1}), 202)
        where = f"/backfills/{job['id']}"
        async with asyncio.timeout(20):
            while ok(await api.get(where))["found"]["uplinks"] == 0:
                await asyncio.sleep(0.01)
        assert ok(await api.post(f"{where}/pause"))["state"] == "paused"
        other = await filled(api)  # others have their turn
        assert (other["state"], ok(await api.get(where))["state"]) == ("done", "paused")
        assert ok(await api.patch(where, json={"rate": 5000}))["rate"] == 5000
        ok(await api.post(f"{where}/resume"))
        assert (await finished(api, where))["state"] == "done"
        assert problem(await api.post(f"{where}/pause")) == (409, "conflict", f"backfill {job['id']} is done already")
        text = f"backfill {job['id']} is done, not paused"
        assert problem(await api.post(f"{where}/resume")) == (409, "conflict", text)
        third = ok(await api.post("/backfills", json={"into": "sqlite", "rate": 1}), 202)
        ok(await api.post(f"/backfills/{third['id']}/pause"))
        assert ok(await api.delete(f"/backfills/{third['id']}"))["state"] == "cancelled"


async def test_jobs_of_before_a_stop_are_there_and_what_was_not_in_a_file_is(tmp_path: Path) -> None:
    slow = Archive(enabled=True, file_age_s=3600.0)
    async with started(tmp_path, archive=slow) as running, client(running) as api:
        ok(await api.post("/devices", json={"dev_eui": EUI, "abp": abp_session(ADDRESS)}), 201)
        ok(await api.post(f"/gateways/{GATEWAY}/accept"))
        with Gateway(running.server, GATEWAY) as gateway, running.server.live.watch() as events:
            gateway.hears(frame(ADDRESS, 1, 2, b"\x01"))
            async with asyncio.timeout(10):
                while (await events.get())["kind"] != "decoded":
                    pass
        assert ok(await api.get("/archive"))["files"] == 0
        job = await filled(api)
    async with started(tmp_path, archive=slow) as running, client(running) as api:
        assert ok(await api.get("/archive"))["uplinks"] == 1  # the stop has written it
        assert ok(await api.get(f"/backfills/{job['id']}")) == job


async def test_the_archive_is_verified(tmp_path: Path) -> None:
    async with started(tmp_path, archive=ARCHIVE) as running, client(running) as api:
        assert problem(await api.get("/archive/verify"))[0] == 404
        await hear(running, api, 2)
        ok(await api.post("/archive/verify"), 202)
        found = await finished(api, "/archive/verify")
        assert (found["whole"], found["uplinks"], found["behind"], found["faults"]) == (True, 2, found["files"], [])
        (file,) = (tmp_path / "archive").glob("uplink/*/*.parquet")
        file.unlink()
        ok(await api.post("/archive/verify"), 202)
        found = await finished(api, "/archive/verify")
        name = str(file.relative_to(tmp_path / "archive"))
        assert (found["whole"], found["faults"]) == (False, [{"name": name, "text": "the file is missing"}])


async def test_what_cannot_be_is_told(running: Running, api: httpx.AsyncClient) -> None:
    async def told(**body: Any) -> tuple[int, str]:
        return problem(await api.post("/backfills", json=body))[::2]

    assert await told(into="influx") == (409, "there is no store or outlet 'influx', stores are: sqlite")
    assert await told(into="sqlite", devices=["70b3d57edc90ffff"]) == (404, "device 70b3d57edc90ffff does not exist")
    assert await told(into="sqlite", application="none") == (404, "application 'none' does not exist")
    early, late = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
    assert await told(**{"into": "sqlite", "from": late, "to": early}) == (422, "from is not before to")
    for answer in (
        await api.get("/backfills/x"),
        await api.delete("/backfills/x"),
        await api.post("/backfills/x/pause"),
    ):
        assert problem(answer) == (404, "not_found", "there is no backfill x")
    for answer in (await api.get("/archive/files"), await api.post("/archive/verify")):
        assert problem(answer) == (409, "conflict", "there is no archive here: archive.enabled is false")
    assert ok(await api.get("/archive"))["enabled"] is False


async def test_a_start_without_the_secrets_of_a_bucket_is_refused(tmp_path: Path) -> None:
    settings = Archive(enabled=True, bucket="b", access_key_env="NOT_SET_ANYWHERE")
    text = r"^archive.access_key_env names the environment variable NOT_SET_ANYWHERE, which is not set$"
    with pytest.raises((StoreError, ConfigError), match=text):
        async with started(tmp_path, archive=settings):
            pass
