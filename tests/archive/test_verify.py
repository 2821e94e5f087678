"""Archives are read back; whatever is wrong with them shows. And retention, which is none of it."""

import pytest

pytest.importorskip("pyarrow", reason="no Parquet: pip install inflight-lns[archive]")

from lns.archive import manifest
from lns.archive.manifest import Gap
from lns.archive.retention import expire
from lns.archive.verify import Fault, verify
from lns.archive.writer import Writer
from tests.archive.build import D0, DAY_US, archive, stored

FIRST, SECOND, THIRD = (manifest.file_name(f"2023-11-{15 + n}", 10 * n + 1) for n in range(3))


async def three_days(folder):
    return await archive(
        folder, *(stored((10 * n + 1, D0 + n * DAY_US), (10 * n + 4, D0 + n * DAY_US)) for n in range(3))
    )


async def test_a_whole_archive_is_whole(tmp_path):
    seen = []
    verdict = await verify(await three_days(tmp_path), lambda found, files: seen.append((found.files, files)))
    assert verdict.is_whole
    assert (verdict.files, verdict.uplinks, verdict.first_seq, verdict.last_seq) == (3, 6, 1, 24)
    assert (verdict.overlaps, verdict.orphans) == ([], [])
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert (await verify(await archive(tmp_path / "none"))).is_whole


async def test_a_flipped_bit_is_found(tmp_path):
    storage = await three_days(tmp_path)
    data = bytearray(await storage.get(SECOND))
    data[len(data) // 2] ^= 1
    await storage.put(SECOND, bytes(data))
    verdict = await verify(storage)
    assert [fault.name for fault in verdict.faults] == [SECOND]
    assert verdict.faults[0].text.startswith("the file's sha256 is ")
    assert not verdict.is_whole


async def test_a_file_that_is_cut_short_or_missing_is_found(tmp_path):
    storage = await three_days(tmp_path)
    whole = await storage.get(FIRST)
    await storage.put(FIRST, whole[:-1])
    await storage.delete(SECOND)
    assert (await verify(storage)).faults == [
        Fault(FIRST, f"the file is {len(whole) - 1} bytes, its manifest says {len(whole)}"),
        Fault(SECOND, "the file is missing"),
    ]


async def test_a_file_that_is_missing_with_its_manifest_is_a_gap(tmp_path):
    storage = await three_days(tmp_path)
    await storage.delete(SECOND)
    await storage.delete(manifest.manifest_name(SECOND))
    verdict = await verify(storage)
    assert (verdict.gaps, verdict.faults, verdict.is_whole) == ([Gap(5, 14)], [], False)


async def test_a_manifest_that_lies_is_found(tmp_path):
    storage = await three_days(tmp_path)
    name = manifest.manifest_name(FIRST)
    text = (await storage.get(name)).replace(b'"count": 2', b'"count": 3')
    await storage.put(name, text)
    await storage.put(manifest.manifest_name(SECOND), b"{")
    await storage.put(manifest.manifest_name(THIRD), await storage.get(name))
    faults = (await verify(storage)).faults
    assert faults[0] == Fault(
        FIRST,
        "the file has count, first and last seq, first and last time "
        f"{(2, 1, 4, D0, D0)}, its manifest says {(3, 1, 4, D0, D0)}",
    )
    assert "is damaged" in faults[1].text
    assert faults[2] == Fault(manifest.manifest_name(THIRD), f"the manifest is of another file, {FIRST}")


async def test_files_without_a_manifest_and_overlaps_are_told_and_no_fault(tmp_path):
    storage = await three_days(tmp_path)
    await storage.put(manifest.file_name("2023-11-17", 30), b"half")
    await Writer(storage).write(stored((4, D0)), 1)
    verdict = await verify(storage)
    assert verdict.orphans == [manifest.file_name("2023-11-17", 30)]
    assert verdict.overlaps == [(FIRST, manifest.file_name("2023-11-15", 4))]
    assert verdict.is_whole


async def test_retention_drops_whole_days(tmp_path):
    storage = await three_days(tmp_path)
    await storage.put(manifest.file_name("2023-11-15", 2), b"half")
    assert await expire(storage, D0 + DAY_US - 1) == 0
    assert await expire(storage, D0 + DAY_US) == 1
    assert await storage.names("uplink") == sorted(
        [SECOND, manifest.manifest_name(SECOND), THIRD, manifest.manifest_name(THIRD)]
    )
    verdict = await verify(storage)
    assert (verdict.is_whole, verdict.first_seq) == (True, 11)


async def test_the_newest_file_stays_however_old(tmp_path):
    storage = await three_days(tmp_path)
    assert await expire(storage, D0 + 100 * DAY_US) == 2
    assert await Writer(storage).position() == 24
    assert (await verify(storage)).is_whole
