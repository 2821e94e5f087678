"""What fits into a downlink, what has to wait, and what can never go: nothing disappears without a record."""

import pytest

from lns.lorawan.commands import encode_command
from lns.lorawan.modulation import Lora
from lns.mac.settings import RegionSettings
from lns.network import DownlinkRefused
from tests.network.pair import living, only
from tests.network.world import world

PLAIN = {"EU868": RegionSettings(), "AS923-1": RegionSettings()}
SLOW_RX2_ROOM = 51  # octets of payload at DR0 to DR2 of EU868


async def test_fpending_tells_the_device_of_the_second_item(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w)
        for payload in (b"first", b"second"):
            await w.network.enqueue(pair.dev_eui, 10, payload, False)
        got = [only(await pair.send())[1] for _ in range(2)]
        assert [(one.payload, one.fpending) for one in got] == [(b"first", True), (b"second", False)]
        assert await pair.send() == []


async def test_a_higher_priority_goes_first(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w)
        await w.network.enqueue(pair.dev_eui, 10, b"later", False)
        await w.network.enqueue(pair.dev_eui, 10, b"sooner", False, priority=5)
        assert [only(await pair.send())[1].payload for _ in range(2)] == [b"sooner", b"later"]


async def test_a_payload_that_no_data_rate_carries_is_refused_at_once_with_the_limit(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w)
        with pytest.raises(DownlinkRefused, match="payload is 243 octets, at most 242 fit in EU868"):
            await w.network.enqueue(pair.dev_eui, 10, bytes(243), False)


async def test_a_payload_over_the_limit_of_the_data_rate_is_dropped_with_a_record(tmp_path):
    async with world(tmp_path, regions=PLAIN) as w:
        pair = await living(w, dr=0)
        long = await w.network.enqueue(pair.dev_eui, 10, bytes(SLOW_RX2_ROOM + 1), False)
        await w.network.enqueue(pair.dev_eui, 10, b"short", False)
        assert only(await pair.send())[1].payload == b"short"
        (event,) = await w.events("downlink")
        assert (event.data["id"], event.data["state"]) == (long.id, "failed")
        assert event.data["reason"] == "payload is 52 octets, 51 fit at dr 0"


async def test_an_item_bigger_than_the_room_left_by_mac_commands_goes_with_the_next_uplink(tmp_path):
    async with world(tmp_path, regions=PLAIN) as w:
        pair = await living(w, dr=0)
        await w.network.enqueue(pair.dev_eui, 10, bytes(SLOW_RX2_ROOM), False)
        first = only(await pair.send(asks=encode_command("LinkCheckReq", uplink=True)))[1]
        assert (first.commands, first.payload, first.fpending) == (("LinkCheckAns",), b"", True)
        second = only(await pair.send())[1]
        assert (len(second.payload), second.fpending) == (SLOW_RX2_ROOM, False)


async def test_requests_of_the_network_wait_where_an_item_leaves_no_room(tmp_path):
    async with world(tmp_path, regions=PLAIN) as w:
        pair = await living(w, activation="abp", dr=0, network={"rx1_delay_s": 3, "max_duty_cycle": 3})
        await w.network.enqueue(pair.dev_eui, 10, bytes(SLOW_RX2_ROOM), False)
        first = only(await pair.send())[1]
        assert (first.commands, len(first.payload)) == ((), SLOW_RX2_ROOM)
        second = only(await pair.send())[1]
        assert set(second.commands) == {"RXTimingSetupReq", "DutyCycleReq"}


async def test_rx2_carries_what_rx1_does_not(tmp_path):
    """AS923 under dwell time: RX1 at DR2 takes 11 octets, RX2 at DR5 what it wants."""
    settings = {"AS923-1": RegionSettings(rx2_dr=5)}
    async with world(tmp_path, regions=settings) as w:
        pair = await living(w, region_name="AS923-1", dr=2)
        await w.network.enqueue(pair.dev_eui, 10, bytes(100), False)
        window, got = only(await pair.send())
        assert (window, len(got.payload)) == ("rx2", 100)
        assert w.air.sent[-1].modulation == Lora(7, 125_000)
        await w.network.enqueue(pair.dev_eui, 10, bytes(11), False)
        assert only(await pair.send())[0] == "rx1"


async def test_more_than_fifteen_octets_of_commands_go_alone_on_fport_0(tmp_path):
    many = {"rx1_delay_s": 3, "rx2_dr": 3, "max_duty_cycle": 3, "dev_status_uplinks": 1}
    extra = {"EU868": RegionSettings(extra_channels_hz=(867_100_000, 867_300_000))}
    async with world(tmp_path, regions=extra) as w:
        pair = await living(w, activation="abp", network=many)
        pair.device.adr = True
        window, got = only(await pair.send(confirmed=True))
        assert (window, got.fport, got.ack) == ("rx1", 0, True)
        assert len(got.commands) >= 5
        await w.network.enqueue(pair.dev_eui, 10, b"then", False)
        for _ in range(3):
            await pair.send()
        assert [got.payload for got in pair.received() if got.fport] == [b"then"]


async def test_an_empty_uplink_and_one_on_fport_0_are_served(tmp_path):
    async with world(tmp_path, regions=PLAIN) as w:
        pair = await living(w)
        assert await pair.send(b"", None) == []
        got = only(await pair.send(b"", 0, asks=encode_command("LinkCheckReq", uplink=True)))[1]
        assert got.commands == ("LinkCheckAns",)
        assert [(u.fport, u.data) for u in await w.records("uplink")] == [(None, b""), (0, b"")]


async def test_a_1_0_4_uplink_that_is_too_long_for_its_data_rate_is_refused_with_the_limit(tmp_path):
    async with world(tmp_path, regions=PLAIN) as w:
        old, new = await living(w, "1.0.3", number=1, dr=0), await living(w, "1.0.4", number=2, dr=0)
        for pair in (old, new):
            await pair.send(bytes(60))
        assert [u.dev_eui for u in await w.records("uplink")] == [old.dev_eui]
        assert w.why() == [("payload_too_long", "macpayload is 68 octets, at most 59 fit at dr 0")]


async def test_link_check_and_device_time_are_exact(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w)
        asks = encode_command("LinkCheckReq", uplink=True) + encode_command("DeviceTimeReq", uplink=True)
        only(await pair.send(asks=asks))
        assert pair.device.mac.link_check == (14, 1)  # 7 dB above the floor of -7.5 dB
        assert abs(pair.life.clock.gps_s(pair.life.gps_s) - pair.life.gps_s) < 0.005
