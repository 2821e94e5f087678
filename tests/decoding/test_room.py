"""A replay is limited by what is stored: it adds nothing that was held back, and finds room where there is some."""

from decoders.change import Rule
from decoders.limits import HOUR_US, Policy
from lns.decoding.room import Room
from lns.series.store import Row, Rows
from tests.decoding.build import GOOD, T0, one, scene

BROKEN = "function decodeUplink(i) { throw new Error('no'); }"
RENAMED = "function decodeUplink(i) { return {data: {total: i.bytes[0] + i.fPort}}; }"
START = T0 // HOUR_US * HOUR_US


async def limit(s, **changes) -> None:
    """Change the template of the devices, which takes effect at once."""
    s.registry.templates.change("default", changes)
    s.parts.codecs.take(s.registry.load_network())


def minutes(rows, field: str) -> list[int]:
    return sorted(minute for _, name, minute in rows if name == field)


async def test_room_counts_the_whole_hours_of_the_store_and_other_devices_have_their_own(tmp_path):
    async with scene(tmp_path) as s:
        at = [START, START + HOUR_US - 1, START + HOUR_US, START + 3 * HOUR_US]
        rows = [Row(1, "t", time_us, 1.0, None, 1) for time_us in at] + [Row(2, "t", START + 1, 1.0, None, 1)]
        await s.series.write(Rows.of(rows), None)
        policy = Policy.of({"t": Rule(max_per_hour=2)})
        room = Room(s.series)
        await room.read(1, policy, [START + 5, START + HOUR_US + 5])
        hours = [n * HOUR_US + START + 9 for n in range(4)]
        assert [room.has(1, policy, "t", time_us) for time_us in hours] == [False, True, True, True]
        room.add(1, "t", hours[1])
        assert not room.has(1, policy, "t", hours[1] + 1)
        room.remove(1, "t", START)
        assert room.has(1, policy, "t", hours[0])
        far = Room(s.series)
        apart = Policy.of({"t": Rule(min_interval_s=7200)})
        await far.read(1, apart, [START + 4 * HOUR_US])
        assert [far.has(1, apart, "t", START + h * HOUR_US) for h in (2, 4, 5)] == [False, False, True]


async def test_a_store_with_more_rows_than_a_page_is_counted_whole(tmp_path):
    async with scene(tmp_path) as s:
        rows = [Row(1, f"f{n % 3}", START + n, 1.0, None, 1) for n in range(1200)]
        await s.series.write(Rows.of(rows), None)
        room, policy = Room(s.series), Policy.of({}, 1201)
        await room.read(1, policy, [START])
        assert room.has(1, policy, "t", START + 5000)
        room.add(1, "t", START + 5000)
        assert not room.has(1, policy, "t", START + 5001)


async def test_what_was_held_back_stays_away_in_a_replay(tmp_path):
    rules = {"sum": {"on_change": False, "min_interval_s": 150}, "text": {"on_change": False, "max_per_hour": 4}}
    async with scene(tmp_path, rules=rules) as s:
        await s.put(*(one(n, data=bytes([n])) for n in range(1, 31)))
        assert sum(d.suppressed for d in await s.decoded(30)) > 20
        before = await s.rows()
        assert minutes(before, "sum") == list(range(1, 31, 3))
        job = await s.replay()
        assert (job.report.uplinks, job.report.unchanged) == (30, 30)
        assert await s.rows() == before


async def test_uplinks_that_are_mended_fill_the_gap_as_far_as_the_limits_allow(tmp_path):
    async with scene(tmp_path, rules={"sum": {"on_change": False, "min_interval_s": 150}, "text": {}}) as s:
        await s.put(*(one(n) for n in range(1, 5)))
        await s.decoded(4)
        await s.use("good", BROKEN)
        await s.put(*(one(n) for n in range(5, 15)))
        await s.decoded(14)
        await s.use("good", GOOD + "//")
        await s.put(*(one(n) for n in range(15, 20)))
        await s.decoded(19)
        assert minutes(await s.rows(), "sum") == [1, 4, 15, 18]
        job = await s.replay(failures=True)
        assert job.report.mended == 10
        assert minutes(await s.rows(), "sum") == [1, 4, 7, 10, 15, 18]  # 13 would be too near to 15


async def test_live_uplinks_and_a_replay_do_not_use_up_each_others_memory(tmp_path):
    async with scene(tmp_path) as s:
        await s.put(*(one(n) for n in range(1, 6)))
        await s.decoded(5)
        await limit(s, rules={"sum": {"on_change": False, "max_per_hour": 2}})
        await s.put(*(one(n) for n in range(6, 10)))
        await s.decoded(9)
        stored = minutes(await s.rows(), "sum")
        assert stored == [1, 2, 3, 4, 5, 6, 7]
        await s.replay()
        assert minutes(await s.rows(), "sum") == stored  # what is stored stays, nothing comes beside it
        await s.put(*(one(n) for n in range(60, 64)))
        await s.decoded(13)
        assert minutes(await s.rows(), "sum") == [*stored, 60, 61]


async def test_a_renamed_field_takes_the_place_of_the_one_that_goes(tmp_path):
    async with scene(tmp_path) as s:
        await limit(s, max_measurements_per_hour=5)
        await s.put(*(one(n) for n in range(1, 9)))
        await s.decoded(8)
        rows = await s.rows()
        assert len(rows) == 5
        await s.use("good", RENAMED)
        await s.replay(codec="good")
        found = await s.rows()
        assert set(found.values()) == {15.0}
        assert minutes(found, "total") == [1, 2, 3, 4, 5]
