"""Uplinks of long ago are decoded with the codec version of then."""

from lns.archive.chosen import Chosen, together
from lns.exchange.records import Stored
from tests.decoding.build import GOOD, one, scene

NEW = "function decodeUplink(i) { return {data: {sum: 0}}; }"


def numbered(*uplinks):
    return [Stored(seq, "uplink", uplink) for seq, uplink in enumerate(uplinks, 1)]


async def test_the_version_of_then_is_taken_and_that_of_now_where_nothing_tells(tmp_path):
    async with scene(tmp_path) as s:
        first = s.registry.codecs.version("good", 1).id
        await s.use("good", NEW)
        chosen = Chosen(s.parts)
        stored = numbered(one(1), one(2), one(3, 2))
        assert await chosen.take(stored, {1: first, 2: first, 3: None}) == (3, [])
        assert (chosen.of(1).source, chosen.of(2)) == (GOOD, None)  # None: it had no codec then
        assert await chosen.take(stored, {3: 999_999}) == (3, [1, 2, 3])
        assert chosen.of(1).source == NEW
        assert chosen.of(2) is s.parts.codecs.of(2)


async def test_a_page_ends_where_a_device_changes_its_version(tmp_path):
    async with scene(tmp_path) as s:
        first = s.registry.codecs.version("good", 1).id
        await s.use("good", NEW)
        second = s.registry.codecs.version("good", 2).id
        chosen = Chosen(s.parts)
        stored = numbered(one(1), one(2, 2), one(3), one(4))
        versions = {1: first, 2: None, 3: second, 4: second}
        assert await together(chosen, stored, 9, versions) == (stored[:2], 2, [])
        assert await together(chosen, stored[2:], 9, versions) == (stored[2:], 9, [])
        assert chosen.of(1).source == NEW
