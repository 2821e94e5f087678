"""Blocks of LinkADRReq: answers by version, what is kept, refused and lost. The steps of ADR: tests/mac/adr."""

import pytest

from lns.lorawan.regions import region
from lns.mac import dialogue
from lns.mac.settings import AdrSettings, RegionSettings
from tests.mac.talk import NO_ADR, Talk

SUB_BAND_2 = 0xFF00 | 1 << 65
ALL_US915 = (1 << 72) - 1


def static(dr: int | None = None, tx_power: int | None = None, nb_trans: int | None = None) -> AdrSettings:
    return AdrSettings(algorithm="static", static_dr=dr, static_tx_power=tx_power, static_nb_trans=nb_trans)


def state(talk: Talk) -> tuple[int | None, int, int, int]:
    radio = talk.radio
    return radio.dr, radio.tx_power, radio.nb_trans, radio.mask


@pytest.mark.parametrize(
    ("version", "answers", "mask"),
    [
        ("1.0.0", "03070307", SUB_BAND_2),
        ("1.0.1", "0307", ALL_US915 & ~(0xFFFF << 64) | 2 << 64),  # each by itself: only the first is answered
        ("1.0.1", "03070306", ALL_US915 & ~(0xFFFF << 64) | 2 << 64),
        ("1.0.2", "03070307", SUB_BAND_2),
        ("1.0.4", "03070307", SUB_BAND_2),
        ("1.0.3", "0307", SUB_BAND_2),  # a block holds together, whatever the number of answers
        ("1.0.3", "03070306", ALL_US915),
        ("1.1", "0307", SUB_BAND_2),
        ("1.1", "0306", ALL_US915),
    ],
)
def test_number_of_answers_to_a_block_depends_on_the_version(version: str, answers: str, mask: int) -> None:
    talk = Talk(version, "US915", network=RegionSettings(sub_band=2))
    (request,) = talk.exchange(dr=2)
    talk.up(answers, dr=2)
    if version in ("1.0.0", "1.0.1"):
        assert len(request) == 10 * 5  # no step leaves less than two channels on
    else:
        assert len(request) == 10 * 2
        assert talk.radio.mask == mask


def test_block_of_an_old_device_is_taken_answer_by_answer() -> None:
    talk = Talk("1.0.1", "US915", network=RegionSettings(sub_band=2))
    (request,) = talk.exchange(dr=2)
    talk.up("0307" * 2, dr=2)
    after_two = talk.radio.mask
    assert after_two not in (ALL_US915, SUB_BAND_2)
    (rest,) = talk.down()
    assert len(rest) == len(request) - 10 * 2
    talk.up("0307" * (len(rest) // 10), dr=2)
    assert (talk.radio.mask, talk.due()) == (SUB_BAND_2, [])


def test_block_is_one_request_that_may_not_be_split() -> None:
    talk = Talk(region_name="US915", network=RegionSettings(sub_band=2))
    talk.up(dr=2)
    (request,) = dialogue.due(talk.session, talk.network, 0)
    assert (request.family, request.block, len(request.octets)) == ("link_adr", True, 10)


@pytest.mark.parametrize(
    ("version", "first_octets"),
    [("1.0.3", "0320"), ("1.0.4", "03ff"), ("1.1", "03ff")],
)
def test_mask_alone_leaves_data_rate_and_power_where_the_adr_bit_is_clear(version: str, first_octets: str) -> None:
    talk = Talk(version, "US915", network=RegionSettings(sub_band=2), adr=static(dr=0))
    (request,) = talk.exchange(dr=2)
    assert request[:4] == first_octets
    talk.up("03070307" if version != "1.1" else "0307", dr=2)
    assert (talk.radio.mask, talk.radio.tx_power) == (SUB_BAND_2, 0)


def test_device_that_refuses_to_keep_is_told_the_values_it_has() -> None:
    talk = Talk("1.0.4", "US915", network=RegionSettings(sub_band=2))
    for _ in range(2):
        assert talk.exchange(dr=2)[0][:4] == "03ff"
        talk.up("03010301", dr=2)  # neither data rate nor power
    assert talk.exchange(dr=2)[0][:4] == "0320"


def test_no_data_rate_is_commanded_without_the_adr_bit() -> None:
    talk = Talk(adr=static(dr=3, tx_power=2, nb_trans=2))
    assert talk.exchange() == []
    assert talk.exchange(adr=True) == ["0332070002"]
    assert (talk.exchange("0307", adr=True, dr=3), state(talk)) == ([], (3, 2, 2, 7))


def test_refused_power_is_followed_by_the_others_without_it() -> None:
    talk = Talk(adr=static(dr=3, tx_power=5))
    for _ in range(2):
        assert talk.exchange(adr=True) == ["0335070001"]
        talk.up("0303", adr=True)
    assert talk.exchange(adr=True) == ["0330070001"]


def test_refused_data_rate_is_not_asked_a_third_time() -> None:
    talk = Talk(adr=static(dr=3, tx_power=1))
    for _ in range(2):
        assert talk.exchange(adr=True) == ["0331070001"]
        talk.up("0305", adr=True)
    assert talk.exchange(adr=True) == ["0351070001"]
    assert (talk.exchange("0307", adr=True), state(talk)) == ([], (5, 1, 1, 7))


def test_refused_mask_makes_the_network_tell_its_channels_again() -> None:
    extra_hz = (867_100_000,)
    network = RegionSettings(extra_channels_hz=extra_hz)
    talk = Talk(network=network, cflist=region("EU868").cflist(extra_hz), adr=static(dr=3))
    assert talk.exchange(adr=True) == ["03300f0001"]
    assert talk.exchange("0306", adr=True) == ["0703184f8450"]  # it seems to have ignored its CFList
    assert talk.exchange("0703", adr=True) == ["03300f0001"]
    assert (talk.exchange("0307", adr=True, dr=3), state(talk)) == ([], (3, 0, 1, 15))


def test_device_that_refuses_every_mask_is_told_to_keep_all_its_channels_on() -> None:
    talk = Talk(adr=static(dr=3))
    for _ in range(2):
        assert talk.exchange(adr=True) == ["0330070001"]
        talk.up("0306", adr=True)
    for _ in range(2):
        assert talk.exchange(adr=True) == ["0330000061"]
        talk.up("0306", adr=True)
    assert talk.exchange(adr=True) == []


def test_all_channels_on_is_all_that_the_network_knows_of() -> None:
    talk = Talk(adr=static(dr=3))
    talk.radio.refused["link_adr:mask:7"] = 2
    assert talk.exchange(adr=True) == ["0330000061"]
    assert (talk.exchange("0307", adr=True, dr=3), state(talk)) == ([], (3, 0, 1, 7))


def test_channels_the_network_does_not_listen_on_are_switched_off() -> None:
    cflist = region("EU868").cflist((867_100_000, 867_300_000))
    network = RegionSettings(extra_channels_hz=(867_300_000,))
    talk = Talk(network=network, cflist=cflist, adr=NO_ADR)
    assert talk.exchange() == []  # a device without ADR keeps them
    assert talk.exchange(adr=True) == ["0350170001"]
    assert (talk.exchange("0307", adr=True), talk.radio.mask) == ([], 0x17)


@pytest.mark.parametrize(("version", "nb_trans"), [("1.0.3", 1), ("1.1", 3)])
def test_nb_trans_0_is_the_default_in_1_0_and_keeps_the_value_in_1_1(version: str, nb_trans: int) -> None:
    talk = Talk(version, adr=static(dr=3))
    talk.radio.nb_trans = 3
    talk.up(adr=True)
    dialogue.sent(talk.session, [dialogue.Request("link_adr", bytes.fromhex("0330070000"), True)], 0)
    talk.up("0307", adr=True, dr=3)
    assert talk.radio.nb_trans == nb_trans


def test_lower_data_rate_than_commanded_is_the_devices_back_off() -> None:
    talk = Talk(adr=static(dr=5, tx_power=3, nb_trans=2))
    talk.exchange(adr=True)
    talk.exchange("0307", adr=True)
    assert state(talk) == (5, 3, 2, 7)
    talk.up(adr=True, dr=4)
    assert dialogue.needs(talk.session)
    assert talk.down() == ["0353070002"]  # what it lost is commanded again
    assert state(talk) == (4, 0, 2, 7)


def test_at_the_lowest_data_rate_the_device_repeats_no_more_and_has_its_default_channels_on() -> None:
    talk = Talk(adr=static(nb_trans=2), network=RegionSettings())
    talk.exchange(adr=True)
    talk.exchange("0307", adr=True)
    talk.radio.mask = 0b100
    talk.up(adr=True, dr=0)
    talk.due()
    assert state(talk) == (0, 0, 1, 7)


def test_higher_data_rate_than_commanded_is_the_devices_own_choice() -> None:
    talk = Talk(adr=static(tx_power=3))
    talk.exchange(adr=True, dr=2)
    talk.exchange("0307", adr=True, dr=2)
    talk.exchange(adr=False, dr=4)
    assert state(talk) == (4, 3, 1, 7)


def test_restarted_network_finds_what_the_device_was_told() -> None:
    talk = Talk(adr=static(dr=3, tx_power=2))
    talk.exchange(adr=True)
    talk.up("0307", adr=True, dr=3)
    talk.session.radio_octets, talk.session.radio = talk.radio.dump(), None
    assert (talk.exchange(adr=True, dr=3), state(talk)) == ([], (3, 2, 1, 7))


def test_fixed_plan_whose_masks_are_all_refused_is_left_alone() -> None:
    talk = Talk(region_name="US915", adr=static(dr=1))
    for _ in range(2):
        assert talk.exchange(adr=True, dr=2) == ["0310ffff01"]
        talk.up("0306", adr=True, dr=2)
    assert talk.exchange(adr=True, dr=2) == []


def test_accepted_mask_with_channels_nobody_knows_of_changes_none() -> None:
    talk = Talk()
    talk.up(adr=True)
    dialogue.sent(talk.session, [dialogue.Request("link_adr", bytes.fromhex("0330ff0001"), True)], 0)
    talk.up("0307", adr=True, dr=3)
    assert state(talk) == (3, 0, 1, 7)
