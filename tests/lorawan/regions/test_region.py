from collections.abc import Callable

import pytest

from lns.lorawan.modulation import Fsk, Lora, LrFhss, Modulation
from lns.lorawan.regions.eu868 import EU868
from lns.lorawan.regions.region import Region
from lns.lorawan.regions.us915 import US915
from tests.lorawan import vectors


@pytest.mark.parametrize("region", [EU868, US915], ids=lambda r: r.name)
def test_data_rate_and_modulation_of_uplinks_match(region: Region) -> None:
    for rate in region.uplink_rates:
        assert region.uplink_dr(rate.modulation) == rate.dr
        assert region.uplink_modulation(rate.dr) == rate.modulation


@pytest.mark.parametrize(
    ("region", "modulation", "dr"),
    [
        (EU868, Lora(7, 500_000), None),
        (EU868, Lora(7, 125_000, "4/6"), None),
        (EU868, Fsk(50_000), 7),
        (EU868, LrFhss(137_000, "1/3", 8), 8),  # a gateway reports the hopping grid too
        (US915, Lora(12, 125_000), None),
        (US915, Lora(8, 500_000), 4),
        (US915, Lora(7, 500_000), None),  # exists for downlinks only
    ],
)
def test_data_rate_of_an_uplink_is_found_by_its_modulation(
    region: Region, modulation: Modulation, dr: int | None
) -> None:
    assert region.uplink_dr(modulation) == dr


def test_data_rates_of_the_two_directions_are_kept_apart() -> None:
    assert US915.uplink_modulation(0) == Lora(10, 125_000)
    assert US915.downlink_modulation(8) == Lora(12, 500_000)
    with pytest.raises(KeyError):
        US915.downlink_modulation(0)
    with pytest.raises(KeyError):
        EU868.uplink_modulation(12)


@pytest.mark.parametrize(
    ("region", "dr", "downlink", "octets"),
    [
        (EU868, 0, False, 59),
        (EU868, 5, True, 250),
        (EU868, 8, False, 58),
        (EU868, 8, True, None),  # LR-FHSS is uplink only
        (US915, 0, False, 19),
        (US915, 0, True, None),
        (US915, 8, True, 61),
    ],
)
def test_max_macpayload(region: Region, dr: int, downlink: bool, octets: int | None) -> None:
    assert region.max_macpayload(dr, downlink=downlink) == octets


def test_frame_too_long_for_its_data_rate_is_above_max_macpayload() -> None:
    (vector,) = vectors.of("negative", expect="payload_too_long_for_dr")
    macpayload_octets = len(vector["phy_payload"]) // 2 - 5
    limit = EU868.max_macpayload(vector["data_rate"])
    assert limit is not None
    assert macpayload_octets == limit + 1


@pytest.mark.parametrize(
    ("region", "freq_hz", "allowed"),
    [
        (EU868, 868_100_000, True),
        (EU868, 867_900_000, True),  # a channel that the network may have added
        (EU868, 868_650_000, False),  # between two bands
        (EU868, 902_300_000, False),
        (US915, 902_300_000, True),
        (US915, 903_000_000, True),
        (US915, 902_400_000, False),  # between two channels
    ],
)
def test_uplink_channels(region: Region, freq_hz: int, allowed: bool) -> None:
    assert region.uplink_channel_allowed(freq_hz) == allowed


@pytest.mark.parametrize(
    ("region", "freq_hz", "dr", "offset", "window"),
    [
        (EU868, 867_500_000, 5, 0, (867_500_000, 5)),
        (EU868, 868_100_000, 5, 3, (868_100_000, 2)),
        (EU868, 868_100_000, 8, 0, (868_100_000, 1)),
        (US915, 902_300_000, 0, 0, (923_300_000, 10)),  # channel 0
        (US915, 904_100_000, 3, 3, (923_900_000, 10)),  # channel 9
        (US915, 904_600_000, 4, 0, (923_900_000, 13)),  # channel 65
        (US915, 914_900_000, 0, 2, (927_500_000, 8)),  # channel 63
    ],
)
def test_rx1_follows_the_uplink(region: Region, freq_hz: int, dr: int, offset: int, window: tuple[int, int]) -> None:
    assert region.rx1(freq_hz, dr, offset) == window


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: EU868.rx1(868_100_000, 12, 0), "EU868 has no rx1 for uplink dr 12 with rx1_dr_offset 0"),
        (lambda: EU868.rx1(868_100_000, 5, 6), "EU868 has no rx1 for uplink dr 5 with rx1_dr_offset 6"),
        (lambda: US915.rx1(902_400_000, 0, 0), "US915 has no uplink channel at 902400000 Hz"),
        (lambda: EU868.downlink_eirp_dbm(868_650_000), "EU868 has no band at 868650000 Hz"),
        (lambda: EU868.cflist([867_100_000] * 6), "6 extra channels are given, at most 5 fit"),
        (
            lambda: EU868.cflist([867_100_050]),
            "extra channel 867100050 Hz is not a multiple of 100 Hz in a band of EU868",
        ),
        (
            lambda: EU868.cflist([902_300_000]),
            "extra channel 902300000 Hz is not a multiple of 100 Hz in a band of EU868",
        ),
        (lambda: US915.cflist(sub_band=9), "sub-band is 9, 1 to 8 exist"),
        (lambda: US915.join_channels(-1), "sub-band is -1, 1 to 8 exist"),
    ],
)
def test_what_the_region_does_not_have_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("region", "freq_hz", "eirp_dbm"),
    [(EU868, 868_100_000, 16.0), (EU868, 869_525_000, 27.0), (US915, 923_300_000, 27.0)],
)
def test_downlink_power_is_the_bands(region: Region, freq_hz: int, eirp_dbm: float) -> None:
    assert region.downlink_eirp_dbm(freq_hz) == eirp_dbm


def test_cflist_of_a_dynamic_plan_lists_the_extra_channels() -> None:
    (vector,) = vectors.of("join_accept", description="1.0 join-accept, CFList type 0")
    cflist = vector["cflist"]
    assert EU868.cflist(cflist["frequencies_hz"]) == bytes.fromhex(cflist["raw"])
    assert EU868.cflist([867_100_000]) == bytes.fromhex("184f84" + 13 * "00")
    assert EU868.cflist() is None


def test_cflist_of_a_fixed_plan_is_the_mask_of_a_sub_band() -> None:
    (vector,) = vectors.of("join_accept", description="1.0 join-accept, CFList type 1 (channel mask)")
    assert US915.cflist(sub_band=2) == bytes.fromhex(vector["cflist"]["raw"])
    assert US915.cflist(sub_band=8) == bytes.fromhex("00000000000000ff8000000000000001")
    assert US915.cflist(sub_band=0) is None


def test_join_channels_of_a_dynamic_plan_are_the_default_ones() -> None:
    assert EU868.join_channels() == EU868.join_channels(2) == EU868.uplink_channels


def test_join_channels_of_a_fixed_plan_are_those_of_the_sub_band() -> None:
    assert [channel.index for channel in US915.join_channels(2)] == [8, 9, 10, 11, 12, 13, 14, 15, 65]
    assert US915.join_channels(0) == US915.uplink_channels
