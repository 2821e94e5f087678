"""Class C: downlinks at any time, but never into a device's own exchange, and acknowledged within a time."""

from itertools import pairwise

import pytest

from lns.lorawan.commands import encode_command
from lns.mac.frames import TxOutcome
from simulators.misbehaviour import Misbehaviour
from tests.network.pair import Pair, living, only, towers
from tests.network.world import World, world

CONFIRMING = ("1.0.3", "1.0.4", "1.1")


async def class_c(w: World, version: str = "1.0.3", **more) -> Pair:
    """A device of class C that has sent its first uplink."""
    network = {"device_class": "C", **more.pop("network", {})}
    pair = await living(w, version, network=network, **more)
    pair.device.want_class("C")
    await pair.send()
    await pair.send()
    assert pair.device.mac.device_class == "C"
    return pair


@pytest.mark.parametrize("version", ["1.0.0", *CONFIRMING])
async def test_a_downlink_goes_at_once(tmp_path, version):
    async with world(tmp_path) as w:
        pair = await class_c(w, version)
        await pair.wait(60)
        await w.network.enqueue(pair.dev_eui, 5, b"now", False)
        (heard,) = await pair.wait(1)
        assert (heard.window, heard.outcome.payload) == ("class_c", b"now")
        assert (w.air.sent[-1].tmst_us, w.air.sent[-1].gps_time_ms) == (None, None)


async def test_a_device_of_1_1_is_not_sent_to_before_it_has_said_that_it_listens(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, "1.1", network={"device_class": "C"})
        await pair.send()
        await w.network.enqueue(pair.dev_eui, 5, b"x", False)
        assert await pair.wait(60) == []
        pair.device.want_class("C")
        assert only(await pair.send())[1].commands == ("DeviceModeConf",)


async def test_a_device_that_has_joined_is_not_sent_to_before_its_first_uplink(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, network={"device_class": "C"})
        pair.device.want_class("C")
        await w.network.enqueue(pair.dev_eui, 5, b"x", False)
        assert await pair.wait(60) == []
        assert only(await pair.send())[1].payload == b"x"


async def test_many_downlinks_come_one_after_the_other_in_order(tmp_path):
    async with world(tmp_path) as w:
        pair = await class_c(w)
        for n in range(6):
            await w.network.enqueue(pair.dev_eui, 5, bytes([n]) * 40, False)
        heard = await pair.wait(60)
        assert [(one.window, one.outcome.payload[0]) for one in heard] == [("class_c", n) for n in range(6)]
        assert [sent.gateway_eui for sent in w.air.sent[-6:]] == [f"{1:016x}"] * 6


async def test_a_downlink_for_a_given_time_comes_on_the_air_at_that_time(tmp_path):
    async with world(tmp_path) as w:
        pair = await class_c(w)
        at_us = w.clocks.utc_us() + 300_000_000
        await w.network.enqueue(pair.dev_eui, 5, b"later", False, at_us=at_us)
        await w.network.enqueue(pair.dev_eui, 5, b"sooner", False)
        sooner, later = await pair.wait(310)
        assert (sooner.outcome.payload, later.outcome.payload) == (b"sooner", b"later")
        assert abs(later.at_us - at_us) <= 1000
        assert w.air.sent[-1].gps_time_ms is not None


async def test_a_timed_downlink_without_gps_is_as_punctual_as_the_network_allows(tmp_path):
    async with world(tmp_path) as w:
        pair = await class_c(w, around=towers(w, 1, has_gps=False))
        at_us = w.clocks.utc_us() + 300_000_000
        await w.network.enqueue(pair.dev_eui, 5, b"later", False, at_us=at_us)
        (later,) = await pair.wait(310)
        assert abs(later.at_us - at_us) <= 50_000


async def test_a_downlink_does_not_reach_into_the_windows_of_an_uplink(tmp_path):
    """What is queued right after an uplink is its answer, and nothing else goes until the windows are closed."""
    async with world(tmp_path) as w:
        pair = await class_c(w)
        for n in range(3):
            await w.network.enqueue(pair.dev_eui, 5, bytes([n]), False, at_us=w.clocks.utc_us() + 2_000_000)
        await pair.wait(0.9)
        heard = await pair.send(confirmed=True)
        heard += await pair.wait(10)
        assert [one.outcome.payload[0] for one in heard if one.outcome.payload] == [0, 1, 2]
        assert {one.window for one in heard} <= {"rx1", "rx2", "class_c"}


@pytest.mark.parametrize("version", CONFIRMING)
async def test_a_confirmed_downlink_is_acknowledged_by_the_uplink_that_the_device_sends_for_it(tmp_path, version):
    async with world(tmp_path) as w:
        pair = await class_c(w, version)
        await w.network.enqueue(pair.dev_eui, 5, b"go", True)
        assert only(await pair.wait(3))[1].confirmed
        await pair.send(b"", None)
        assert [event.data["state"] for event in await w.events("ack")] == ["acked"]
        await pair.wait(60)
        assert len(pair.life.heard[-1:]) == 1
        assert [got.payload for got in pair.received() if got.payload] == [b"go"]


async def test_a_confirmed_downlink_that_nobody_answers_goes_again_after_the_timeout_and_is_given_up(tmp_path):
    async with world(tmp_path) as w:
        deaf = Misbehaviour(misses_downlink_every=1)
        pair = await class_c(w, built={"misbehaviour": deaf}, network={"class_c_timeout_s": 20})
        await w.network.enqueue(pair.dev_eui, 5, b"hello?", True)
        heard = await pair.wait(100)
        assert [one.window for one in heard] == ["class_c"] * 3
        between_s = [(after.at_us - before.at_us) / 1e6 for before, after in pairwise(heard)]
        assert between_s == pytest.approx([21.5, 21.5], abs=0.2)  # one and a half of them on the air
        (nack,) = await w.events("nack")
        assert nack.data["reason"] == "not acknowledged in time: attempt 3 of 3"


async def test_what_an_answer_has_no_room_for_goes_after_the_windows(tmp_path):
    async with world(tmp_path) as w:
        pair = await class_c(w, network={"rx2_dr": 5})
        await w.network.enqueue(pair.dev_eui, 5, bytes(242), False, at_us=w.clocks.utc_us() + 1_500_000)
        await pair.wait(0.2)
        answer, later = await pair.send(asks=encode_command("LinkCheckReq", uplink=True)) + await pair.wait(60)
        assert (answer.window, answer.outcome.commands, answer.outcome.payload) == ("rx1", ("LinkCheckAns",), b"")
        assert (later.window, len(later.outcome.payload)) == ("class_c", 242)


async def test_the_next_gateway_is_asked_when_the_first_refuses(tmp_path):
    async with world(tmp_path) as w:
        pair = await class_c(w, around=towers(w, 1, 2))
        w.air.outcomes = [TxOutcome(False, "COLLISION_PACKET")]
        await w.network.enqueue(pair.dev_eui, 5, b"x", False)
        assert only(await pair.wait(3))[0] == "class_c"
        assert [sent.gateway_eui[-1] for sent in w.air.sent[-2:]] == ["1", "2"]


async def test_without_a_downlink_path_the_downlink_waits_and_few_counters_are_used_up(tmp_path):
    async with world(tmp_path) as w:
        pair = await class_c(w)
        w.air.deaf = {f"{1:016x}"}
        before = pair.session.fcnt_down
        await w.network.enqueue(pair.dev_eui, 5, b"patience", False)
        assert await pair.wait(60) == []
        assert pair.session.fcnt_down - before <= 10
        w.air.deaf = set()
        assert only(await pair.wait(60))[1].payload == b"patience"


async def test_a_queue_survives_a_restart_and_goes_as_soon_as_the_gateway_is_back(tmp_path):
    async with world(tmp_path) as w:
        pair = await class_c(w)
        w.air.deaf = {f"{1:016x}"}
        for n in range(3):
            await w.network.enqueue(pair.dev_eui, 5, bytes([n]), False)
        await pair.wait(3)
    async with world(tmp_path) as w:
        pair.move(w)
        heard = await pair.wait(60)
        assert [one.outcome.payload[0] for one in heard] == [0, 1, 2]


async def test_a_class_c_device_that_is_made_class_a_waits_for_its_uplinks(tmp_path):
    async with world(tmp_path) as w:
        pair = await class_c(w)
        await w.change(pair.device, network={"device_class": "A"})
        await w.network.enqueue(pair.dev_eui, 5, b"x", False)
        assert await pair.wait(60) == []
        assert only(await pair.send())[0] == "rx1"
