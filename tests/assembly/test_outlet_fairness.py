"""A hundred outlets of a hundred applications: one is dead, one is flooded, and the others do not notice."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from lns.exchange.records import Uplink
from tests.api.answers import ok
from tests.assembly.serving import World, serving, shown
from tests.exchange.build import uplink
from tests.outlets.receiver import Receiver, Request, receiving

OTHERS = 98
FLOOD, DEVICES = 2000, 20


async def slowly(_: Request, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.01)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()


async def never(_: Request, __: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


def of(application_id: int, n: int) -> Uplink:
    device = 1_000_000 + application_id * DEVICES + n % DEVICES
    return msgspec.structs.replace(
        uplink(n, device), id=(n + (application_id << 64)).to_bytes(16), application_id=application_id
    )


async def outlets(world: World, names: list[str], url: str) -> list[int]:
    """An application with an outlet for each name; returns the applications' ids."""
    for name in names:
        ok(await world.api.post("/applications", json={"name": name}), 201)
        await world.outlet("hook", url, name, filter={"events": ["uplink"]})
    known = {one.name: one.id for one in world.running.server.registry.applications.all()}
    return [known[name] for name in names]


async def round_of(world: World, applications: list[int], receiver: Receiver, n: int) -> float:
    """One uplink for each application, all at once; seconds until all of them have arrived."""
    wanted = len(receiver.requests) + len(applications)
    began = time.monotonic()
    await world.running.server.exchange.append([("uplink", of(one, n)) for one in applications])
    await receiver.got(wanted)
    return time.monotonic() - began


async def test_a_dead_and_a_flooded_outlet_cost_the_others_nothing(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        receiver, flooded, dead = [await stack.enter_async_context(receiving()) for _ in range(3)]
        world = await stack.enter_async_context(serving(tmp_path))
        flooded.then, dead.then = slowly, never
        others = await outlets(world, [f"app{n}" for n in range(OTHERS)], receiver.url)
        calm_s = [await round_of(world, others, receiver, n) for n in range(5)]
        (flood,) = await outlets(world, ["flood"], flooded.url)
        (gone,) = await outlets(world, ["gone"], dead.url)
        exchange = world.running.server.exchange
        await exchange.append([("uplink", of(gone, n)) for n in range(100)])
        await exchange.append([("uplink", of(flood, n)) for n in range(FLOOD)])
        await exchange.caught_up()  # also the decoder, which has the same flood
        flooded_s = [await round_of(world, others, receiver, 10 + n) for n in range(5)]
        left = FLOOD - len(flooded.requests)
        assert left > 0, "the others were not to wait for the flood's end"
        assert len(dead.requests) <= 4
        assert len(receiver.requests) == OTHERS * 10
        print(f"98 others, seconds a round: calm {sorted(calm_s)}, flooded {sorted(flooded_s)}, {left} of it left")
        await flooded.got(FLOOD, 60)
        assert len(set(flooded.ids)) == FLOOD
        one = await shown(world, "/applications/gone/outlets/hook", lambda one: one["lag"] == 0)
        assert one["open"] == 100
