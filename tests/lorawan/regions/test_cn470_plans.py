"""The four plans of CN470 since RP002-1.0.1: what depends on the channel that a device joined on."""

import pytest

from lns.lorawan.regions.cn470_plans import CN470_20A, CN470_20B, CN470_26A, CN470_26B
from lns.lorawan.regions.region import Region
from tests.lorawan.regions.facts import FACTS

PLANS = pytest.mark.parametrize("region", [CN470_20A, CN470_20B, CN470_26A, CN470_26B], ids=lambda r: r.name)


def _rx2_by_join_index(region: Region) -> list[int]:
    rx2 = FACTS[region.name]["plan_rx2"]
    by_join = rx2.get("otaa_freq_hz_by_join_index")
    if by_join is None:
        return [rx2["freq_hz"]] * len(region.common_join_channels)
    return list(by_join.values()) if isinstance(by_join, dict) else by_join


@PLANS
def test_rx2_follows_the_join_channel(region: Region) -> None:
    assert [row.rx2_freq_hz for row in region.common_join_channels] == _rx2_by_join_index(region)
    for row in region.common_join_channels:
        assert region.join_rx2(row.freq_hz) == region.session_rx2(row.freq_hz) == (row.rx2_freq_hz, 1)


@PLANS
def test_rx1_of_a_join_is_the_one_of_its_join_channel(region: Region) -> None:
    for row in region.common_join_channels:
        assert region.join_rx1(row.freq_hz, 3) == (row.rx1_freq_hz, 3)


def test_rx1_of_a_join_and_of_data_differ_in_the_26_mhz_plans() -> None:
    assert CN470_26A.join_rx1(470_300_000, 5) == (492_500_000, 5)
    assert CN470_26A.rx1(470_300_000, 5, 0) == (490_100_000, 5)


@PLANS
def test_joins_are_allowed_on_the_common_join_channels_alone(region: Region) -> None:
    allowed = {channel.freq_hz for channel in region.uplink_channels if region.join_channel_allowed(channel.freq_hz)}
    assert allowed == {row.freq_hz for row in region.common_join_channels}
    assert {channel.freq_hz for channel in region.join_channels()} == allowed


def test_join_elsewhere_has_no_windows() -> None:
    for find in (lambda: CN470_20A.join_rx1(470_300_000, 5), lambda: CN470_20A.join_rx2(470_300_000)):
        with pytest.raises(ValueError) as caught:
            find()
        assert str(caught.value) == "CN470-20A has no join channel at 470300000 Hz"


def test_join_channels_of_a_sub_band_are_all_where_it_has_none() -> None:
    assert [channel.index for channel in CN470_20A.join_channels(3)] == [19]
    assert [channel.index for channel in CN470_20B.join_channels(2)] == [15]
    assert [channel.index for channel in CN470_20B.join_channels(1)] == [15, 47]


def test_class_b_of_the_26_mhz_plans_is_on_one_frequency() -> None:
    for region in (CN470_26A, CN470_26B):
        facts = FACTS[region.name]["plan_class_b"]
        assert region.beacon_freq_hz(1_400_000_000) == facts["beacon_freq_hz"]
        assert region.ping_slot_freq_hz("01020304", 1_400_000_000) == facts["ping_slot_freq_hz"]
        assert not region.class_b.hopping


def test_class_b_of_20_mhz_plan_a_hops_over_eight_channels_of_the_join_channel() -> None:
    facts = FACTS["CN470-20A"]["plan_class_b"]
    first = CN470_20A.common_join_channels[0].class_b
    assert first is not None
    assert first.beacon_freqs_hz == first.ping_slot_freqs_hz == tuple(facts["beacon_freq_hz_join0"])
    # join channel n: downlink channel 8n + (DevAddr + period) mod 8; here n = 2, 3 + 1 = 4, channel 20
    assert CN470_20A.ping_slot_freq_hz("00000003", 128, 474_100_000) == 483_900_000 + 20 * 200_000
    # a device that never joined is as one that did on the channel whose rx2 it has
    assert CN470_20A.ping_slot_freq_hz("00000003", 128) == 483_900_000 + 12 * 200_000


def test_class_b_of_20_mhz_plan_b_has_32_ping_slot_channels_in_the_half_of_the_join_channel() -> None:
    facts = FACTS["CN470-20B"]["plan_class_b"]
    rows = [row.class_b for row in CN470_20B.common_join_channels]
    assert [row.beacon_freqs_hz for row in rows if row] == [
        (freq_hz,) for freq_hz in facts["beacon_freq_hz_by_join_index"].values()
    ]
    assert {len(row.ping_slot_freqs_hz) for row in rows if row} == {facts["ping_slots"]}
    assert CN470_20B.ping_slot_freq_hz("0000001f", 0, 479_900_000) == 483_100_000
    assert CN470_20B.ping_slot_freq_hz("00000020", 0, 499_900_000) == 496_900_000
