import asyncio

from lns.delivery.breaker import Limits
from lns.delivery.dispatch import Intake
from lns.delivery.machine import State
from lns.delivery.pipe import Pipe
from lns.delivery.rows import Query
from lns.delivery.schedule import Schedule
from lns.exchange.records import Stored
from tests.delivery.build import TROUBLE, message, messages
from tests.delivery.running import Told, now_us, running
from tests.exchange.build import uplink

UPLINKS = frozenset({"uplink"})


async def render(stored: Stored):
    if stored.seq == 13:
        raise ValueError("record 13 cannot be put into json")
    return [message(stored.seq, f"{stored.record.device_id}")]


def stored(first: int, last: int) -> list[Stored]:
    return [Stored(n, "uplink", uplink(n, n % 5)) for n in range(first, last + 1)]


async def test_an_outlet_reads_the_log_and_goes_on_where_it_was(tmp_path):
    told = Told()
    async with running(tmp_path) as run:
        worker = await run.dispatch.add("1/x", told, Pipe(), paused=True)
        intake = Intake(worker, run.around, UPLINKS, render)
        assert (intake.name, await intake.position()) == ("outlet.1/x", 0)
        await intake.handle(stored(1, 20))
        await intake.handle(stored(11, 20))  # comes twice
    async with running(tmp_path) as run:
        worker = await run.dispatch.add("1/x", told, Pipe())
        assert await Intake(worker, run.around, UPLINKS, render).position() == 20
        await run.until({"delivered": 19, "dead": 1})  # one cannot be rendered
        assert sorted(told.ids) == sorted(f"uplink_{n}" for n in range(1, 21) if n != 13)


async def test_a_record_that_cannot_be_rendered_is_a_dead_letter_once(tmp_path):
    async with running(tmp_path) as run:
        worker = await run.dispatch.add("1/x", Told(), Pipe())
        intake = Intake(worker, run.around, UPLINKS, render)
        await intake.handle(stored(12, 14))
        await intake.handle(stored(12, 14))  # after a crash, say
        await run.until({"delivered": 2, "dead": 1})
        (dead,) = await run.store.search(Query(state=State.DEAD))
        assert (dead.seq, dead.lane, dead.event) == (13, f"{3:016x}", "uplink")
        assert (dead.reason, dead.attempts, dead.body) == ("unencodable", 0, None)
        (attempt,) = await run.store.attempts(dead.id)
        assert (attempt.verdict, attempt.error) == ("refused", "record 13 cannot be put into json")
        data = {"delivery": dead.id, "lane": dead.lane, "reason": "unencodable", "error": attempt.error}
        assert run.told == [("1/x", "dead", data)]
        assert await run.dispatch.retry(Query(outlet="1/x")) == 0, "there is nothing of it to send"
        assert await run.dispatch.drop(Query(ids=(dead.id,))) == 1
        assert await run.store.dead() == {}


async def test_an_outlet_that_is_full_stops_reading_the_log(tmp_path):
    told = Told()
    async with running(tmp_path) as run, asyncio.TaskGroup() as tasks:
        worker = await run.dispatch.add("x", told, Pipe(open_most=5), paused=True)
        intake = Intake(worker, run.around, UPLINKS, render)
        await intake.handle(stored(1, 5))
        more = tasks.create_task(intake.handle(stored(6, 8)))
        await asyncio.wait([more], timeout=0.05)
        assert not more.done()
        assert await intake.position() == 5
        await worker.resume()
        await more
        await run.until({"delivered": 8})


async def test_a_range_sent_again_twice_is_the_same_to_who_knows_the_ids(tmp_path):
    told = Told()
    async with running(tmp_path) as run:
        worker = await run.dispatch.add("x", told, Pipe())
        intake = Intake(worker, run.around, UPLINKS, render)
        await intake.handle(stored(1, 10))
        await run.until({"delivered": 10})
        for _ in range(2):
            assert await intake.again(stored(3, 6)) == 4
            await run.until({"delivered": 10})
        assert await intake.position() == 10
    assert len(told.ids) == 18
    assert set(told.ids) == {f"uplink_{n}" for n in range(1, 11)}


async def test_a_dead_destination_among_a_hundred_costs_the_others_nothing(tmp_path):
    dead = Told(then=TROUBLE)
    dead.go.clear()  # it hangs for ever
    alive = [Told() for _ in range(99)]
    async with running(tmp_path) as run:
        workers = [await run.dispatch.add("dead", dead, Pipe())]
        workers += [await run.dispatch.add(f"{n}", told, Pipe()) for n, told in enumerate(alive)]
        start_us = now_us()
        for worker in workers:
            await run.feed(worker, messages(1, 10, lanes=5))
        await run.until({"delivered": 990, "pending": 10})
        assert now_us() - start_us < 15_000_000
    assert all(len(told.got) == 10 for told in alive)
    assert len(dead.got) == 4


async def test_a_removed_outlet_ends_at_once(tmp_path):
    told = Told()
    told.go.clear()
    async with running(tmp_path) as run:
        worker = await run.dispatch.add("x", told, Pipe())
        await run.feed(worker, messages(1, 3))
        while not told.got:
            await asyncio.sleep(0.005)
        await run.dispatch.remove("x")
        assert await run.states() == {"dropped": 3}
        assert run.dispatch.workers == {}


async def test_a_changed_outlet_goes_on_with_what_it_had(tmp_path):
    hung, told = Told(), Told()
    hung.go.clear()
    async with running(tmp_path) as run:
        worker = await run.dispatch.add("x", hung, Pipe())
        await run.feed(worker, messages(1, 3))
        while not hung.got:
            await asyncio.sleep(0.005)
        await run.dispatch.remove("x", forget=False)
        await run.dispatch.add("x", told, Pipe())
        await run.until({"delivered": 3})
        assert told.ids == ["uplink_1", "uplink_2", "uplink_3"]


async def test_more_than_a_handful_is_retried_and_dropped_by_filter(tmp_path):
    told = Told(then=TROUBLE)
    async with running(tmp_path) as run:
        pipe = Pipe(schedule=Schedule(waits_s=()), breaker=Limits(row=10_000, share=1.1), at_once=8)
        worker = await run.dispatch.add("x", told, pipe)
        await run.feed(worker, messages(1, 1100, lanes=50))
        await run.until({"dead": 1100})
        worker.pause()
        assert await run.dispatch.retry(Query(state=State.DEAD, outlet="x")) == 1100
        assert await run.dispatch.drop(Query(lane="lane7")) == 22
        assert await run.states() == {"pending": 1078, "dropped": 22}


async def test_a_flood_is_written_down_in_parts_and_what_is_of_others_costs_no_write(tmp_path):
    told = Told()
    async with running(tmp_path) as run:
        worker = await run.dispatch.add("x", told, Pipe(), paused=True)
        odd = Intake(worker, run.around, UPLINKS, render, lambda batch: [s for s in batch if s.seq % 2])
        writes = []
        enqueue = run.store.enqueue
        run.store.enqueue = lambda *args: writes.append((len(args[1]), args[2])) or enqueue(*args)
        await odd.handle(stored(14, 1513))
        assert writes == [(250, 513), (250, 1013), (250, 1513)]
        await odd.handle(stored(1514, 1514))
        assert (len(writes), await odd.position()) == (3, 1513)  # it is written soon, with what comes next
        await odd.handle(stored(1515, 1515))
        assert writes[3:] == [(1, 1515)]


async def test_a_stop_waits_for_what_is_under_way(tmp_path):
    told = Told()
    told.go.clear()
    async with running(tmp_path) as run, asyncio.TaskGroup() as tasks:
        worker = await run.dispatch.add("x", told, Pipe())
        await run.feed(worker, messages(1, 3))
        while not told.got:
            await asyncio.sleep(0.005)
        removing = tasks.create_task(run.dispatch.remove("x", forget=False, rest_s=20))
        await asyncio.wait([removing], timeout=0.05)
        assert not removing.done()
        told.go.set()
        await removing
        assert (told.ids, await run.states()) == (["uplink_1"], {"delivered": 1, "pending": 2})
