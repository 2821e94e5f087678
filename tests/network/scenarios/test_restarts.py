"""The server is started again in the middle of something: nothing is lost, repeated or believed wrongly."""

import pytest

from lns.mac.settings import RegionSettings
from tests.network.agreement import agree
from tests.network.pair import Pair, living, only
from tests.network.world import world

PLAIN = {"EU868": RegionSettings()}
VERSIONS = ("1.0.3", "1.1")


@pytest.mark.parametrize("version", VERSIONS)
async def test_between_a_join_and_the_first_uplink(tmp_path, version):
    async with world(tmp_path) as w:
        pair = await living(w, version)
        await pair.send(b"before")
        await pair.join()
        assert pair.known.pending is not None
    async with world(tmp_path) as w:
        pair.move(w)
        assert only(await pair.send(b"after", confirmed=True))[1].ack
        assert [u.data for u in await w.records("uplink")] == [b"before", b"after"]
        assert w.network.devices.sessions.count == 1
        agree(pair)


async def test_between_a_join_and_the_first_uplink_of_a_device_that_missed_the_join_accept(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w)
        await pair.send(b"before")
        session = pair.device.session
        await pair.join()
        pair.device.session = session
    async with world(tmp_path) as w:
        pair.move(w)
        assert only(await pair.send(b"after", confirmed=True))[1].ack
        assert [u.data for u in await w.records("uplink")] == [b"before", b"after"]
        assert pair.known.pending is not None


async def test_before_the_join_accept_has_left(tmp_path):
    async with world(tmp_path) as w:
        pair = Pair(w, await w.device())
        pair.world.hear(pair.device.join_request(1))
        await pair.wait(0.1)
        assert pair.known.pending is not None
    async with world(tmp_path) as w:
        pair.move(w)
        assert [heard.joined for heard in await pair.join(2)] == [True]
        assert only(await pair.send(confirmed=True))[1].ack


@pytest.mark.parametrize("version", VERSIONS)
async def test_while_a_confirmed_downlink_waits_for_its_acknowledgement(tmp_path, version):
    async with world(tmp_path) as w:
        pair = await living(w, version)
        item = await w.network.enqueue(pair.dev_eui, 5, b"go", True)
        assert only(await pair.send())[1].confirmed
    async with world(tmp_path) as w:
        pair.move(w)
        assert [waiting.id for waiting in w.network.downlinks(pair.dev_eui)] == [item.id]
        await pair.send()
        assert [(event.data["id"], event.data["state"]) for event in await w.events("ack")] == [(item.id, "acked")]
        assert w.why() == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_while_a_confirmed_downlink_that_was_not_heard_waits(tmp_path, version):
    async with world(tmp_path) as w:
        pair = await living(w, version)
        await pair.send()
        await w.network.enqueue(pair.dev_eui, 5, b"go", True)
        w.air.outcomes = [None]
        tower = w.air.towers.pop(f"{1:016x}")  # it says nothing and sends nothing
        await pair.send()
        w.air.towers[tower.eui] = tower
    async with world(tmp_path) as w:
        pair.move(w)
        for _ in range(3):
            await pair.send()
        assert [got.payload for got in pair.received() if got.fport] == [b"go"]
        assert [event.data["state"] for event in await w.events("ack")] == ["acked"]


@pytest.mark.parametrize("version", ["1.0.0", "1.0.3", "1.0.4", "1.1"])
async def test_while_requests_are_under_way(tmp_path, version):
    settings = {"rx1_delay_s": 4, "rx2_dr": 4, "max_duty_cycle": 3}
    async with world(tmp_path, regions=PLAIN) as w:
        pair = await living(w, version, activation="abp", network=settings)
        commands = only(await pair.send(confirmed=True))[1].commands
        assert {"RXTimingSetupReq", "RXParamSetupReq", "DutyCycleReq"} <= set(commands)
    async with world(tmp_path, regions=PLAIN) as w:
        pair.move(w)
        window, got = only(await pair.send(confirmed=True))
        assert (window, got.ack, got.commands) == ("rx1", True, ())
        assert pair.session.rx1_delay_s == 4
        agree(pair)


async def test_while_class_c_downlinks_wait_for_their_time(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, network={"device_class": "C"})
        pair.device.want_class("C")
        await pair.send()
        at_us = w.clocks.utc_us() + 60_000_000
        for n in range(3):
            await w.network.enqueue(pair.dev_eui, 5, bytes([n]), n == 0, at_us=at_us + n)
    async with world(tmp_path) as w:
        pair.move(w)
        heard = await pair.wait(63)
        assert [one.outcome.payload[0] for one in heard][:1] == [0]
        assert abs(heard[0].at_us - at_us) < 50_000  # no gateway has shown its GPS time since the start
        await pair.send(b"", None)
        await pair.wait(10)
        assert [got.payload[0] for got in pair.received() if got.payload] == [0, 1, 2]


@pytest.mark.parametrize("version", VERSIONS)
async def test_again_and_again_under_traffic(tmp_path, version):
    async with world(tmp_path) as w:
        pair = await living(w, version)
    for n in range(6):
        async with world(tmp_path) as w:
            pair.move(w)
            await w.network.enqueue(pair.dev_eui, 5, bytes([n]), n % 2 == 0)
            await pair.send(bytes([n]), confirmed=True)
    async with world(tmp_path) as w:
        pair.move(w)
        await pair.send(bytes([6]), confirmed=True)
        assert [u.data[0] for u in await w.records("uplink")] == list(range(7))
        assert [got.payload[0] for got in pair.received() if got.payload] == list(range(6))
        agree(pair)
