"""Class B: downlinks meet the device's ping slots, and only while it hears the beacon."""

import pytest

from lns.lorawan.class_b import next_ping_slot_gps_ms
from lns.lorawan.gpstime import unix_from_gps
from simulators.classes import BEACONLESS_S
from tests.network.agreement import agree
from tests.network.pair import Pair, living, only, towers
from tests.network.world import World, world

VERSIONS = ("1.0.3", "1.0.4", "1.1")


async def class_b(w: World, version: str = "1.0.3", periodicity: int = 2, **more) -> Pair:
    """A device that has come to class B: it has told its period, and its uplinks say that it listens."""
    pair = await living(w, version, network={"device_class": "B", **more.pop("network", {})}, **more)
    pair.device.want_class("B", periodicity)
    for _ in range(3):
        await pair.send()
    assert pair.device.mac.device_class == "B"
    return pair


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("periodicity", [0, 3, 7])
async def test_a_downlink_goes_in_a_ping_slot_of_the_device_at_the_gateways_gps_time(tmp_path, version, periodicity):
    async with world(tmp_path) as w:
        pair = await class_b(w, version, periodicity)
        before = len(w.air.sent)
        await w.network.enqueue(pair.dev_eui, 5, b"wake up", False)
        window, got = only(await pair.wait(256))  # one slot a beacon period, anywhere in it, is the least
        assert (window, got.payload) == ("ping", b"wake up")
        (sent,) = w.air.sent[before:]
        assert sent.tmst_us is None
        address = pair.device.session.dev_addr
        assert next_ping_slot_gps_ms(sent.gps_time_ms, address, periodicity) == sent.gps_time_ms
        assert pair.life.heard[-1].at_us == round(unix_from_gps(sent.gps_time_ms / 1000) * 1e6)


async def test_downlinks_of_class_b_do_not_wait_for_an_uplink_one_after_the_other(tmp_path):
    async with world(tmp_path) as w:
        pair = await class_b(w)
        for n in range(5):
            await w.network.enqueue(pair.dev_eui, 5, bytes([n]), False)
        heard = await pair.wait(130)
        assert [(one.window, one.outcome.payload[0]) for one in heard] == [("ping", n) for n in range(5)]
        assert w.network.downlinks(pair.dev_eui) == []


async def test_an_uplink_before_the_slot_takes_the_downlink_along_and_no_counter_goes_backwards(tmp_path):
    async with world(tmp_path) as w:
        pair = await class_b(w, periodicity=7)
        for n in range(3):
            await w.network.enqueue(pair.dev_eui, 5, bytes([n]), False)
        for _ in range(2):
            await pair.wait(1)
            await pair.send(confirmed=True)
        await pair.wait(256)
        got = [(one.window, one.outcome.payload[0]) for one in pair.life.heard[-3:]]
        assert got == [("rx1", 0), ("rx1", 1), ("ping", 2)]


async def test_a_confirmed_downlink_in_a_ping_slot_is_acknowledged_by_the_next_uplink(tmp_path):
    async with world(tmp_path) as w:
        pair = await class_b(w, network={"class_b_timeout_s": 60})
        await w.network.enqueue(pair.dev_eui, 5, b"go", True)
        assert only(await pair.wait(10))[1].confirmed
        await pair.send()
        assert [event.data["state"] for event in await w.events("ack")] == ["acked"]


async def test_a_device_that_loses_the_beacon_clears_the_bit_and_is_served_after_its_uplinks_again(tmp_path):
    async with world(tmp_path) as w:
        pair = await class_b(w)
        pair.life.beacons = False
        await pair.wait(BEACONLESS_S + 1000)
        assert pair.device.mac.device_class == "A"
        await pair.send()
        assert [event.data for event in await w.events("class_changed")] == [
            {"from": "A", "to": "B"},
            {"from": "B", "to": "A"},
        ]
        await w.network.enqueue(pair.dev_eui, 5, b"later", False)
        assert await pair.wait(300) == []
        window, got = only(await pair.send())
        assert (window, got.payload) == ("rx1", b"later")


async def test_a_downlink_for_a_device_that_lost_the_beacon_unnoticed_is_not_lost_when_it_is_confirmed(tmp_path):
    async with world(tmp_path) as w:
        pair = await class_b(w)
        pair.life.beacons = False
        await pair.wait(BEACONLESS_S + 1000)
        await w.network.enqueue(pair.dev_eui, 5, b"important", True)
        assert all(one.window is None for one in await pair.wait(12))
        await pair.send()
        await pair.send()
        assert [got.payload for got in pair.received() if got.fport] == [b"important"]


async def test_ping_slots_move_where_the_template_says(tmp_path):
    async with world(tmp_path) as w:
        pair = await class_b(w, network={"ping_slot_freq_hz": 868_300_000, "ping_slot_dr": 5})
        for _ in range(3):
            await pair.send()
        await w.network.enqueue(pair.dev_eui, 5, b"there", False)
        window, _ = only(await pair.wait(130))
        assert (window, w.air.sent[-1].freq_hz) == ("ping", 868_300_000)
        agree(pair)


async def test_hopping_ping_slots_of_us915_are_met(tmp_path):
    async with world(tmp_path) as w:
        pair = await class_b(w, region_name="US915", dr=2)
        for n in range(4):
            await w.network.enqueue(pair.dev_eui, 5, bytes([n]), False)
            assert only(await pair.wait(128))[0] == "ping"
        assert len({sent.freq_hz for sent in w.air.sent if sent.gps_time_ms}) > 1


async def test_without_a_gateway_with_gps_the_downlink_waits_for_an_uplink(tmp_path):
    async with world(tmp_path) as w:
        pair = await class_b(w, around=towers(w, 1, has_gps=False))
        await w.network.enqueue(pair.dev_eui, 5, b"patience", False)
        assert await pair.wait(300) == []
        assert only(await pair.send())[0] == "rx1"


async def test_the_class_and_the_period_survive_a_restart(tmp_path):
    async with world(tmp_path) as w:
        pair = await class_b(w)
    async with world(tmp_path) as w:
        pair.move(w)
        await w.network.enqueue(pair.dev_eui, 5, b"still there", False)
        await pair.send()
        assert [got.payload for got in pair.received() if got.fport] == [b"still there"]
        await w.network.enqueue(pair.dev_eui, 5, b"in a slot", False)
        assert only(await pair.wait(130))[0] == "ping"
