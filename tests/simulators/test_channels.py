"""Channel plans of a device."""

import pytest

from lns.lorawan.regions import region
from simulators.channels import ChannelPlan


def test_cflist_with_frequencies_adds_channels():
    plan = ChannelPlan(region("EU868"))
    cflist = region("EU868").cflist(extra_channels_hz=(867_100_000, 867_300_000))
    assert cflist is not None
    plan.use_cflist(cflist)
    assert [channel.freq_hz for channel in plan.usable(5)] == [
        868_100_000, 868_300_000, 868_500_000, 867_100_000, 867_300_000,
    ]  # fmt: skip


def test_cflist_with_masks_chooses_a_sub_band():
    plan = ChannelPlan(region("US915"))
    cflist = region("US915").cflist(sub_band=2)
    assert cflist is not None
    plan.use_cflist(cflist)
    assert [channel.index for channel in plan.usable(0)] == list(range(8, 16))
    assert [channel.index for channel in plan.usable(4)] == [65]


def test_a_cflist_of_the_other_type_changes_nothing():
    us, eu = ChannelPlan(region("US915")), ChannelPlan(region("EU868"))
    us.use_cflist(bytes(16))
    eu.use_cflist(bytes(15) + b"\x01")
    assert (us.mask, eu.mask) == ((1 << 72) - 1, 0b111)


def test_frequency_zero_removes_a_channel_and_its_moved_rx1():
    plan = ChannelPlan(region("EU868"))
    plan.set_channel(3, 867_100_000, 0, 5)
    assert plan.defined == 0b1111
    plan.rx1_freq_hz[3] = 868_100_000
    plan.set_channel(3, 0, 0, 5)
    assert (len(plan.usable(5)), plan.rx1_freq_hz, plan.defined) == (3, {}, 0b111)


def test_frequencies_in_a_cflist_of_the_2_4_ghz_band_have_steps_of_200_hz():
    plan = ChannelPlan(region("ISM2400"))
    plan.use_cflist(region("ISM2400").cflist(extra_channels_hz=(2_450_000_000,)))
    assert plan.channels[3].freq_hz == 2_450_000_000


@pytest.mark.parametrize(
    ("name", "sub_band", "on", "joins"),
    [
        ("EU868", 2, 3, 3),
        ("US915", 2, 9, 9),
        ("US915", 0, 72, 72),
        ("CN470", 12, 8, 8),
        ("CN470-20A", 0, 64, 8),  # joins on common channels only
        ("CN470-26B", 0, 48, 5),
    ],
)
def test_a_sub_band_is_what_the_factory_switched_on(name, sub_band, on, joins):
    plan = ChannelPlan(region(name), sub_band)
    assert (plan.mask.bit_count(), len(plan.join_channels())) == (on, joins)


def test_defaults_are_switched_on_beside_the_others():
    plan = ChannelPlan(region("EU868"))
    plan.set_channel(5, 867_100_000, 0, 5)
    plan.mask = 1 << 5
    plan.switch_defaults_on()
    assert plan.mask == 0b100111


def test_a_reset_plan_is_as_it_left_the_factory():
    plan = ChannelPlan(region("EU868"))
    plan.set_channel(5, 867_100_000, 0, 5)
    plan.rx1_freq_hz[0] = 867_100_000
    plan.reset()
    assert (plan.defined, plan.mask, plan.rx1_freq_hz) == (0b111, 0b111, {})
