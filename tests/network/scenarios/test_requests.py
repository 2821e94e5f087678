"""What the network asks of a device's radio: taken, refused, lost on the way, and agreed upon afterwards."""

import pytest

from lns.lorawan.modulation import Lora
from lns.mac.settings import RegionSettings
from simulators.misbehaviour import Misbehaviour
from tests.network.agreement import agree
from tests.network.pair import Pair, living, only
from tests.network.world import world

PLAIN = {"EU868": RegionSettings(), "US915": RegionSettings(), "AS923-1": RegionSettings()}
EXTRA_HZ = (867_100_000, 867_300_000, 867_500_000)
VERSIONS = ("1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.1")
REFUSAL = {"link_adr": "LinkADRReq", "new_channel": "NewChannelReq", "rx_param": "RXParamSetupReq"}


async def commands(pair: Pair, uplinks: int) -> list[str]:
    """The names of all commands that came after so many uplinks."""
    before = len(pair.received())
    for _ in range(uplinks):
        await pair.send()
    return [name for got in pair.received()[before:] for name in got.commands]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_new_rx_delay_holds_for_the_uplink_that_accepts_it(tmp_path, version):
    async with world(tmp_path, regions=PLAIN) as w:
        pair = await living(w, version, activation="abp", network={"rx1_delay_s": 5})
        assert "RXTimingSetupReq" in only(await pair.send(confirmed=True))[1].commands
        assert pair.device.window_s(join=False) == 5
        window, got = only(await pair.send(confirmed=True))
        assert (window, got.ack, pair.session.rx1_delay_s) == ("rx1", True, 5)
        assert "RXTimingSetupReq" not in await commands(pair, 3)
        agree(pair)


@pytest.mark.parametrize("version", VERSIONS)
async def test_new_receive_windows_are_used_by_both_sides_from_the_answer_on(tmp_path, version):
    async with world(tmp_path, regions=PLAIN) as w:
        windows = {"rx1_dr_offset": 2, "rx2_dr": 3, "rx2_freq_hz": 868_300_000}
        pair = await living(w, version, activation="abp", network=windows)
        await pair.send(confirmed=True)
        only(await pair.send(confirmed=True))
        assert w.air.sent[-1].modulation == Lora(9, 125_000)  # DR5 less 2
        mac = pair.device.mac
        assert (mac.rx1_dr_offset, mac.rx2_dr, mac.rx2_freq_hz) == (2, 3, 868_300_000)
        agree(pair)


@pytest.mark.parametrize("version", VERSIONS)
async def test_adr_is_acknowledged_and_the_device_sends_as_it_was_told(tmp_path, version):
    async with world(tmp_path, regions=PLAIN) as w:
        pair = await living(w, version, dr=0)
        pair.device.adr = True
        for _ in range(25):
            await pair.send()
        link = w.network.link(pair.dev_eui)
        assert pair.device.mac.data_rate > 0
        assert (link["dr"], link["tx_power"]) == (pair.device.mac.data_rate, pair.device.mac.tx_power)
        agree(pair)


async def test_adr_that_a_device_refuses_is_told_and_not_asked_for_ever(tmp_path):
    async with world(tmp_path, regions=PLAIN) as w:
        refuses = Misbehaviour(refuses=frozenset({"LinkADRReq"}))
        pair = await living(w, dr=0, built={"misbehaviour": refuses})
        pair.device.adr = True
        asked = (await commands(pair, 100)).count("LinkADRReq")
        assert 2 <= asked <= 12
        refused = await w.events("mac_refused")
        assert {event.data["command"] for event in refused} == {"LinkADRReq"}
        assert (await commands(pair, 40)).count("LinkADRReq") <= 1
        assert pair.device.mac.data_rate == 0
        agree(pair)


async def test_a_device_without_the_adr_bit_keeps_its_data_rate(tmp_path):
    async with world(tmp_path, regions=PLAIN) as w:
        pair = await living(w, dr=0)
        assert "LinkADRReq" not in await commands(pair, 30)


async def test_an_adr_ack_req_is_answered_by_any_downlink_so_that_the_device_stays_as_it_is(tmp_path):
    async with world(tmp_path, regions=PLAIN) as w:
        pair = await living(w, network={"adr": {"algorithm": "off"}})
        pair.device.adr = True
        for _ in range(64):
            assert await pair.send() == []
        window, got = only(await pair.send())
        assert (window, got.ack, got.fport, got.commands) == ("rx1", False, None, ())
        assert (pair.device.mac.data_rate, pair.device.mac.adr_ack_cnt) == (5, 0)


async def test_a_device_that_was_not_answered_backs_off_and_is_told_its_data_rate_again(tmp_path):
    silent = False
    async with world(tmp_path, regions=PLAIN) as w:
        static = {"adr": {"algorithm": "static", "static_dr": 5, "static_tx_power": 2}}
        pair = await living(w, network=static, lost=lambda: silent)
        pair.device.adr = True
        await commands(pair, 3)
        assert (pair.device.mac.data_rate, pair.device.mac.tx_power) == (5, 2)
        silent = True
        await commands(pair, 64 + 2 * 32 + 2)
        assert (pair.device.mac.data_rate, pair.device.mac.tx_power) == (4, 0)
        silent = False
        await commands(pair, 4)
        assert (pair.device.mac.data_rate, pair.device.mac.tx_power) == (5, 2)
        agree(pair)


@pytest.mark.parametrize("version", VERSIONS)
async def test_eu868_channels_are_added_to_an_abp_device_and_then_used(tmp_path, version):
    async with world(tmp_path, regions={"EU868": RegionSettings(extra_channels_hz=EXTRA_HZ)}) as w:
        pair = await living(w, version, activation="abp")
        pair.device.adr = True
        for _ in range(6):
            await pair.send(confirmed=True)
        plan = pair.device.mac.plan
        assert {channel.freq_hz for channel in plan.channels.values()} >= set(EXTRA_HZ)
        assert plan.mask == 0b111111
        for _ in range(12):
            await pair.send()
        assert {u.freq_hz for u in await w.records("uplink")} >= set(EXTRA_HZ)
        assert [heard.window for heard in pair.life.heard] == ["rx1"] * len(pair.life.heard)
        agree(pair)


async def test_a_refused_channel_is_not_believed_in(tmp_path):
    async with world(tmp_path, regions={"EU868": RegionSettings(extra_channels_hz=EXTRA_HZ)}) as w:
        refuses = Misbehaviour(refuses=frozenset({"NewChannelReq"}))
        pair = await living(w, activation="abp", built={"misbehaviour": refuses})
        pair.device.adr = True
        for _ in range(20):
            await pair.send(confirmed=True)
        assert len(pair.device.mac.plan.channels) == 3
        assert {event.data["command"] for event in await w.events("mac_refused")} == {"NewChannelReq"}
        agree(pair)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_us915_device_is_confined_to_the_sub_band_of_the_gateways(tmp_path, version):
    async with world(tmp_path, regions={"US915": RegionSettings(sub_band=2)}) as w:
        pair = await living(w, version, activation="abp", region_name="US915", dr=2)
        pair.device.adr = True
        for _ in range(8):
            await pair.send(confirmed=True)
        assert pair.device.mac.plan.mask == 0xFF00 | 1 << 65
        for _ in range(10):
            await pair.send()
            assert 8 <= pair.life.last.channel.index < 16
        agree(pair)


@pytest.mark.parametrize("version", ["1.0.2", "1.0.4", "1.1"])
async def test_the_dwell_time_of_as923_is_lifted_and_the_slow_data_rates_become_usable(tmp_path, version):
    settings = RegionSettings(uplink_dwell_400ms=False, downlink_dwell_400ms=False)
    async with world(tmp_path, regions={"AS923-1": settings}) as w:
        pair = await living(w, version, region_name="AS923-1", dr=2)
        assert "TXParamSetupReq" in await commands(pair, 2)
        assert pair.device.mac.may_use(0)
        only(await pair.send(confirmed=True))
        agree(pair)


async def test_a_device_of_1_0_0_is_never_asked_what_came_later(tmp_path):
    settings = RegionSettings(uplink_dwell_400ms=False, downlink_dwell_400ms=False)
    async with world(tmp_path, regions={"AS923-1": settings}) as w:
        pair = await living(w, "1.0.0", region_name="AS923-1", dr=2)
        assert await commands(pair, 4) == []


async def test_the_battery_is_asked_for_after_so_many_uplinks(tmp_path):
    async with world(tmp_path, regions=PLAIN) as w:
        pair = await living(w, network={"dev_status_uplinks": 5})
        assert (await commands(pair, 19)).count("DevStatusReq") == 3
        assert [event.data for event in await w.events("status")] == [{"battery": 200, "margin_db": 8}] * 3
        assert w.network.link(pair.dev_eui)["battery"] == {"source": "battery", "percent": 79}


async def test_the_battery_is_asked_for_once_a_day(tmp_path):
    async with world(tmp_path, regions=PLAIN) as w:
        pair = await living(w)
        for _ in range(12):
            await pair.send()
            await pair.wait(6 * 3600)
        assert len(await w.events("status")) == 2


@pytest.mark.parametrize("version", ["1.0.1", "1.0.3", "1.0.4", "1.1"])
async def test_a_lost_answer_is_asked_for_again_until_both_sides_agree(tmp_path, version):
    loses = Misbehaviour(loses_answer_every=3)
    windows = {"rx1_delay_s": 3, "rx2_dr": 2, "max_duty_cycle": 4, "dev_status_uplinks": 3}
    async with world(tmp_path, regions={"EU868": RegionSettings(extra_channels_hz=EXTRA_HZ)}) as w:
        pair = await living(w, version, activation="abp", network=windows, built={"misbehaviour": loses})
        pair.device.adr = True
        for _ in range(70):
            await pair.send(confirmed=True)
        assert pair.device.mac.rx1_delay_s == 3
        assert pair.device.mac.max_duty_cycle == 4
        agree(pair)


async def test_a_duty_cycle_is_asked_of_the_device(tmp_path):
    async with world(tmp_path, regions=PLAIN) as w:
        pair = await living(w, network={"max_duty_cycle": 7})
        assert await commands(pair, 3) == ["DutyCycleReq"]
        assert pair.device.mac.max_duty_cycle == 7
        agree(pair)


async def test_a_setting_that_a_person_changes_reaches_the_device_with_its_next_uplinks(tmp_path):
    async with world(tmp_path, regions=PLAIN) as w:
        pair = await living(w)
        await commands(pair, 5)
        await w.change(pair.device, network={"rx1_delay_s": 4})
        assert "RXTimingSetupReq" in await commands(pair, 1)
        assert only(await pair.send(confirmed=True))[0] == "rx1"
        assert pair.device.mac.rx1_delay_s == 4
        agree(pair)
