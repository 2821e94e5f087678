"""Archives as a source of replays, and archive and log as one."""

import msgspec
import pytest

pytest.importorskip("pyarrow", reason="no Parquet: pip install inflight-lns[archive]")

from lns.archive import manifest
from lns.archive.catalogue import Catalogue
from lns.archive.reader import ArchivedUplinks, WholeHistory
from lns.archive.storage import Folder
from lns.archive.writer import Writer
from lns.config import Exchange as ExchangeConfig
from lns.decoding.sources import LoggedUplinks, Span
from lns.errors import StoreError
from lns.exchange.records import Decoded, Replay
from tests.archive.build import D0, DAY_US, archive, at, stored
from tests.exchange.build import running


async def every(source, after, last, limit):
    """All seqs of a span, page by page."""
    found = []
    while after < last:
        page, after = await source.read(after, last, limit)
        assert len(page) <= limit
        found += [one.seq for one in page]
    assert after == last
    return found


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_files_are_read_page_by_page(tmp_path, limit):
    first = stored((3, D0), (4, D0 + 1), (8, D0 + 2), (9, D0 + DAY_US), (12, D0 + DAY_US + 1))
    storage = await archive(tmp_path, first, stored((20, D0 + DAY_US + 2)))
    assert await ArchivedUplinks(storage).span(None, None) == Span(2, 20)
    assert await every(ArchivedUplinks(storage), 0, 20, limit) == [3, 4, 8, 9, 12, 20]
    assert await every(ArchivedUplinks(storage), 4, 11, limit) == [8, 9]
    assert await every(ArchivedUplinks(storage), 20, 30, limit) == []
    assert (await ArchivedUplinks(storage).read(0, 20, 3))[0] == first[:3]


async def test_a_span_is_of_the_files_that_a_time_may_be_in(tmp_path):
    storage = await archive(
        tmp_path, *(stored((n * 10, D0 + n * DAY_US), (n * 10 + 5, D0 + n * DAY_US + 5)) for n in range(1, 5))
    )
    source = ArchivedUplinks(storage)
    assert await source.span(D0 + 2 * DAY_US, D0 + 3 * DAY_US) == Span(19, 25)
    assert await source.span(D0 + 2 * DAY_US + 6, None) == Span(29, 45)
    assert await source.span(None, D0 + 2 * DAY_US + 1) == Span(9, 25)
    assert await source.span(D0 + 9 * DAY_US, None) == Span(45, 45)
    assert await source.span(None, D0) == Span(9, 9)
    assert await source.end() == 45


async def test_an_empty_archive_has_nothing(tmp_path):
    source = ArchivedUplinks(await archive(tmp_path))
    assert (await source.span(None, None), await source.end()) == (Span(0, 0), 0)
    assert await source.read(0, 10, 5) == ([], 10)


async def test_overlapping_files_give_each_uplink_once(tmp_path):
    storage = await archive(tmp_path, stored((1, D0), (2, D0), (3, D0), (9, D0)))
    for batch in (stored((2, D0), (3, D0)), stored((3, D0), (9, D0), (11, D0))):
        await Writer(storage).write(batch, 1)
    assert await every(ArchivedUplinks(storage), 0, 11, 2) == [1, 2, 3, 9, 11]
    assert await every(ArchivedUplinks(storage), 2, 11, 2) == [3, 9, 11]


async def test_what_retention_drops_while_it_is_read_is_passed_over(tmp_path):
    storage = await archive(tmp_path, stored((1, D0)), stored((2, D0 + DAY_US)), stored((3, D0 + 2 * DAY_US)))
    source = ArchivedUplinks(storage)
    assert await source.span(None, None) == Span(0, 3)
    await storage.delete(manifest.file_name("2023-11-16", 2))
    assert await every(source, 0, 3, 5) == [1, 3]


async def test_a_damaged_file_is_an_error(tmp_path):
    storage = await archive(tmp_path, stored((1, D0)))
    await storage.put(manifest.file_name("2023-11-15", 1), b"PAR1")
    with pytest.raises(StoreError, match="is damaged"):
        await ArchivedUplinks(storage).read(0, 1, 5)


async def test_the_catalogue_sees_what_comes_and_goes(tmp_path):
    storage = await archive(tmp_path, stored((1, D0)), stored((2, D0)))
    catalogue = Catalogue(storage)
    assert [one.first_seq for one in await catalogue.read()] == [1, 2]
    newest = await catalogue.newest()
    assert newest is not None
    assert newest.last_seq == 2
    await Writer(storage).write(stored((3, D0 + DAY_US)), 2)
    await storage.delete(manifest.manifest_name(manifest.file_name("2023-11-15", 1)))
    assert [one.first_seq for one in await catalogue.read()] == [2, 3]


async def test_the_log_goes_on_where_the_archive_ends(tmp_path):
    async with running(tmp_path / "x.db") as exchange:
        await exchange.append([("uplink", at(n, D0 + n)) for n in range(1, 10)])
        storage = await archive(tmp_path / "archive", stored(*((n, D0 + n) for n in range(1, 6))))

        def source():
            return WholeHistory(ArchivedUplinks(storage), LoggedUplinks(exchange, "decoder"))

        assert await source().span(None, None) == Span(0, 9)
        assert await every(source(), 0, 9, 3) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
        assert await every(source(), 2, 4, 3) == [3, 4]
        assert await every(source(), 6, 9, 2) == [7, 8, 9]
        assert await source().span(D0 + 9 * DAY_US, None) == Span(0, 9)
        bare = WholeHistory(ArchivedUplinks(await archive(tmp_path / "none")), LoggedUplinks(exchange, "decoder"))
        assert await bare.span(None, None) == Span(0, 9)


async def test_what_the_log_has_dropped_comes_from_the_archive(tmp_path):
    config = ExchangeConfig(commit_interval_ms=1.0, retention_days=0.0)
    async with running(tmp_path / "x.db", config) as exchange:
        for first in (1, 4, 7):
            await exchange.append([("uplink", at(n, D0 + n)) for n in range(first, first + 3)])
        storage = await archive(tmp_path / "archive", stored(*((n, D0 + n) for n in range(1, 6))))
        reader = exchange.cursor("live", frozenset({"uplink"}), 3)
        assert await exchange.expire(2 * D0) > 0
        logged = LoggedUplinks(exchange, "decoder")
        assert await logged.oldest() == 4
        source = WholeHistory(ArchivedUplinks(storage), logged)
        assert await source.span(None, None) == Span(0, 9)
        assert await every(source, 0, 9, 2) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
        reader.advance(9, 6)
        assert await exchange.expire(2 * D0) > 0
        assert await every(source, 0, 9, 2) == [1, 2, 3, 4, 5]  # what was not archived is gone
        await Writer(storage).write(stored((6, D0), (7, D0), (8, D0), (9, D0)), 5)
        assert await every(source, 5, 9, 2) == [6, 7, 8, 9]  # an archive that has grown is seen
        exchange.detach(reader)


async def test_how_uplinks_were_decoded_is_known_from_log_archive_and_what_is_in_no_file_yet(tmp_path):
    async with running(tmp_path / "x.db") as exchange:
        await exchange.append([("uplink", at(n, D0 + n)) for n in range(1, 6)])
        batch = (await exchange.read(0, frozenset({"uplink"}), 10))[0]
        decoded = [Decoded(b"", n, 1, 1, "00" * 8, n, 1, D0 + n, 10 + n, b"{}", ()) for n in range(1, 6)]
        replayed = msgspec.structs.replace(decoded[0], codec_version_id=99, replay=Replay("job", False))
        await exchange.append([("decoded", one) for one in (*decoded, replayed)])
        storage = Folder(tmp_path / "archive")
        await Writer(storage).write(batch[:3], 0, {1: 99, 2: 12, 3: None})
        source = WholeHistory(ArchivedUplinks(storage), LoggedUplinks(exchange, "decoder"), lambda: {4: 77, 9: 1})
        assert await source.versions(0, 5) == {1: 99, 2: 12, 3: None, 4: 77, 5: 15}
        assert await source.versions(1, 2) == {2: 12}
        assert {seq: (at_seq, one) for seq, (at_seq, one) in (await source.decodes(0, 5)).items()} == {
            n: (5 + n, decoded[n - 1]) for n in range(1, 6)
        }
