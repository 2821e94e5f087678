"""A codec that does not answer holds up nobody else's uplinks, and its own are decoded or fail in the end."""

import asyncio
import os
import signal

from lns.decoding import late
from tests.decoding.build import one, scene

DECODE_OR = "function decodeUplink(i) { if (i.bytes[0] > 9) { %s } return {data: {v: i.bytes[0]}}; }"
NEVER = "function decodeUplink(i) { while (i.bytes[0] > 9) {} return {data: {late: i.bytes[0]}}; }"
KILLS = DECODE_OR % "for (;;) JSON.stringify('x'.repeat(5e8));"
SLOW = "function decodeUplink(i) { for (var x = 0, k = 0; k < 9e6; k++) x += k; return {data: {late: i.bytes[0]}}; }"


async def waiting(s) -> list[int]:
    await s.exchange.committed()
    return s.decoding._failures.still_waiting(s.registry.path)


async def until_settled(s) -> None:
    async with asyncio.timeout(20):
        while s.decoding.late.waiting:
            await asyncio.sleep(0.01)


async def test_uplinks_of_others_do_not_wait_for_a_script_that_never_ends(tmp_path):
    async with scene(tmp_path) as s:
        await s.put(one(1))
        await s.decoded(1)
        await s.use("bad", NEVER)
        await s.put(*(one(n, 2, b"\xff") for n in range(2, 22)), one(22))
        found = await s.decoded(2)
        assert [d.fcnt_up for d in found] == [1, 22]
        await s.put(one(23))
        await until_settled(s)
        found = await s.decoded(23)
        assert sorted(d.fcnt_up for d in found) == list(range(1, 24))
        assert {d.failure.reason for d in found if d.device_id == 2} == {"timeout"}
        assert [d.fcnt_up for d in found if d.device_id == 2] == list(range(2, 22))
        assert await waiting(s) == []
        assert len(s.registry.failures.page()) == 20


async def test_what_waits_survives_a_restart(tmp_path, monkeypatch):
    monkeypatch.setattr(late, "PATIENCE_S", 0.0)
    async with scene(tmp_path) as s:
        await s.put(one(1))
        await s.decoded(1)
        os.kill(s.parts.pool.status().pids[-1], signal.SIGSTOP)  # nothing new is decoded from now on
        await s.use("bad", NEVER)
        await s.put(one(2, 2), one(3, 2), one(4))
        assert [d.fcnt_up for d in await s.decoded(2)] == [1, 4]
        async with asyncio.timeout(20):
            while s.decoding.late.waiting < 2:
                await asyncio.sleep(0.01)
        assert await waiting(s) == [3, 4]
        assert s.registry.failures.page() == []
    async with scene(tmp_path) as s:
        found = await s.decoded(4)
        assert [d.fcnt_up for d in found] == [1, 4, 2, 3]
        assert [m.field for d in found[2:] for m in d.measurements] == ["late", "late"]
        assert await waiting(s) == []
        assert s.registry.failures.page() == []


async def test_a_version_that_has_shown_itself_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(late, "PATIENCE_S", 0.0)
    async with scene(tmp_path) as s:
        await s.put(*(one(n) for n in range(1, 30)))
        await s.decoded(29)
        await s.put(*(one(n) for n in range(30, 60)))
        assert [d.fcnt_up for d in await s.decoded(59)] == list(range(1, 60))
        assert s.decoding.late.waiting == 0


async def test_one_codecs_uplinks_stay_in_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(late, "PATIENCE_S", 0.0)
    async with scene(tmp_path) as s:
        await s.use("bad", SLOW)
        for n in range(1, 13):
            await s.put(one(n, 2, bytes([n])))
        await s.decoded(12)
        assert [d.measurements[0].value for d in await s.decoded(12)] == list(range(1, 13))


async def test_without_its_task_everything_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(late, "PATIENCE_S", 0.0)
    async with scene(tmp_path) as s:
        await s.use("bad", SLOW)
        idle = late.Late(s.parts.pool, s.parts.codecs, s.decoding._failures, s.decoding._run, s.decoding._settle)
        await s.put(one(1, 2), one(2))
        stored = [await s.exchange.pick(seq) for seq in (1, 2)]
        ((first, second),) = [rows async for rows in idle.decoded(stored)]
        assert (first[0], second[0]) == (1, 2)
        assert None not in (first[2], second[2])
        assert idle.waiting == 0


async def test_a_script_that_turns_bad_takes_nothing_with_it(tmp_path):
    async with scene(tmp_path) as s:
        await s.use("bad", KILLS)
        await s.put(one(1, 2), one(2))
        await s.decoded(2)
        assert s.parts.pool.is_trusted(s.parts.codecs.of(2).key, "ts013")
        await s.put(one(3, 2, b"\xff"), one(4))
        ends = {d.fcnt_up: d.failure for d in (await s.decoded(4))[2:]}
        assert (ends[3].reason, ends[4]) == ("memory", None)
