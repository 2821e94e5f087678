"""Channel plans of a device, against the LinkADRReq vectors."""

import pytest

from lns.lorawan.commands import parse_commands
from lns.lorawan.regions import region
from simulators.channels import KEEP, ChannelPlan
from tests.lorawan import vectors

LINK_ADR = [v for v in vectors.of("link_adr_device") if v["region"] in ("EU868", "US915")]


def masks(mask: int) -> list[int]:
    return [mask >> 16 * n & 0xFFFF for n in range(6)]


@pytest.mark.parametrize("vector", LINK_ADR, ids=vectors.name)
def test_link_adr_block(vector):
    plan = ChannelPlan(region(vector["region"]))
    block, problem = parse_commands(bytes.fromhex(vector["commands"]), uplink=False)
    assert problem is None
    judged = plan.link_adr(block, data_rate=0, tx_power=0)
    bits = {name: getattr(judged, name) for name in ("channel_mask_ack", "data_rate_ack", "power_ack")}
    assert (bits, judged.accepted) == (vector["status"], vector["applied"])
    assert masks(judged.mask if judged.accepted else plan.mask) == vector["resulting_masks"]


def test_control_4_switches_the_500_khz_channels_alone():
    plan = ChannelPlan(region("US915"))
    block, _ = parse_commands(bytes.fromhex("0325020041"), uplink=False)
    judged = plan.link_adr(block, data_rate=3, tx_power=0)
    assert (masks(judged.mask), judged.accepted) == ([0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0x02, 0], True)


def test_keep_leaves_data_rate_and_power():
    plan = ChannelPlan(region("EU868"))
    block, _ = parse_commands(bytes.fromhex("03ff070001"), uplink=False)
    assert block[0].fields["data_rate"] == KEEP
    judged = plan.link_adr(block, data_rate=3, tx_power=5)
    assert (judged.data_rate, judged.tx_power, judged.nb_trans) == (3, 5, 1)


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


@pytest.mark.parametrize(
    ("request_fields", "answer", "channels"),
    [
        ((3, 867_100_000, 0, 5), (True, True), 4),
        ((2, 867_100_000, 0, 5), (False, False), 3),  # a default channel cannot change
        ((3, 900_000_000, 0, 5), (False, True), 3),
        ((3, 867_100_000, 5, 0), (True, False), 3),
        ((3, 867_100_000, 0, 15), (True, False), 3),
        ((16, 867_100_000, 0, 5), (False, False), 3),
    ],
)
def test_new_channel(request_fields, answer, channels):
    plan = ChannelPlan(region("EU868"))
    assert plan.new_channel(*request_fields) == answer
    assert len(plan.usable(5)) == channels


def test_frequency_zero_removes_a_channel_and_its_moved_rx1():
    plan = ChannelPlan(region("EU868"))
    plan.new_channel(3, 867_100_000, 0, 5)
    plan.rx1_freq_hz[3] = 868_100_000
    assert plan.new_channel(3, 0, 0, 5) == (True, True)
    assert len(plan.usable(5)) == 3
    assert plan.rx1_freq_hz == {}
