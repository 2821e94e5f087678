import asyncio
import sqlite3
from contextlib import closing

import pytest

from lns.clock import DAY_US
from lns.delivery.breaker import Limits
from lns.delivery.machine import State
from lns.delivery.outcome import Outcome, Verdict
from lns.delivery.pipe import Pipe
from lns.delivery.rows import OutletRow, Query
from lns.delivery.schedule import Schedule
from tests.delivery.build import GONE, REFUSED, TROUBLE, message, messages
from tests.delivery.running import Told, now_us, running

QUICK = Schedule(waits_s=(0.01,) * 5)
SHY = Limits(row=3, open_s=0.05, open_most_s=0.1)


@pytest.fixture
async def run(tmp_path):
    async with running(tmp_path) as found:
        yield found


async def test_each_device_keeps_its_order_whatever_fails(run):
    told = Told(*[TROUBLE, Outcome(verdict=Verdict.DELIVERED)] * 40)
    often = Schedule(waits_s=(0.0,) * 50)  # one message may meet all of the trouble
    worker = await run.dispatch.add("x", told, Pipe(schedule=often, breaker=Limits(row=1000, share=1.0), at_once=8))
    await run.feed(worker, messages(1, 100, lanes=7))
    await run.until({"delivered": 100})
    for lane in range(7):
        firsts = list(dict.fromkeys(m.seq for m in told.got if m.lane == f"lane{lane}"))
        assert firsts == sorted(firsts)
    assert set(told.ids) == {f"uplink_{n}" for n in range(1, 101)}


async def test_retries_end_in_a_dead_letter_that_can_be_sent_again(run):
    told = Told(then=TROUBLE)
    worker = await run.dispatch.add("x", told, Pipe(schedule=Schedule(waits_s=(0.0, 0.0)), breaker=Limits(row=99)))
    await run.feed(worker, [message(1)])
    await run.until({"dead": 1})
    assert told.ids == ["uplink_1"] * 3
    assert run.told == [("x", "dead", {"delivery": 1, "lane": "a", "reason": "attempts", "error": "status 500"})]
    told.then = Outcome(verdict=Verdict.DELIVERED)
    assert await run.dispatch.retry(Query(state=State.DEAD)) == 1
    await run.until({"delivered": 1})
    assert told.ids == ["uplink_1"] * 4
    assert [a.verdict for a in await run.store.attempts(1)] == ["retry"] * 3 + ["delivered"]


async def test_what_has_waited_longer_than_the_deadline_has_all_its_attempts(run):
    told = Told(TROUBLE, TROUBLE)
    worker = await run.dispatch.add("x", told, Pipe(schedule=QUICK))
    assert QUICK.deadline_s < 4 * 86_400
    await worker.add(await run.store.enqueue("x", messages(1, 2, lanes=2), 2, now_us() - 4 * DAY_US))
    await run.until({"delivered": 2})
    assert sorted(told.ids) == ["uplink_1", "uplink_1", "uplink_2", "uplink_2"]


async def test_a_refused_message_does_not_stop_the_next(run):
    told = Told(*[REFUSED] * 3)
    worker = await run.dispatch.add("x", told, Pipe(schedule=QUICK))
    await run.feed(worker, messages(1, 2))
    await run.until({"dead": 1, "delivered": 1})
    assert told.ids == ["uplink_1"] * 3 + ["uplink_2"]


async def test_a_dead_destination_costs_no_attempts_while_the_breaker_is_open(run):
    told = Told(then=TROUBLE)
    pipe = Pipe(schedule=QUICK, breaker=Limits(row=3, open_s=600.0))
    worker = await run.dispatch.add("x", told, pipe)
    await run.feed(worker, messages(1, 50, lanes=50))
    while not run.told:
        await asyncio.sleep(0.005)
    await asyncio.sleep(0)
    assert run.told[0][1] == "breaker_open"
    assert worker.status()["breaker"] == "open"
    assert 3 <= len(told.got) <= 3 + pipe.at_once
    assert (await run.store.outlet("x")).open_until_us > now_us()


async def test_a_probe_finds_that_it_answers_again_and_all_is_sent_at_once(run):
    told = Told(*[TROUBLE] * 6)
    slow = Schedule(waits_s=(1200.0,))
    worker = await run.dispatch.add("x", told, Pipe(schedule=slow, breaker=SHY, at_once=1))
    await run.feed(worker, messages(1, 20, lanes=20))
    await run.until({"delivered": 20})  # those that failed did not wait for their 10 minutes
    assert [what for _, what, _ in run.told][-1] == "breaker_closed"
    assert (await run.store.outlet("x")).open_until_us == 0


async def test_gone_disables_the_outlet_and_keeps_the_rest(run):
    told = Told(GONE)
    worker = await run.dispatch.add("x", told, Pipe(at_once=1))
    await run.feed(worker, messages(1, 3))
    await run.until({"dead": 1, "pending": 2})
    while not worker.disabled:
        await asyncio.sleep(0.005)
    assert worker.status()["state"] == "disabled"
    assert ("x", "disabled", {"error": "status 410"}) in run.told
    await worker.resume()
    await run.until({"dead": 1, "delivered": 2})
    assert await run.store.outlet("x") == OutletRow(3)


async def test_a_pause_holds_everything_and_loses_nothing(run):
    told = Told()
    worker = await run.dispatch.add("x", told, Pipe(), paused=True)
    await run.feed(worker, messages(1, 3))
    await run.until({"pending": 3})
    assert worker.status()["state"] == "paused"
    assert told.got == []
    await worker.resume()
    await run.until({"delivered": 3})


async def test_throttling_holds_the_whole_outlet_as_long_as_it_asks(run):
    told = Told(Outcome(verdict=Verdict.THROTTLED, status=429, retry_after_s=0.3))
    worker = await run.dispatch.add("x", told, Pipe(schedule=QUICK, at_once=1))
    await run.feed(worker, messages(1, 5, lanes=5))
    await run.until({"delivered": 5})
    assert told.at_us[1] - told.at_us[0] >= 300_000


async def test_a_rate_is_kept_with_each_devices_order(run):
    told = Told()
    worker = await run.dispatch.add("x", told, Pipe(per_s=100.0))
    await run.feed(worker, messages(1, 150, lanes=10))
    await run.until({"delivered": 150})
    assert told.at_us[-1] - told.at_us[0] >= 480_000  # 100 at once, 50 at 100 a second
    assert all(
        [m.seq for m in told.got if m.lane == f"lane{lane}"] == list(range(lane or 10, 151, 10)) for lane in range(10)
    )


async def test_a_batch_takes_one_of_each_device(run):
    told = Told()
    worker = await run.dispatch.add("x", told, Pipe(batch=50, at_once=1), paused=True)
    await run.feed(worker, messages(1, 20, lanes=10))
    await worker.resume()
    await run.until({"delivered": 20})
    assert told.calls == [10, 10]


async def test_latest_sends_the_newest_only(run):
    told = Told()
    worker = await run.dispatch.add("x", told, Pipe(ordering="latest"), paused=True)
    await run.feed(worker, messages(1, 5))
    await worker.resume()
    await run.until({"delivered": 1, "dropped": 4})
    assert told.ids == ["uplink_5"]


async def test_a_destination_that_breaks_is_tried_again(run):
    class Broken(Told):
        async def deliver(self, messages):
            if not self.calls:
                self.calls.append(1)
                raise RuntimeError("a mistake")
            return await super().deliver(messages)

    worker = await run.dispatch.add("x", Broken(), Pipe(schedule=QUICK))
    await run.feed(worker, [message(1)])
    await run.until({"delivered": 1})
    assert (await run.store.attempts(1))[0].error == "RuntimeError: a mistake"


async def test_dropped_deliveries_are_not_sent(run):
    told = Told()
    worker = await run.dispatch.add("x", told, Pipe(), paused=True)
    await run.feed(worker, messages(1, 4, lanes=2))
    assert await run.dispatch.drop(Query(lane="lane1")) == 2
    await worker.resume()
    await run.until({"delivered": 2, "dropped": 2})
    assert told.ids == ["uplink_2", "uplink_4"]


async def test_a_destination_that_does_not_close_ends_nothing_else(run):
    class Stuck(Told):
        async def close(self):
            raise OSError("the socket is gone")

    other = Told()
    await run.dispatch.add("x", Stuck(), Pipe())
    worker = await run.dispatch.add("y", other, Pipe())
    await run.dispatch.remove("x")
    await run.feed(worker, [message(1)])
    await run.until({"delivered": 1})


async def test_the_next_leaves_while_the_last_is_still_being_written_down(run, tmp_path):
    told = Told()
    told.go.clear()
    worker = await run.dispatch.add("x", told, Pipe(at_once=1))
    await run.feed(worker, messages(1, 2))
    async with asyncio.timeout(20):
        while not told.got:
            await asyncio.sleep(0.005)
        with closing(sqlite3.connect(tmp_path / "deliveries.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # nobody else can write
            told.go.set()
            while len(told.got) < 2:
                await asyncio.sleep(0.005)
            assert await run.states() == {"pending": 2}
            other.execute("ROLLBACK")
    await run.until({"delivered": 2})
    assert told.ids == ["uplink_1", "uplink_2"]


async def test_a_rest_waits_until_what_was_delivered_is_written_down(run, tmp_path):
    told = Told()
    worker = await run.dispatch.add("x", told, Pipe(at_once=2))
    told.go.clear()
    await run.feed(worker, messages(1, 2, lanes=2))
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        while len(told.got) < 2:
            await asyncio.sleep(0.005)
        with closing(sqlite3.connect(tmp_path / "deliveries.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            told.go.set()
            while worker.open:
                await asyncio.sleep(0.005)
            resting = tasks.create_task(worker.rest(20))
            await asyncio.sleep(0)
            assert not resting.done()
            other.execute("ROLLBACK")
        await resting
        assert await run.states() == {"delivered": 2}


async def test_a_retry_by_a_person_does_not_wait_for_the_breaker(run):
    told = Told(then=TROUBLE)
    pipe = Pipe(schedule=Schedule(waits_s=()), breaker=Limits(row=1, open_s=3600.0))
    worker = await run.dispatch.add("x", told, pipe)
    await run.feed(worker, [message(1)])
    await run.until({"dead": 1})
    status = worker.status()
    assert (status["breaker"], status["last_error"]) == ("open", "status 500")
    assert abs(status["last_error_at_us"] - now_us()) < 60_000_000
    await run.feed(worker, messages(2, 3, lanes=2))
    assert await run.states() == {"dead": 1, "pending": 2}
    told.then = Outcome(verdict=Verdict.DELIVERED)
    assert await run.dispatch.retry(Query(state=State.DEAD)) == 1
    await run.until({"delivered": 3})
    assert worker.status()["breaker"] == "closed"
