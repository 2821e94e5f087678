"""Gateways as transmitters: too late, used up, busy, restarted; the frame goes another way or somebody is told."""

import asyncio

import msgspec
import pytest

from lns.mac.frames import TxOutcome
from lns.mac.settings import RegionSettings
from tests.network.pair import Pair, living, only, towers
from tests.network.world import CONFIG, world

GATEWAY = f"{1:016x}"
ONE_BAND = {"EU868": RegionSettings(rx2_freq_hz=868_500_000, rx2_dr=0)}
WRAP_S = 4294.967296


async def test_a_downlink_that_comes_too_late_is_told_with_the_milliseconds_and_the_gateway(tmp_path):
    slow = msgspec.structs.replace(CONFIG, dedup_window_ms=1980)
    async with world(tmp_path, slow) as w:
        pair = await living(w, activation="abp")
        assert await pair.send(confirmed=True) == []
        rx1, rx2 = w.why()[:2]
        assert rx1[0] == rx2[0] == "downlink_late"
        assert rx1[1].startswith(f"rx1 on {GATEWAY}: 1040 ms too late: it opens in -980 ms")
        assert rx2[1].startswith(f"rx2 on {GATEWAY}: 40 ms too late: it opens in 20 ms")


async def test_a_distant_gateway_gets_its_frames_earlier(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, activation="abp")
        w.air.round_trips[GATEWAY] = 0.6
        at: list[float] = []
        w.air.on_send = lambda _: at.append(w.clocks.monotonic())
        ended = pair.life
        assert only(await pair.send(confirmed=True))[0] == "rx1"
        window_opened = (ended.heard[-1].at_us - w.clocks.utc_us()) / 1e6 + w.clocks.monotonic()
        assert window_opened - at[0] > 0.6


async def test_a_gateway_too_far_for_rx1_is_used_for_rx2_or_a_nearer_one_for_rx1(tmp_path):
    async with world(tmp_path) as w:
        far = await living(w, activation="abp", number=1)
        w.air.round_trips[GATEWAY] = 1.5
        assert only(await far.send(confirmed=True))[0] == "rx2"
        both = await living(w, activation="abp", number=2, around=towers(w, 1, 2))
        assert only(await both.send(confirmed=True))[0] == "rx1"
        assert w.air.sent[-1].gateway_eui[-1] == "2"


async def test_a_used_up_duty_cycle_holds_downlinks_back_but_not_joins_and_acknowledgements(tmp_path):
    async with world(tmp_path, regions=ONE_BAND) as w:
        pair = await living(w, activation="abp", dr=0)
        came = 1
        while came:
            await w.network.enqueue(pair.dev_eui, 5, bytes(40), False)
            came = len(await pair.send())
        assert [reason for reason, _ in w.why()] == ["downlink_no_airtime"] * 2
        assert "ms of this hour are left in 868 to 868.6 MHz" in w.why()[0][1]
        assert len(w.network.downlinks(pair.dev_eui)) == 1
        await w.network.flush_downlinks(pair.dev_eui)
        assert only(await pair.send(confirmed=True))[1].ack
        other = Pair(w, await w.device(2, dr=0))
        assert [heard.joined for heard in await other.join()] == [True]
        await pair.wait(3660)
        await w.network.enqueue(pair.dev_eui, 5, b"again", False)
        assert only(await pair.send())[1].payload == b"again"


async def test_a_laboratory_may_switch_the_duty_cycle_off(tmp_path):
    settings = {"EU868": msgspec.structs.replace(ONE_BAND["EU868"], duty_cycle=False)}
    async with world(tmp_path, regions=settings) as w:
        pair = await living(w, activation="abp", dr=0)
        for _ in range(40):
            await w.network.enqueue(pair.dev_eui, 5, bytes(40), False)
            assert len(await pair.send()) == 1


async def test_two_downlinks_at_once_do_not_collide_on_one_gateway(tmp_path):
    async with world(tmp_path) as w:
        pairs = [await living(w, "1.0.4", activation="abp", number=n, dr=3) for n in range(1, 4)]
        came = await asyncio.gather(*[pair.send(confirmed=True) for pair in pairs])
        windows = sorted(only(heard)[0] for heard in came if heard)
        assert windows == ["rx1", "rx2"]
        assert {reason for reason, _ in w.why()} == {"downlink_busy"}


async def test_two_downlinks_at_once_are_shared_by_two_gateways(tmp_path):
    async with world(tmp_path) as w:
        around = towers(w, 1, 2)
        pairs = [await living(w, "1.0.4", activation="abp", number=n, dr=3, around=around) for n in (1, 2)]
        came = await asyncio.gather(*[pair.send(confirmed=True) for pair in pairs])
        assert [only(heard)[0] for heard in came] == ["rx1", "rx1"]
        assert {sent.gateway_eui[-1] for sent in w.air.sent} == {"1", "2"}


async def test_the_gateways_counter_wraps_between_the_uplink_and_its_answer(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, activation="abp")
        tower = w.air.towers[GATEWAY]
        await pair.wait(WRAP_S - tower.tmst_us(w.clocks.utc_us()) / 1e6 - 0.3)
        window, got = only(await pair.send(confirmed=True))
        assert (window, got.ack) == ("rx1", True)
        assert w.air.sent[-1].tmst_us < 2_000_000


async def test_a_gateway_that_restarts_under_an_open_window_refuses_and_the_next_uplink_is_answered(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, "1.0.4", activation="abp")
        tower = w.air.towers[GATEWAY]
        await pair.wait(1000)
        w.air.on_send = lambda _: tower.restart(w.clocks.utc_us())
        assert await pair.send(confirmed=True) == []
        assert w.why()[-1] == ("downlink_refused", f"{GATEWAY} refused rx2: TOO_EARLY")
        w.air.on_send = lambda _: None
        assert only(await pair.send(confirmed=True))[0] == "rx1"


async def test_a_gateway_that_refuses_often_gives_way_to_one_that_hears_a_bit_worse(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, activation="abp", around=towers(w, 1, 2))
        w.air.outcomes = [TxOutcome(False, "TX_POWER")]
        await pair.send(confirmed=True)
        await pair.send(confirmed=True)
        assert w.air.sent[-1].gateway_eui[-1] == "2"


@pytest.mark.parametrize("outcome", [None])
async def test_a_missing_tx_ack_is_no_refusal(tmp_path, outcome):
    async with world(tmp_path) as w:
        pair = await living(w, activation="abp")
        await w.network.enqueue(pair.dev_eui, 5, b"once", False)
        w.air.outcomes = [outcome]
        await pair.send()
        assert w.network.downlinks(pair.dev_eui) == []
        (event,) = await w.events("txack")
        assert event.data["outcome"] == "unknown"
