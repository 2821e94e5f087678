import pytest

from lns.lorawan.regions import region
from lns.lorawan.regions.region import Channel
from lns.mac import dialogue
from lns.mac.settings import RegionSettings
from tests.mac.talk import Talk

EXTRA_HZ = (867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000, 867_050_000)
NETWORK = RegionSettings(extra_channels_hz=EXTRA_HZ)


def new_channel(index: int, freq_hz: int) -> str:
    return f"07{index:02x}{(freq_hz // 100).to_bytes(3, 'little').hex()}50"


def test_join_gives_five_extra_channels_and_commands_the_others() -> None:
    talk = Talk(network=NETWORK, cflist=region("EU868").cflist(EXTRA_HZ[:5]))
    assert talk.exchange() == [new_channel(8, 867_050_000)]
    assert (talk.exchange("0703"), talk.radio.mask) == ([], 0x1FF)


def test_abp_device_is_asked_two_at_a_time_and_only_while_it_sets_the_adr_bit() -> None:
    talk = Talk(abp=True, network=NETWORK)
    assert talk.exchange() == []
    assert talk.exchange(adr=True) == [new_channel(3, 867_100_000) + new_channel(4, 867_300_000)]
    assert talk.exchange("07030703", adr=True) == [new_channel(5, 867_500_000) + new_channel(6, 867_700_000)]
    assert talk.exchange("07030703") == []


def test_abp_device_is_not_asked_for_what_its_factory_gave_it() -> None:
    network = RegionSettings(extra_channels_hz=EXTRA_HZ[:5])
    talk = Talk(abp=True, network=network, factory_channels_hz=(868_100_000, *EXTRA_HZ[:4]))
    assert talk.exchange(adr=True) == [new_channel(7, 867_900_000)]
    assert talk.radio.channels[6] == Channel(6, 867_700_000, 0, 5)


def test_factory_channels_of_a_fixed_plan_are_those_that_are_on() -> None:
    factory_hz = tuple(902_300_000 + 200_000 * n for n in range(8, 16))
    talk = Talk(region_name="US915", abp=True, network=RegionSettings(sub_band=2), factory_channels_hz=factory_hz)
    assert talk.exchange(dr=2) == ["0320020041"]  # the 500 kHz channel alone is missing
    assert Talk(region_name="US915", abp=True, factory_channels_hz=factory_hz).exchange(dr=2) != []


def test_one_refused_channel_does_not_hold_up_the_others() -> None:
    talk = Talk(network=RegionSettings(extra_channels_hz=EXTRA_HZ[:2]))
    assert talk.exchange() == [new_channel(3, 867_100_000) + new_channel(4, 867_300_000)]
    assert talk.exchange("07020703") == [new_channel(3, 867_100_000)]
    assert (talk.exchange("0702"), sorted(talk.radio.channels)) == ([], [0, 1, 2, 4])


def test_answers_that_are_missing_are_asked_for_again() -> None:
    talk = Talk(network=RegionSettings(extra_channels_hz=EXTRA_HZ[:2]))
    talk.exchange()
    assert talk.exchange("0703") == [new_channel(4, 867_300_000)]


def test_channel_that_the_network_gave_up_makes_room_for_a_new_one() -> None:
    talk = Talk(network=RegionSettings(extra_channels_hz=EXTRA_HZ[:1]), cflist=region("EU868").cflist((867_900_000,)))
    assert talk.exchange() == [new_channel(3, 867_100_000)]


def test_a_plan_has_no_more_than_sixteen_channels() -> None:
    extra_hz = tuple(863_100_000 + 200_000 * n for n in range(20))
    talk = Talk(network=RegionSettings(extra_channels_hz=extra_hz))
    talk.up()
    while talk.down():
        talk.up("07030703")
    assert sorted(talk.radio.channels) == list(range(16))


def test_fixed_plan_is_asked_for_no_channels() -> None:
    assert Talk(region_name="US915", network=NETWORK).exchange(dr=2) == []


def test_new_channel_undoes_a_moved_rx1() -> None:
    talk = Talk()
    dialogue.ask(talk.session, "DlChannelReq", ch_index=1, frequency_hz=869_525_000)
    talk.exchange()
    talk.up("0a03")
    talk.radio.set_channel(region("EU868"), 1, 868_300_000)
    assert talk.radio.dl_freq_hz == {}


@pytest.mark.parametrize("adr", [False, True])
def test_frequencies_at_2_4_ghz_count_steps_of_200_hz(adr: bool) -> None:
    network = RegionSettings(extra_channels_hz=(2_422_000_000,))
    talk = Talk(region_name="ISM2400", network=network)
    (request,) = talk.exchange(adr=adr, dr=0)
    assert request == f"0703{(2_422_000_000 // 200).to_bytes(3, 'little').hex()}70"
    talk.up("0703", dr=0)
    assert talk.radio.channels[3] == Channel(3, 2_422_000_000, 0, 7)


def test_people_may_ask_for_a_status_and_for_another_rx1_channel() -> None:
    talk = Talk()
    dialogue.ask(talk.session, "DevStatusReq")
    dialogue.ask(talk.session, "DlChannelReq", ch_index=1, frequency_hz=869_525_000)
    assert talk.exchange() == ["0a01d2ad84", "06"]
    taken = talk.up("0a0306fe00")
    assert (taken.changed, taken.wants, talk.radio.dl_freq_hz) == (True, True, {1: 869_525_000})
    assert talk.exchange() == []


def test_rx1_moved_back_to_the_uplink_channel_is_nothing_to_remember() -> None:
    talk = Talk()
    for freq_hz in (869_525_000, 868_300_000):
        dialogue.ask(talk.session, "DlChannelReq", ch_index=1, frequency_hz=freq_hz)
        talk.exchange()
        talk.up("0a03")
    assert talk.radio.dl_freq_hz == {}


def test_refused_dl_channel_changes_nothing_and_ends_the_wish() -> None:
    talk = Talk()
    dialogue.ask(talk.session, "DlChannelReq", ch_index=1, frequency_hz=869_525_000)
    talk.exchange()
    assert [name for name, _ in talk.up("0a02").events] == ["mac_refused"]
    talk.up()
    assert (talk.due(), talk.radio.dl_freq_hz) == ([], {})


@pytest.mark.parametrize("version", ["1.0.3", "1.0.4"])
def test_mask_that_replaced_the_factory_channels_is_asked_once(version: str) -> None:
    factory_hz = tuple(902_300_000 + 200_000 * n for n in range(8, 16))
    network = RegionSettings(sub_band=2)
    talk = Talk(version, "US915", abp=True, network=network, factory_channels_hz=factory_hz)
    assert talk.exchange(dr=2) != []
    assert (talk.exchange("0307", dr=2), talk.radio.mask) == ([], 0xFF00 | 1 << 65)


def test_factory_channels_beyond_the_plan_are_not_believed() -> None:
    factory_hz = tuple(863_100_000 + 200_000 * n for n in range(20))
    talk = Talk(abp=True, factory_channels_hz=factory_hz, max_duty_cycle=1)
    talk.exchange(adr=True)
    assert sorted(talk.radio.channels) == list(range(16))
