import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan.regions import REGIONS, region
from lns.lorawan.regions.region import Channel
from lns.mac.radio import Asked, Radio

EU868, US915 = region("EU868"), region("US915")


@pytest.mark.parametrize("name", REGIONS)
def test_new_radio_has_what_a_join_without_cflist_gives(name: str) -> None:
    found = region(name)
    radio = Radio(found)
    assert (radio.dr, radio.tx_power, radio.nb_trans, radio.device_class) == (None, 0, 1, "A")
    assert radio.mask == found.channel_mask()
    assert (radio.uplink_dwell, radio.max_eirp_dbm) == (found.uplink_dwell_400ms, found.max_eirp_dbm)


def test_cflist_of_a_dynamic_plan_follows_the_default_channels() -> None:
    radio = Radio(EU868)
    cflist = EU868.cflist((867_100_000, 867_300_000))
    assert cflist is not None
    radio.use_cflist(EU868, cflist)
    assert radio.channels[4] == Channel(4, 867_300_000, 0, 5)
    assert radio.mask == 0b11111


def test_cflist_of_a_fixed_plan_is_a_mask() -> None:
    radio = Radio(US915)
    cflist = US915.cflist(sub_band=2)
    assert cflist is not None
    radio.use_cflist(US915, cflist)
    assert (radio.mask, radio.channels) == (0xFF00 | 1 << 65, {})


def test_cflist_of_the_other_kind_is_ignored() -> None:
    radio, eu868, us915 = Radio(US915), EU868.cflist((867_100_000,)), US915.cflist(sub_band=1)
    assert eu868 is not None
    assert us915 is not None
    radio.use_cflist(US915, eu868)
    assert radio.dump() == Radio(US915).dump()
    other = Radio(EU868)
    other.use_cflist(EU868, us915)
    assert other.dump() == Radio(EU868).dump()


def test_removed_channel_is_off_and_its_rx1_forgotten() -> None:
    radio = Radio(EU868)
    radio.set_channel(EU868, 3, 867_100_000)
    radio.dl_freq_hz = {3: 869_525_000}
    radio.set_channel(EU868, 3, 0)
    assert radio.dump() == Radio(EU868).dump()


def test_channels_of_one_radio_are_not_those_of_another() -> None:
    first = Radio(EU868)
    kept = first.channels
    first.set_channel(EU868, 3, 867_100_000)
    assert (sorted(kept), sorted(Radio(EU868).channels)) == ([0, 1, 2], [0, 1, 2])


def test_second_refusal_of_a_value_is_the_last() -> None:
    radio = Radio(EU868)
    assert [(radio.note_refusal("duty_cycle", "0407"), radio.refuses("duty_cycle", "0407")) for _ in range(2)] == [
        (1, False),
        (2, True),
    ]
    assert not radio.refuses("duty_cycle", "0406")


def test_radio_as_json_is_what_differs_from_every_regions_defaults() -> None:
    radio = Radio(US915)
    radio.tx_power = 3
    radio.asked = {"link_adr": Asked(b"\x03\x20", 4, 1, 7)}
    assert radio.dump() == (
        b'{"tx_power":3,"mask":"ffffffffffffffffff","max_eirp_dbm":30.0,"ping_slot_dr":8,'
        b'"asked":{"link_adr":{"octets":"AyA=","fcnt_down":4,"times":1,"fcnt_up":7}}}'
    )


@given(
    st.builds(
        dict, dr=st.none() | st.integers(0, 15), tx_power=st.integers(0, 15), battery=st.none() | st.integers(0, 255)
    ),
    st.dictionaries(st.integers(3, 15), st.integers(8_630_000, 8_700_000), max_size=5),
    st.sampled_from(["A", "B", "C"]),
)
def test_loaded_radio_is_the_dumped_one(values: dict, extra: dict[int, int], device_class: str) -> None:
    radio = Radio(EU868)
    for name, value in values.items():
        setattr(radio, name, value)
    for index, hundreds_hz in extra.items():
        radio.set_channel(EU868, index, hundreds_hz * 100)
    radio.device_class = device_class
    loaded = Radio.load(EU868, radio.dump())
    assert {name: getattr(loaded, name) for name in Radio.__slots__} == {
        name: getattr(radio, name) for name in Radio.__slots__
    }


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"{}", "Object missing required field `mask`"),
        (
            b'{"mask":"0","max_eirp_dbm":30.0,"ping_slot_dr":8}',
            "channel mask 0 is empty or has channels beyond ffffffffffffffffff",
        ),
        (
            b'{"mask":"1ffffffffffffffffff","max_eirp_dbm":30.0,"ping_slot_dr":8}',
            "channel mask 1ffffffffffffffffff is empty or has channels beyond ffffffffffffffffff",
        ),
        (
            b'{"mask":"1","max_eirp_dbm":30.0,"ping_slot_dr":8,"device_class":"D"}',
            "Invalid enum value 'D' - at `$.device_class`",
        ),
    ],
)
def test_what_is_no_radio_is_refused(octets: bytes, text: str) -> None:
    with pytest.raises(ValueError) as caught:
        Radio.load(US915, octets)
    assert str(caught.value) == text


def test_requests_under_way_outlive_a_counter_that_starts_anew() -> None:
    radio = Radio(EU868)
    radio.asked, radio.answered, radio.status_fcnt_up = {"duty_cycle": Asked(b"\x04\x07", 4, 2, 900)}, {"x": 9}, 800
    radio.restart_counts()
    assert radio.asked == {"duty_cycle": Asked(b"\x04\x07", 4, 2, -1)}
    assert (radio.answered, radio.status_fcnt_up) == ({}, 0)
