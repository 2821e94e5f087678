"""Whole lives of devices, with time passed by hand: years, losses, rejoins, class switches, gateways that restart."""

from random import Random

import pytest

from lns.mac.settings import RegionSettings
from simulators.classes import BEACONLESS_S
from simulators.life import Lost
from tests.network.agreement import agree
from tests.network.pair import Pair, living, only, towers
from tests.network.world import World, world

DAY_S = 86_400
PLAIN = {"EU868": RegionSettings()}


def air(seed: int, loss: float) -> Lost:
    """Loses that share of all copies of uplinks and of all downlinks."""
    random = Random(seed)
    return lambda: random.random() < loss


async def settle(pair: Pair) -> None:
    """Let a device and the network speak under a clean sky for a while: they have to end in agreement."""
    pair.life.lost = lambda: False
    for _ in range(70):
        if pair.device.must_join:
            await pair.join()
        heard = await pair.send(b"", None, confirmed=True)
        if not pair.session.known_radio().asked and heard and not heard[-1].outcome.commands:
            break
    agree(pair)
    assert only(await pair.send(b"", None, confirmed=True))[1].ack


async def nothing_is_lost_or_doubled(w: World, pair: Pair) -> None:
    """What the air let through is stored once and in order, and the device never saw a counter twice."""
    stored = [u.data for u in await w.records("uplink") if u.data]
    assert stored == [payload for payload in pair.arrived if payload], w.why()
    assert len({u.id for u in await w.records("uplink")}) == len(await w.records("uplink"))


async def seasons(w: World, pair: Pair, count: int) -> None:
    """A device that is out of reach for most of its life, and is heard a few times every three months."""
    for season in range(count):
        await w.network.enqueue(pair.dev_eui, 5, season.to_bytes(2), season % 2 == 0)
        for n in range(8):
            await pair.send(bytes([1, season, n]), confirmed=n % 3 == 0)
            await pair.wait(3600)
        pair.device.session.fcnt_up += 13_000
        await pair.wait(90 * DAY_S)


@pytest.mark.parametrize("version", ["1.0.0", "1.0.2", "1.0.4", "1.1"])
async def test_ten_years_and_many_rollovers_with_two_of_five_frames_lost_both_ways(tmp_path, version):
    async with world(tmp_path) as w:
        pair = await living(w, version, around=towers(w, 1, 2))
        pair.life.lost = air(7, 0.4)
        pair.device.adr = True
        await seasons(w, pair, 40)
        assert pair.session.fcnt_up > 7 * 0x10000
        await settle(pair)
        await nothing_is_lost_or_doubled(w, pair)
        acked, given_up = await w.events("ack"), await w.events("nack")
        received = {got.payload for got in pair.received() if got.fport == 5}
        assert len(acked) + len(given_up) == 20
        assert 10 <= len(acked) <= len(received)


async def test_a_1_1_life_of_rejoins_and_class_switches_with_two_of_five_frames_lost(tmp_path):
    random = Random(11)
    async with world(tmp_path) as w:
        pair = await living(w, "1.1", network={"device_class": "C", "rejoin_max_count_n": 1})
        pair.life.lost = air(11, 0.4)
        addresses = set()
        for n in range(120):
            if pair.device.must_join:
                await pair.join()
                continue
            step = random.randrange(8)
            if step == 0:
                await pair.rejoin(random.choice([0, 1, 2]))
            elif step == 1:
                pair.device.want_class(random.choice("AC"))
            elif step == 2 and pair.known.session is not None:
                w.network.force_rejoin(pair.dev_eui, random.choice([0, 2]), 5)
            elif step == 3:
                await w.network.enqueue(pair.dev_eui, 5, bytes([n]), True)
                await pair.wait(30)
            await pair.send(bytes([n]), confirmed=n % 2 == 0)
            await pair.due_rejoin()
            addresses.add(pair.device.session.dev_addr)
        assert len(addresses) > 10
        await settle(pair)
        await nothing_is_lost_or_doubled(w, pair)
        assert w.network.devices.sessions.count <= 2


@pytest.mark.parametrize("version", ["1.0.3", "1.0.4"])
async def test_a_life_of_many_joins_with_lost_join_accepts(tmp_path, version):
    async with world(tmp_path) as w:
        pair = await living(w, version)
        pair.life.lost = air(5, 0.4)
        for n in range(30):
            await pair.join()
            for m in range(3):
                await pair.send(bytes([n, m]))
        await settle(pair)
        stored = [u.data for u in await w.records("uplink") if u.data]
        assert set(stored) <= set(pair.arrived)
        assert len(stored) > 0.5 * len(pair.arrived)


async def test_gateways_that_restart_and_counters_that_wrap_cost_no_more_than_one_answer_each(tmp_path):
    random = Random(3)
    async with world(tmp_path, regions=PLAIN) as w:
        pair = await living(w, "1.0.4", around=towers(w, 1, 2))
        missed = restarts = 0
        for n in range(120):
            if n % 6 == 5:
                w.air.towers[f"{random.choice([1, 2]):016x}"].restart(w.clocks.utc_us())
                restarts += 1
            heard = await pair.send(bytes([n]), confirmed=True)
            missed += not any(one.window in ("rx1", "rx2") for one in heard)
            await pair.wait(random.uniform(60, 1200))  # two hours and a half of them make two wraps
        assert missed <= restarts
        assert missed == 0
        await nothing_is_lost_or_doubled(w, pair)


async def test_a_day_in_class_b_with_beacons_lost_and_found(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, "1.0.4", network={"device_class": "B"})
        pair.device.want_class("B", 3)
        for _ in range(3):
            await pair.send()
        for hour in range(24):
            await w.network.enqueue(pair.dev_eui, 5, bytes([hour]), True)
            pair.life.beacons = hour % 8 < 4
            if not pair.life.beacons and hour % 8 == 4:
                await pair.wait(BEACONLESS_S + 60)
            await pair.wait(300)
            await pair.send()
            await pair.wait(3000)
            await pair.send()
        received = [got.payload[0] for got in pair.received() if got.fport == 5]
        assert sorted(set(received)) == list(range(24))
        assert {heard.window for heard in pair.life.heard if heard.window} >= {"ping", "rx1"}
        assert len(await w.events("class_changed")) >= 4


async def test_years_of_adr_with_silent_seasons_in_between(tmp_path):
    """A device that hears nothing gets slower by itself; when it is heard again it is told what it should use."""
    async with world(tmp_path, regions=PLAIN) as w:
        pair = await living(w, "1.0.4", dr=0)
        pair.device.adr = True
        for steps in (0, 1, 3, 5):
            pair.life.lost = lambda: True
            for _ in range(64 + 32 * (steps + 1) if steps else 0):
                await pair.send()
            slow = pair.device.mac.data_rate
            pair.life.lost = lambda: False
            await pair.wait(60 * DAY_S)
            for n in range(45):
                await pair.send(bytes([n]))
                if n > 2:
                    agree(pair)
            assert slow == 5 - steps if steps else slow == 0
            assert pair.device.mac.data_rate == 5
        await nothing_is_lost_or_doubled(w, pair)
