from collections.abc import Callable
from typing import Any

import pytest

from lns.lorawan.modulation import Fsk, Lora, LrFhss, Modulation
from lns.lorawan.regions import REGIONS
from lns.lorawan.regions import region as region_named
from lns.lorawan.regions.as923 import AS923_1
from lns.lorawan.regions.au915 import AU915
from lns.lorawan.regions.cn470 import CN470
from lns.lorawan.regions.cn470_plans import CN470_20A, CN470_26A
from lns.lorawan.regions.cn779 import CN779
from lns.lorawan.regions.eu868 import EU868
from lns.lorawan.regions.in865 import IN865
from lns.lorawan.regions.ism2400 import ISM2400
from lns.lorawan.regions.kr920 import KR920
from lns.lorawan.regions.region import DataRate, Region
from lns.lorawan.regions.us915 import US915
from tests.lorawan import vectors


@pytest.mark.parametrize("region", REGIONS.values(), ids=REGIONS)
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
        (US915, LrFhss(1_523_000, "2/3", 52), 6),
        (AU915, LrFhss(1_523_000, "1/3", 52), 7),
        (AU915, LrFhss(1_523_000, "2/3", 52), None),
        (CN470, Lora(12, 125_000), 0),
        (CN470_20A, Lora(12, 125_000), None),  # DR0 may carry nothing
        (ISM2400, Lora(5, 812_500, "4/8LI"), 7),
        (IN865, Lora(7, 250_000), None),
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
        (CN470, 489_300_000, True),
        (CN470, 489_500_000, False),
        (CN470_26A, 480_300_000, False),
        (CN470_20A, 509_700_000, True),
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
        (US915, 903_000_000, 5, 1, (923_300_000, 9)),  # LR-FHSS on channel 64
        (AU915, 927_100_000, 7, 0, (927_500_000, 9)),  # LR-FHSS on channel 71
        (AS923_1, 923_200_000, 2, 7, (923_200_000, 4)),  # offset 7 is faster than the uplink
        (IN865, 865_062_500, 5, 6, (865_062_500, 5)),
        (CN470, 480_100_000, 3, 1, (500_500_000, 2)),  # channel 49 answers on 49 - 48
        (CN470_20A, 509_700_000, 5, 5, (496_500_000, 1)),  # channel 63
        (CN470_26A, 475_300_000, 1, 0, (490_300_000, 1)),  # channel 25 answers on 25 - 24
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
        (lambda: CN470.cflist(sub_band=13), "sub-band is 13, 1 to 12 exist"),
        (lambda: CN470_26A.cflist(sub_band=7), "sub-band is 7, 1 to 6 exist"),
        (lambda: US915.join_rx1(902_400_000, 0), "US915 has no uplink channel at 902400000 Hz"),
        (
            lambda: ISM2400.cflist([2_425_000_100]),
            "extra channel 2425000100 Hz is not a multiple of 200 Hz in a band of ISM2400",
        ),
        (lambda: EU868.device_eirp_dbm(8), "tx power is 8, 0 to 7 are defined in EU868"),
        (lambda: EU868.device_eirp_dbm(-1), "tx power is -1, 0 to 7 are defined in EU868"),
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


@pytest.mark.parametrize(
    ("region", "sub_band", "octets"),
    [
        (AU915, 1, "ff00000000000000" + "0100000000000001"),  # five masks, the fifth for the 500 kHz channels
        (CN470, 12, "00000000000000000000" + "00ff00000001"),  # six masks
        (CN470_20A, 8, "00000000000000ff" + "0000000000000001"),  # four
        (CN470_26A, 6, "0000000000ff" + "00000000000000000001"),  # three
    ],
    ids=lambda value: value.name if isinstance(value, Region) else str(value),
)
def test_cflist_has_as_many_masks_as_the_plan_has_channels(region: Region, sub_band: int, octets: str) -> None:
    assert region.cflist(sub_band=sub_band) == bytes.fromhex(octets)


def test_cflist_at_2_4_ghz_counts_in_steps_of_200_hz() -> None:
    assert ISM2400.cflist([2_422_000_000]) == (12_110_000).to_bytes(3, "little") + bytes(13)


def test_join_channels_of_a_dynamic_plan_are_the_default_ones() -> None:
    assert EU868.join_channels() == EU868.join_channels(2) == EU868.uplink_channels


def test_join_channels_of_a_fixed_plan_are_those_of_the_sub_band() -> None:
    assert [channel.index for channel in US915.join_channels(2)] == [8, 9, 10, 11, 12, 13, 14, 15, 65]
    assert US915.join_channels(0) == US915.uplink_channels


def test_sub_band_of_a_dynamic_plan_is_its_default_channels() -> None:
    assert EU868.channel_mask() == EU868.channel_mask(3) == 0b111


def test_join_only_frequencies_of_older_revisions_are_allowed() -> None:
    assert EU868.join_channel_allowed(864_100_000)
    assert CN779.join_channel_allowed(780_500_000)
    assert not EU868.join_channel_allowed(867_100_000)
    assert US915.join_channel_allowed(903_000_000)


@pytest.mark.parametrize(
    ("region", "freq_hz", "dr", "rx1", "rx2"),
    [
        (EU868, 868_300_000, 5, (868_300_000, 5), (869_525_000, 0)),
        (US915, 904_600_000, 4, (923_900_000, 13), (923_300_000, 8)),
        # the device starts with a dwell time limit: no answer below DR2
        (AS923_1, 923_400_000, 1, (923_400_000, 2), (923_200_000, 2)),
    ],
    ids=lambda value: value.name if isinstance(value, Region) else str(value),
)
def test_windows_of_a_join(region: Region, freq_hz: int, dr: int, rx1: tuple[int, int], rx2: tuple[int, int]) -> None:
    assert (region.join_rx1(freq_hz, dr), region.join_rx2(freq_hz), region.session_rx2(freq_hz)) == (rx1, rx2, rx2)


def test_rx1_keeps_within_a_downlink_dwell_time_limit() -> None:
    assert AS923_1.rx1(923_200_000, 3, 3) == (923_200_000, 0)
    assert AS923_1.rx1(923_200_000, 3, 3, dwell=True) == (923_200_000, 2)
    assert EU868.rx1(868_100_000, 3, 3, dwell=True) == (868_100_000, 0)


def test_max_macpayload_under_a_dwell_time_limit() -> None:
    assert [AU915.max_macpayload(dr, dwell=True) for dr in range(4)] == [None, None, 19, 61]
    assert AU915.max_macpayload(8, downlink=True, dwell=True) == 61


def test_data_rate_has_the_same_room_with_dwell_time_where_no_other_is_given() -> None:
    assert DataRate(0, Lora(12, 125_000), 59).max_macpayload_dwell == 59
    assert DataRate(0, Lora(12, 125_000), 59, None).max_macpayload_dwell is None


@pytest.mark.parametrize(
    ("region", "freq_hz", "dr", "index"),
    [
        (US915, 902_300_000, 3, 0),
        (US915, 903_000_000, 4, 64),
        (US915, 914_200_000, 6, 71),
        (US915, 902_300_000, 4, None),  # a 125 kHz channel
        (US915, 902_400_000, 0, None),
        (EU868, 868_500_000, 0, 2),
        (EU868, 867_100_000, 0, None),  # given by the network, which knows its index
        (CN470_20A, 503_500_000, 1, 32),
    ],
    ids=lambda value: value.name if isinstance(value, Region) else str(value),
)
def test_channel_index_of_an_uplink(region: Region, freq_hz: int, dr: int, index: int | None) -> None:
    assert region.uplink_channel_index(freq_hz, dr) == index


def test_channels_allowing_a_data_rate() -> None:
    assert US915.channels_allowing(3) == (1 << 64) - 1
    assert US915.channels_allowing(4) == 0xFF << 64
    assert (EU868.channels_allowing(5), EU868.channels_allowing(7), EU868.channels_allowing(12)) == (0b111, 0, 0)


def test_device_power_falls_by_2_db_a_step() -> None:
    assert (EU868.device_eirp_dbm(0), EU868.device_eirp_dbm(7), EU868.device_eirp_dbm(1, 14.0)) == (16.0, 2.0, 12.0)
    assert (US915.device_eirp_dbm(14), KR920.device_eirp_dbm(0)) == (2.0, 14.0)


_CLASS_B_NAMES = {"CN470(96ch)": "CN470"}


@pytest.mark.parametrize("vector", vectors.of("ping_slot_channel"), ids=vectors.name)
def test_beacons_and_ping_slots_hop(vector: dict[str, Any]) -> None:
    region = region_named(_CLASS_B_NAMES.get(vector["region"], vector["region"]))
    time_s = vector["beacon_time_gps"]
    assert region.ping_slot_freq_hz(vector["dev_addr"], time_s) == vector["freq_hz"]
    assert region.beacon_freq_hz(time_s) == vector["beacon_freq_hz"]
    assert region.class_b.hopping


def test_beacons_and_ping_slots_of_most_regions_stay() -> None:
    for beacon_time_s in (0, 128, 1_400_000_000):
        assert EU868.ping_slot_freq_hz("01020304", beacon_time_s) == EU868.beacon_freq_hz(beacon_time_s) == 869_525_000
    assert not EU868.class_b.hopping
