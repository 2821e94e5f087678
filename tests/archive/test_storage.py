"""One contract for every place an archive can lie in."""

from pathlib import Path

import pytest

from lns.archive.storage import Folder
from lns.errors import StoreError
from tests.archive.seaweed import BUCKET, Seaweed, seaweed

__all__ = ["seaweed"]


def bucket(server: Seaweed, name: str = BUCKET, prefix: str = "plant/one"):
    s3 = pytest.importorskip("lns.archive.s3", reason="no S3 client: pip install inflight-lns[archive]")
    return s3.Bucket(s3.Access(name, prefix, server.url, "us-east-1", "any", "any"))


@pytest.fixture(params=["folder", "s3"])
def storage(request, tmp_path):
    if request.param == "folder":
        return Folder(tmp_path / "archive")
    return bucket(request.getfixturevalue("seaweed"))


async def test_what_is_put_is_there_until_it_is_deleted(storage):
    assert await storage.names("uplink") == []
    assert await storage.get("uplink/a/1.json") is None
    await storage.put("uplink/a/1.json", b"one")
    await storage.put("uplink/a/1.json", b"another")
    await storage.put("uplink/b/2.json", b"")
    await storage.put("other/3.json", b"three")
    assert await storage.names("uplink") == ["uplink/a/1.json", "uplink/b/2.json"]
    assert await storage.get("uplink/a/1.json") == b"another"
    assert await storage.get("uplink/b/2.json") == b""
    await storage.delete("uplink/a/1.json")
    await storage.delete("uplink/a/1.json")
    assert await storage.names("uplink") == ["uplink/b/2.json"]


async def test_large_files_come_back_whole(storage):
    data = bytes(range(256)) * 60_000
    await storage.put("uplink/large", data)
    assert await storage.get("uplink/large") == data


async def test_more_names_than_one_answer_holds(storage):
    names = [f"uplink/{n:04}.json" for n in range(1100)]
    for name in names:
        await storage.put(name, b"x")
    assert await storage.names("uplink") == names


async def test_half_a_file_has_no_name(tmp_path):
    (tmp_path / "uplink").mkdir()
    (tmp_path / "uplink" / "1.parquet.part").write_bytes(b"ha")
    assert await Folder(tmp_path).names("uplink") == []


async def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match=r"^the archive in .*/file cannot be used: not a directory$"):
        await Folder(tmp_path / "file").put("uplink/1", b"x")


async def test_a_bucket_that_is_not_there_is_named(seaweed):
    with pytest.raises(StoreError, match=r"^the archive in s3://nowhere/plant/one cannot be used: "):
        await bucket(seaweed, "nowhere").put("uplink/1", b"x")


async def test_a_server_that_is_away_is_an_error_and_not_an_empty_archive(seaweed):
    there = bucket(seaweed)
    await there.put("uplink/1", b"x")
    seaweed.kill()
    for work in (there.get("uplink/1"), there.names("uplink"), there.delete("uplink/1"), there.put("uplink/2", b"")):
        with pytest.raises(StoreError, match=r"^the archive in s3://uplinks/plant/one cannot be used: "):
            await work


async def test_a_probe_finds_a_storage_that_works_and_leaves_no_trace(storage):
    await storage.probe()
    assert await storage.names("") == []


async def test_a_probe_finds_a_folder_that_can_never_be_written():
    with pytest.raises(StoreError, match=r"^the archive in /proc/nope cannot be used: "):
        await Folder(Path("/proc/nope")).probe()
