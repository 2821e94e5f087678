"""Multicast: every member hears a frame once, through the fewest gateways, and what cannot go says why."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from lns.lorawan.regions import region
from lns.network import DownlinkRefused
from simulators.multicast import Group
from tests.network.pair import Pair, living, towers
from tests.network.world import World, world

HOUR_US = 3_600_000_000


async def group(w: World, pairs: Sequence[Pair], **values: Any) -> int:
    """A group with these members, which listen to it; gives its id."""
    made = await asyncio.to_thread(w.registry.multicast.add, {"name": "lamps", **values})
    await asyncio.to_thread(w.registry.multicast.join, made.id, [pair.dev_eui for pair in pairs])
    await w.network.reload_multicast([made.id])
    for pair in pairs:
        member = Group(made.mc_addr, (made.keys[:16], made.keys[16:32]))
        member.listens = made.freq_hz, region(made.region).downlink_modulation(made.dr)
        member.periodicity = made.ping_periodicity
        pair.device.groups[made.mc_addr] = member
    return int(made.id)


async def members(w: World, *around: tuple[int, ...], device_class: str = "C") -> list[Pair]:
    """Devices that were heard by the gateways with these numbers."""
    pairs = []
    for number, gateways in enumerate(around, 1):
        network = {"device_class": device_class}
        pair = await living(w, number=number, network=network, around=towers(w, *gateways))
        pair.device.want_class(device_class, 0)
        for _ in range(2):
            await pair.send()
        pairs.append(pair)
    return pairs


async def heard_by(pairs: Sequence[Pair], seconds: float) -> list[list[bytes]]:
    """What each has accepted from its group by then."""
    await asyncio.sleep(seconds)
    for pair in pairs:
        await pair.wait(0)
    return [_payloads(pair) for pair in pairs]


def _payloads(pair: Pair) -> list[bytes]:
    return [got.payload for got in pair.received() if got.group]


@pytest.mark.parametrize("device_class", ["B", "C"])
async def test_every_member_hears_each_frame_once_through_one_gateway_that_reaches_all(tmp_path, device_class):
    async with world(tmp_path) as w:
        pairs = await members(w, (1, 2), (2,), (2, 3), device_class=device_class)
        group_id = await group(w, pairs, device_class=device_class)
        sent = len(w.air.sent)
        await w.network.multicast_enqueue(group_id, 7, b"all on")
        assert await heard_by(pairs, 130) == [[b"all on"]] * 3
        assert [transmission.gateway_eui[-1] for transmission in w.air.sent[sent:]] == ["2"]


@pytest.mark.parametrize("device_class", ["B", "C"])
async def test_members_far_apart_are_reached_by_a_gateway_each(tmp_path, device_class):
    async with world(tmp_path) as w:
        pairs = await members(w, (1,), (2,), (1, 2), device_class=device_class)
        group_id = await group(w, pairs, device_class=device_class)
        sent = len(w.air.sent)
        await w.network.multicast_enqueue(group_id, 7, b"all on")
        assert await heard_by(pairs, 130) == [[b"all on"]] * 3
        assert sorted(transmission.gateway_eui[-1] for transmission in w.air.sent[sent:]) == ["1", "2"]


@pytest.mark.parametrize("device_class", ["B", "C"])
async def test_many_frames_come_in_order_and_none_is_lost(tmp_path, device_class):
    async with world(tmp_path) as w:
        pairs = await members(w, (1,), (1, 2), (2,), device_class=device_class)
        group_id = await group(w, pairs, device_class=device_class)
        for n in range(5):
            await w.network.multicast_enqueue(group_id, 7, bytes([n]))
        assert await heard_by(pairs, 300) == [[bytes([n]) for n in range(5)]] * 3
        states = {item.state for item in await asyncio.to_thread(w.registry.multicast.downlinks, group_id)}
        assert states == {"sent"}


async def test_a_frame_for_a_given_time_comes_on_the_air_at_that_time(tmp_path):
    async with world(tmp_path) as w:
        pairs = await members(w, (1,), (1,))
        group_id = await group(w, pairs)
        at_us = w.clocks.utc_us() + 60_000_000
        await w.network.multicast_enqueue(group_id, 7, b"later", at_us=at_us)
        await heard_by(pairs, 70)
        assert [abs(pair.life.heard[-1].at_us - at_us) <= 1000 for pair in pairs] == [True, True]


async def test_a_frame_that_is_too_large_for_the_group_is_refused_with_the_limit(tmp_path):
    async with world(tmp_path) as w:
        group_id = await group(w, await members(w, (1,)))
        with pytest.raises(DownlinkRefused, match="payload is 52 octets, at most 51 fit at dr 0 of the group"):
            await w.network.multicast_enqueue(group_id, 7, bytes(52))


async def test_a_group_that_has_expired_takes_nothing(tmp_path):
    async with world(tmp_path) as w:
        pairs = await members(w, (1,))
        group_id = await group(w, pairs, expires_at_us=w.clocks.utc_us() + HOUR_US)
        await w.network.multicast_enqueue(group_id, 7, b"in time")
        assert await heard_by(pairs, 3601) == [[b"in time"]]
        with pytest.raises(DownlinkRefused, match="the group has expired"):
            await w.network.multicast_enqueue(group_id, 7, b"late")


async def test_a_frame_that_expires_before_its_time_is_closed_with_the_reason(tmp_path):
    async with world(tmp_path) as w:
        pairs = await members(w, (1,))
        group_id = await group(w, pairs)
        w.air.deaf = {f"{1:016x}"}
        soon_us = w.clocks.utc_us() + 5_000_000
        await w.network.multicast_enqueue(group_id, 7, b"x", expires_at_us=soon_us, at_us=soon_us + 10_000_000)
        assert await heard_by(pairs, 60) == [[]]
        await w.exchange.committed()
        (item,) = await asyncio.to_thread(w.registry.multicast.downlinks, group_id)
        assert (item.state, item.reason) == ("expired", "expired before it could be sent")


async def test_members_that_nobody_hears_are_named(tmp_path):
    async with world(tmp_path) as w:
        pairs = await members(w, (1,))
        never = Pair(w, await w.device(9, network={"device_class": "C"}))
        group_id = await group(w, [*pairs, never])
        await w.network.multicast_enqueue(group_id, 7, b"x")
        assert await heard_by(pairs, 10) == [[b"x"]]
        (item,) = await asyncio.to_thread(w.registry.multicast.downlinks, group_id)
        assert item.reason == f"heard by no gateway: 1 member(s) ({never.dev_eui})"


async def test_a_group_nobody_hears_waits_until_a_member_is_heard(tmp_path):
    async with world(tmp_path) as w:
        pair = Pair(w, await w.device(network={"device_class": "C"}))
        group_id = await group(w, [pair])
        await w.network.multicast_enqueue(group_id, 7, b"patience")
        assert await heard_by([pair], 60) == [[]]
        await pair.join()
        await pair.send()
        assert await heard_by([pair], 15) == [[b"patience"]]


async def test_a_frame_that_no_gateway_takes_goes_again_under_another_counter(tmp_path):
    async with world(tmp_path) as w:
        pairs = await members(w, (1,), (2,))
        group_id = await group(w, pairs)
        w.air.deaf = {f"{1:016x}", f"{2:016x}"}
        await w.network.multicast_enqueue(group_id, 7, b"first")
        await w.network.multicast_enqueue(group_id, 7, b"second")
        assert await heard_by(pairs, 25) == [[], []]
        w.air.deaf = set()
        assert await heard_by(pairs, 25) == [[b"first", b"second"]] * 2
        w.air.deaf = {f"{2:016x}"}
        await w.network.multicast_enqueue(group_id, 7, b"third")
        assert await heard_by(pairs, 25) == [[b"first", b"second", b"third"], [b"first", b"second"]]
        await w.exchange.committed()
        (item, *_) = await asyncio.to_thread(w.registry.multicast.downlinks, group_id)
        assert (item.state, item.reason) == ("sent", f"{2:016x}: it has not sent PULL_DATA")


async def test_counters_and_waiting_frames_survive_a_restart(tmp_path):
    async with world(tmp_path) as w:
        pairs = await members(w, (1,))
        group_id = await group(w, pairs)
        await w.network.multicast_enqueue(group_id, 7, b"first")
        await heard_by(pairs, 10)
        at_us = w.clocks.utc_us() + 100_000_000
        await w.network.multicast_enqueue(group_id, 7, b"second", at_us=at_us)
    async with world(tmp_path) as w:
        for pair in pairs:
            pair.move(w)
        assert await heard_by(pairs, 110) == [[b"first", b"second"]]
