"""Confirmed frames, both ways: the acknowledgement arrives, and means what it says."""

import pytest

from lns.mac.frames import TxOutcome
from simulators.misbehaviour import Misbehaviour
from tests.network.pair import living, only, towers
from tests.network.world import world

TOO_LATE = TxOutcome(False, "TOO_LATE")
VERSIONS = ("1.0.0", "1.0.3", "1.0.4", "1.1")


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_confirmed_uplink_is_acknowledged_in_rx1(tmp_path, version):
    async with world(tmp_path) as w:
        pair = await living(w, version)
        window, got = only(await pair.send(confirmed=True))
        assert (window, got.ack, got.fport, got.payload) == ("rx1", True, None, b"")
        assert len(await w.records("uplink")) == 1


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_confirmed_uplink_is_acknowledged_in_rx2_when_the_gateway_refuses_rx1(tmp_path, version):
    async with world(tmp_path) as w:
        pair = await living(w, version)
        w.air.outcomes = [TOO_LATE]
        window, got = only(await pair.send(confirmed=True))
        assert (window, got.ack) == ("rx2", True)


async def test_the_second_gateway_is_asked_for_rx1_before_the_first_for_rx2(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, around=towers(w, 1, 2))
        w.air.outcomes = [TOO_LATE]
        assert only(await pair.send(confirmed=True))[0] == "rx1"
        assert [sent.gateway_eui[-1] for sent in w.air.sent[-2:]] == ["1", "2"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_repetition_of_a_confirmed_uplink_is_acknowledged_again_under_a_new_counter(tmp_path, version):
    """In 1.1 the acknowledgement is signed with the counter of the uplink that it is for (ConfFCnt)."""
    lost = iter([False, True, False, False])  # the uplink is heard, its acknowledgement is lost, both then come through
    async with world(tmp_path) as w:
        pair = await living(w, version, activation="abp", lost=lambda: next(lost))
        pair.device.mac.nb_trans = 2  # 1.0.4 and 1.1 repeat confirmed uplinks as often as others
        first, second = await pair.send(b"once", confirmed=True)
        assert (first.outcome.value, second.window, second.outcome.ack, second.outcome.fcnt) == ("lost", "rx1", True, 1)
        assert [u.data for u in await w.records("uplink")] == [b"once"]


async def test_an_old_confirmed_uplink_is_not_acknowledged_any_more(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, activation="abp")
        await pair.send(confirmed=True)
        old = pair.life.last.phy
        await pair.send()
        w.hear(old)
        assert await pair.wait(5) == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_confirmed_downlink_is_acknowledged_by_the_next_uplink(tmp_path, version):
    async with world(tmp_path) as w:
        pair = await living(w, version)
        item = await w.network.enqueue(pair.dev_eui, 20, b"go", True)
        window, got = only(await pair.send())
        assert (window, got.confirmed, got.payload) == ("rx1", True, b"go")
        assert [waiting.state for waiting in w.network.downlinks(pair.dev_eui)] == ["sent"]
        await pair.send()
        (ack,) = await w.events("ack")
        assert (ack.data["id"], ack.data["state"], ack.data["attempts"]) == (item.id, "acked", 1)
        assert w.network.downlinks(pair.dev_eui) == []


async def test_a_confirmed_downlink_that_is_not_heard_goes_again_and_is_given_up_after_three_attempts(tmp_path):
    async with world(tmp_path) as w:
        deaf = Misbehaviour(misses_downlink_every=1)
        pair = await living(w, activation="abp", built={"misbehaviour": deaf})
        await w.network.enqueue(pair.dev_eui, 20, b"go", True)
        for _ in range(5):
            await pair.send()
        assert [heard.window for heard in pair.life.heard] == ["rx1"] * 3
        (nack,) = await w.events("nack")
        assert nack.data["reason"] == "the next uplink did not acknowledge it: attempt 3 of 3"
        assert nack.data["fcnt_down"] == 2
        assert w.network.downlinks(pair.dev_eui) == []


async def test_confirmed_downlinks_do_not_overtake_each_other_under_loss(tmp_path):
    every_second = Misbehaviour(misses_downlink_every=2)
    async with world(tmp_path) as w:
        pair = await living(w, activation="abp", built={"misbehaviour": every_second})
        for n in range(4):
            await w.network.enqueue(pair.dev_eui, 20, bytes([n]), True)
        for _ in range(10):
            await pair.send()
        assert [got.payload[0] for got in pair.received() if got.payload] == [0, 1, 2, 3]
        assert [event.data["state"] for event in await w.events("ack")] == ["acked"] * 4
