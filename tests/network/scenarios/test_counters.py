"""Frame counters: what a device may do with them, what it is refused for, and what is never done to it."""

import pytest

from lns.lorawan.fcnt import MAX_FCNT
from simulators.misbehaviour import Misbehaviour
from tests.network.pair import Pair, living, only
from tests.network.virtual_time import START_US
from tests.network.world import world


async def heard_again(pair: Pair, phy: bytes) -> None:
    """A frame from the air is played once more, by somebody or something."""
    pair.world.hear(phy)
    await pair.wait(5)


async def test_a_counter_that_did_not_increment_is_a_repetition_when_the_frame_is_the_same(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, activation="abp")
        await pair.send(b"once")
        pair.device.session.fcnt_up = 0
        await pair.send(b"once")
        assert [(u.fcnt_up, u.data) for u in await w.records("uplink")] == [(0, b"once")]
        assert w.why() == []


async def test_a_counter_that_did_not_increment_is_no_new_uplink_when_the_payload_is_another(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, activation="abp")
        await pair.send(b"first")
        pair.device.session.fcnt_up = 0
        await pair.send(b"second")
        assert [u.data for u in await w.records("uplink")] == [b"first"]


async def test_an_old_frame_played_again_is_refused_as_a_replay(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, activation="abp")
        await pair.send(b"open the door")
        old = pair.life.last.phy
        await pair.send(b"x")
        await heard_again(pair, old)
        text = "fcnt 0 is not above the last one 1: a replay, or the device reset its counter"
        assert w.why() == [("fcnt_not_above_last", text)]
        assert len(await w.records("uplink")) == 2


@pytest.mark.parametrize("version", ["1.0.3", "1.1"])
async def test_a_counter_reset_is_refused_with_the_reason_until_the_counter_is_above_the_last_again(tmp_path, version):
    async with world(tmp_path) as w:
        pair = await living(w, version, activation="abp", built={"misbehaviour": Misbehaviour(resets_counters_every=3)})
        for n in range(6):
            await pair.send(bytes([n]))
        assert [u.data[0] for u in await w.records("uplink")] == [0, 1, 2]
        assert {reason for reason, _ in w.why()} == {"fcnt_not_above_last"}


async def test_an_allowed_counter_reset_loses_nothing_and_never_reuses_a_downlink_counter(tmp_path):
    async with world(tmp_path) as w:
        resets = Misbehaviour(resets_counters_every=3)
        pair = await living(w, activation="abp", fcnt_reset_allowed=True, built={"misbehaviour": resets})
        for n in range(7):
            # the device has forgotten the downlink counter as well, and takes the one that goes on
            window, got = only(await pair.send(bytes([n]), confirmed=True))
            assert (window, got.ack, got.fcnt) == ("rx1", True, n)
        assert [(u.fcnt_up, u.data[0]) for u in await w.records("uplink")] == [(n % 3, n) for n in range(7)]
        assert len({u.id for u in await w.records("uplink")}) == 7


async def test_a_device_that_skips_counters_is_served_and_its_gaps_count_as_losses(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, activation="abp", built={"misbehaviour": Misbehaviour(skips_counters=4)})
        for _ in range(5):
            await pair.send()
        assert [u.fcnt_up for u in await w.records("uplink")] == [0, 5, 10, 15, 20]
        link = w.network.link(pair.dev_eui)
        assert (link["received"], link["lost"]) == (5, 16)


@pytest.mark.parametrize(("version", "heard"), [("1.0.3", False), ("1.0.4", True), ("1.1", True)])
async def test_a_device_out_of_reach_for_many_uplinks_comes_back_unless_its_version_limits_the_gap(
    tmp_path, version, heard
):
    async with world(tmp_path) as w:
        pair = await living(w, version, activation="abp")
        await pair.send(b"near")
        pair.device.session.fcnt_up = 20_000  # MAX_FCNT_GAP of 1.0.0 to 1.0.3 is 16384
        await pair.send(b"back")
        assert [u.data for u in await w.records("uplink")] == [b"near", b"back"][: 1 + heard]
        assert w.why() == ([] if heard else [("fcnt_gap", "fcnt 20000 is 20000 above the last one, at most 16384")])


@pytest.mark.parametrize(
    ("version", "counter"),
    [("1.0.2", "fcnt_down"), ("1.0.4", "fcnt_down"), ("1.1", "fcnt_down"), ("1.1", "afcnt_down")],
)
async def test_counters_roll_over_16_bits_in_both_directions(tmp_path, version, counter):
    async with world(tmp_path) as w:
        pair = await living(w, version, activation="abp")
        pair.session.fcnt_up, pair.device.session.fcnt_up = 0xFFFD, 0xFFFE
        setattr(pair.session, counter, 0xFFFE)
        setattr(pair.device.session, counter, 0xFFFD)
        for n in range(4):
            if counter == "afcnt_down":
                await w.network.enqueue(pair.dev_eui, 5, bytes([n]), False)
            assert only(await pair.send(bytes([n]), confirmed=True))[1].fcnt == 0xFFFE + n
        assert [u.fcnt_up for u in await w.records("uplink")] == [0xFFFE, 0xFFFF, 0x10000, 0x10001]


async def test_the_last_counters_are_used_and_no_more(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, activation="abp")
        pair.session.fcnt_up = pair.device.session.fcnt_up = MAX_FCNT - 1
        pair.device.session.fcnt_up += 1
        pair.session.fcnt_down, pair.device.session.fcnt_down = MAX_FCNT, MAX_FCNT - 1
        assert await pair.send(confirmed=True) == []
        assert [u.fcnt_up for u in await w.records("uplink")] == [MAX_FCNT]
        assert w.why()[0] == (
            "downlink_fcnt_exhausted",
            f"the downlink counter is used up at {MAX_FCNT}, the device must join again",
        )


async def test_an_invalid_mic_is_refused_and_names_the_devices_with_the_address(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, activation="abp")
        phy = pair.device.uplink(10, b"x")
        await heard_again(pair, phy[:-1] + bytes([phy[-1] ^ 1]))
        ((reason, text),) = w.why()
        assert reason == "mic_failed"
        address = pair.device.session.dev_addr
        assert text.endswith(f"fits none of 1 device(s) with dev_addr {address} ({pair.dev_eui})")
        assert await w.records("uplink") == []


@pytest.mark.parametrize("what", ["data rate", "frequency"])
async def test_a_1_1_frame_that_comes_back_on_another_frequency_or_data_rate_is_refused_as_such(tmp_path, what):
    async with world(tmp_path) as w:
        pair = await living(w, "1.1", activation="abp")
        w.hear(_signed_for(pair, what))  # on 868.1 MHz at DR5
        await pair.wait(5)
        ((reason, text),) = w.why()
        assert reason == "mic_other_transmission"
        assert "dr 5 on channel 0" in text
        assert await w.records("uplink") == []


def _signed_for(pair: Pair, what: str) -> bytes:
    """An uplink that was sent otherwise than it is heard."""
    device = pair.device
    device.uplink(10, b"x")
    channels = device.mac.plan.usable(5)
    if what == "frequency":
        return device.on_channel(channels[1])
    device.mac.data_rate = 4
    return device.on_channel(channels[0])


async def test_a_disabled_device_is_refused_when_it_sends_and_when_it_joins_and_served_when_it_is_enabled(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w)
        await w.change(pair.device, disabled=True)
        assert await pair.send(confirmed=True) == []
        assert await pair.join() == []
        text = f"device {pair.dev_eui} is disabled"
        assert w.why() == [("device_disabled", text)] * 9  # the confirmed uplink is sent eight times
        await w.change(pair.device, disabled=False)
        assert only(await pair.send(confirmed=True))[0] == "rx1"


async def test_the_two_downlink_counters_of_1_1_are_independent(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, "1.1")
        for n in range(3):
            await w.network.enqueue(pair.dev_eui, 5, bytes([n]), False)
        fcnts = [(only(await pair.send(confirmed=True))[1]) for _ in range(5)]
        assert [(got.fport, got.fcnt) for got in fcnts] == [(5, 0), (5, 1), (5, 2), (None, 0), (None, 1)]
        assert (pair.session.afcnt_down, pair.session.fcnt_down) == (3, 2)


async def test_time_in_these_tests_is_the_worlds(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, activation="abp")
        await pair.wait(86_400)
        await pair.send()
        (uplink,) = await w.records("uplink")
        assert START_US + 86_400_000_000 < uplink.rx[0].received_at_us < START_US + 86_402_000_000
