import asyncio

from tests.exchange.build import running, uplink

UPLINK, EVENT = frozenset({"uplink"}), frozenset({"event"})


async def test_a_cursor_waits_for_records_of_its_topics_and_passes_the_others(tmp_path):
    async with running(tmp_path / "x.db") as exchange:
        events, uplinks = exchange.cursor("events", EVENT, 0), exchange.cursor("uplinks", UPLINK, 0)
        await exchange.append([("uplink", uplink(n)) for n in range(1, 4)])
        found, upto = await uplinks.next(2)
        assert ([s.seq for s in found], upto) == ([1, 2], 2)
        uplinks.advance(upto, 2)
        assert (uplinks.position, uplinks.lag, uplinks.applied) == (2, 1, 2)
        waiting = asyncio.ensure_future(events.next(1))  # noqa: TID251
        while events.lag:
            await asyncio.sleep(0)
        assert (events.position, events.applied, waiting.done()) == (3, 0, False)
        waiting.cancel()


async def test_advance_never_goes_back(tmp_path):
    async with running(tmp_path / "x.db") as exchange:
        await exchange.append([("uplink", uplink(n)) for n in range(1, 4)])
        cursor = exchange.cursor("c", UPLINK, 3)
        cursor.advance(1, 0)
        assert cursor.position == 3


async def test_failure_and_recovery_are_told(tmp_path):
    async with running(tmp_path / "x.db") as exchange:
        cursor = exchange.cursor("c", UPLINK, 0)
        cursor.failed("OSError: away")
        status = cursor.status()
        assert (status["state"], status["last_error"], status["last_error_at_us"] > 0) == (
            "retrying",
            "OSError: away",
            True,
        )
        cursor.recovered()
        assert (cursor.status()["state"], cursor.status()["last_error"]) == ("running", "OSError: away")
