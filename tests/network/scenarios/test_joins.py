"""Joining: nonces used again, what the join-accept tells, which window and gateway it takes."""

import pytest

from lns.mac.frames import TxOutcome
from lns.mac.settings import RegionSettings
from simulators.misbehaviour import Misbehaviour
from tests.network.agreement import agree
from tests.network.pair import Pair, living, only, towers
from tests.network.world import world

EXTRA_HZ = (867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)
ALL_VERSIONS = ("1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.1")


@pytest.mark.parametrize("version", ["1.0.0", "1.0.2", "1.0.3"])
async def test_a_reused_random_nonce_is_refused_and_a_lower_new_one_is_not(tmp_path, version):
    async with world(tmp_path) as w:
        pair = await living(w, version)
        await pair.join(500)
        assert await pair.join(500) == []
        ((reason, text),) = w.why()
        assert (reason, text) == (
            "dev_nonce_reused",
            "dev_nonce 500 was used before (last one 500): a replay, or poor random numbers",
        )
        assert [heard.joined for heard in await pair.join(3)] == [True]


@pytest.mark.parametrize("version", ["1.0.4", "1.1"])
async def test_a_nonce_that_does_not_count_up_is_refused_with_the_last_one(tmp_path, version):
    async with world(tmp_path) as w:
        pair = await living(w, version)
        await pair.join(500)
        for nonce in (500, 499, 0):
            assert await pair.join(nonce) == []
        assert [heard.joined for heard in await pair.join(501)] == [True]
        assert [reason for reason, _ in w.why()] == ["dev_nonce_not_increasing"] * 3
        assert w.why()[1][1] == f"dev_nonce 499 is not above the last one 500, as lorawan {version} asks"


async def test_a_device_that_repeats_its_nonce_for_ever_keeps_the_session_it_has(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, built={"misbehaviour": Misbehaviour(repeats_dev_nonce=True)})
        for _ in range(3):
            assert await pair.join() == []
        assert only(await pair.send(confirmed=True))[1].ack


@pytest.mark.parametrize("version", ALL_VERSIONS)
async def test_a_cflist_of_channels_is_used_at_once(tmp_path, version):
    async with world(tmp_path, regions={"EU868": RegionSettings(extra_channels_hz=EXTRA_HZ)}) as w:
        pair = await living(w, version)
        for _ in range(8):
            assert only(await pair.send(confirmed=True))[0] == "rx1"
        assert len({u.freq_hz for u in await w.records("uplink")}) == 8
        agree(pair)


@pytest.mark.parametrize("version", ALL_VERSIONS)
async def test_a_cflist_of_masks_confines_a_us915_device_or_a_command_does_where_it_is_too_old(tmp_path, version):
    async with world(tmp_path, regions={"US915": RegionSettings(sub_band=2)}) as w:
        pair = await living(w, version, region_name="US915", dr=2)
        if version >= "1.0.3":
            assert pair.device.mac.plan.mask == 0xFF00 | 1 << 65
        for _ in range(4):
            await pair.send(confirmed=True)
        assert pair.device.mac.plan.mask == 0xFF00 | 1 << 65
        agree(pair)


async def test_a_join_is_answered_in_rx2_when_the_gateway_refuses_rx1(tmp_path):
    async with world(tmp_path) as w:
        pair = Pair(w, await w.device())
        w.air.outcomes = [TxOutcome(False, "COLLISION_PACKET")]
        assert [(heard.window, heard.joined) for heard in await pair.join()] == [("rx2", True)]


async def test_a_join_heard_by_a_gateway_that_cannot_send_is_answered_by_another(tmp_path):
    async with world(tmp_path) as w:
        pair = Pair(w, await w.device(), towers(w, 1, 2))
        w.air.deaf = {f"{1:016x}"}
        assert [heard.joined for heard in await pair.join()] == [True]
        assert [sent.gateway_eui[-1] for sent in w.air.sent] == ["2"]


async def test_a_join_only_a_gateway_without_a_downlink_path_hears_says_so(tmp_path):
    async with world(tmp_path) as w:
        pair = Pair(w, await w.device())
        w.air.deaf = {f"{1:016x}"}
        assert await pair.join() == []
        assert w.why() == [("downlink_no_gateway", f"{1:016x}: it has not sent PULL_DATA")]
        w.air.deaf = set()
        assert [heard.joined for heard in await pair.join()] == [True]


async def test_a_join_of_an_unknown_device_is_refused_with_the_command_that_adds_it(tmp_path):
    async with world(tmp_path) as w:
        pair = Pair(w, await w.device(2))
        await w.delete(pair.device)
        assert await pair.join() == []
        ((reason, text),) = w.why()
        assert reason == "unknown_dev_eui"
        assert text.endswith(f"add it with: lns device add {pair.dev_eui}")


async def test_a_join_with_the_wrong_key_is_refused(tmp_path):
    async with world(tmp_path) as w:
        pair = Pair(w, await w.device(app_key="00" * 16))
        assert await pair.join() == []
        ((reason, text),) = w.why()
        assert reason == "join_mic_failed"
        assert text.endswith("does not fit the registered app_key")


async def test_a_lost_join_accept_costs_nothing_but_the_next_try(tmp_path):
    lost = iter([False, True, False, False, False, False])
    async with world(tmp_path) as w:
        pair = Pair(w, await w.device(), lost=lambda: next(lost))
        assert [heard.joined for heard in await pair.join()] == [False]
        assert [heard.joined for heard in await pair.join()] == [True]
        await pair.send(b"here")
        assert [u.data for u in await w.records("uplink")] == [b"here"]
        assert w.network.devices.sessions.count == 1


async def test_a_join_in_the_other_windows_of_the_region_is_met_too(tmp_path):
    settings = RegionSettings(rx1_delay_s=4, rx1_dr_offset=1, rx2_dr=3)
    async with world(tmp_path, regions={"EU868": settings}) as w:
        pair = await living(w)
        mac = pair.device.mac
        assert (mac.rx1_delay_s, mac.rx1_dr_offset, mac.rx2_dr) == (4, 1, 3)
        assert only(await pair.send(confirmed=True))[0] == "rx1"
        w.air.outcomes = [TxOutcome(False, "TOO_LATE")]
        assert only(await pair.send(confirmed=True))[0] == "rx2"
        agree(pair)
