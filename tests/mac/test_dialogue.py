"""The rules of asking: when, how often, and what is never asked."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan.commands import Command
from lns.lorawan.regions import region
from lns.mac import dialogue
from lns.mac.settings import RegionSettings
from tests.mac.talk import Talk


def test_device_that_has_what_it_should_gets_no_radio_and_no_second_look() -> None:
    talk = Talk()
    talk.up()
    assert dialogue.needs(talk.session)  # the first uplink is looked at
    assert (talk.due(), talk.session.radio) == ([], None)
    for _ in range(1000):
        talk.up()
        assert not dialogue.needs(talk.session)
    dialogue.again(talk.session)
    assert dialogue.needs(talk.session)


def test_another_data_rate_or_adr_bit_is_worth_a_look() -> None:
    talk = Talk()
    for change in ({"dr": 4}, {"dr": 4, "adr": True}, {"dr": 4}):
        talk.up(**change)
        assert dialogue.needs(talk.session)
        talk.due()
        assert not dialogue.needs(talk.session)


def test_unanswered_request_is_repeated_ever_more_seldom() -> None:
    talk = Talk(max_duty_cycle=7)
    asked_after = [n for n in range(200) if talk.exchange() == ["0407"]]
    assert asked_after == [0, 1, 3, 7, 15, 31, 63, 127, 191]


def test_settings_that_change_meanwhile_are_asked_at_once() -> None:
    talk = Talk(max_duty_cycle=7)
    for _ in range(5):
        talk.exchange()
    talk.session.device.settings = msgspec.structs.replace(talk.session.device.settings, max_duty_cycle=3)
    assert talk.exchange() == ["0403"]


def test_newer_request_waits_until_the_old_answer_is_no_longer_repeated() -> None:
    talk = Talk(rx1_delay_s=5)
    assert talk.exchange() == ["0805"]
    talk.session.device.settings = msgspec.structs.replace(talk.session.device.settings, rx1_delay_s=7)
    # the device repeats its answer to 5 s: taken for one to 7 s, device and network would miss each other
    assert (talk.exchange("08"), talk.session.rx1_delay_s) == ([], 5)
    assert (talk.exchange("08"), talk.session.rx1_delay_s) == ([], 5)
    assert (talk.exchange(), talk.session.rx1_delay_s) == (["0807"], 5)
    assert (talk.exchange("08"), talk.session.rx1_delay_s) == ([], 7)


def test_unanswered_request_with_a_repeated_answer_is_not_replaced_by_a_newer_one() -> None:
    talk = Talk(rx1_delay_s=5)
    assert talk.exchange() == ["0805"]
    talk.session.device.settings = msgspec.structs.replace(talk.session.device.settings, rx1_delay_s=7)
    assert talk.exchange() == ["0805"]  # the answer to the first may still come


def test_window_parameters_hold_for_the_answer_to_the_uplink_that_accepts_them() -> None:
    talk = Talk(rx1_delay_s=5, rx2_dr=3)
    assert talk.exchange() == ["0805", "0503d2ad84"]
    taken = talk.up("080507")
    assert (talk.session.rx1_delay_s, talk.session.rx2_dr, taken.changed, taken.wants) == (5, 3, True, True)


@pytest.mark.parametrize(
    ("version", "settings"),
    [
        ("1.0.4", {"adr_ack_limit_exp": 4}),  # 1.1
        ("1.0.4", {"rejoin_max_time_n": 4}),  # 1.1
        ("1.0.3", {"beacon_freq_hz": 869_276_600}),  # class A
        ("1.0.2", {"beacon_freq_hz": 869_276_600, "device_class": "B"}),  # class B came with 1.0.3
        ("1.0.3", {"ping_slot_dr": 2, "device_class": "B"}),  # has not said how often it listens
    ],
)
def test_what_the_device_does_not_know_is_not_asked(version: str, settings: dict[str, Any]) -> None:
    assert Talk(version, **settings).exchange() == []


def test_refusal_says_what_was_asked_and_answered() -> None:
    talk = Talk(rx1_dr_offset=7)
    talk.exchange()
    assert talk.up("0503").events == (
        (
            "mac_refused",
            {
                "command": "RXParamSetupReq",
                "requests": [{"rx1_dr_offset": 7, "rx2_data_rate": 0, "frequency_hz": 869_525_000}],
                "answers": [{"channel_ack": True, "rx2_data_rate_ack": True, "rx1_dr_offset_ack": False}],
                "times": 1,
                "asked_again": True,
            },
        ),
    )


@pytest.mark.parametrize(
    ("version", "name", "fields", "text"),
    [
        ("1.0.3", "LinkADRReq", {}, "LinkADRReq cannot be asked for, DevStatusReq, DlChannelReq, ForceRejoinReq can"),
        ("1.0.4", "ForceRejoinReq", {}, "ForceRejoinReq came with lorawan 1.1, the session is older"),
        (
            "1.0.3",
            "DlChannelReq",
            {"ch_index": 5, "frequency_hz": 869_525_000},
            "the device has no channel 5 whose rx1 could be moved",
        ),
        ("1.0.3", "DlChannelReq", {"ch_index": 5}, "DlChannelReq needs the field frequency_hz"),
    ],
)
def test_what_cannot_be_asked_for(version: str, name: str, fields: dict[str, int], text: str) -> None:
    with pytest.raises(ValueError) as caught:
        dialogue.ask(Talk(version).session, name, **fields)
    assert str(caught.value) == text


def test_device_of_1_1_in_a_session_of_1_0_is_asked_what_1_0_knows() -> None:
    talk = Talk("1.1", adr_ack_limit_exp=4, rx1_delay_s=3)
    talk.session.keys_1_1 = None
    assert talk.exchange() == ["0803"]


@given(st.binary(max_size=40), st.sampled_from(["1.0.0", "1.0.3", "1.0.4", "1.1"]), st.booleans())
def test_any_octets_of_a_device_are_taken(octets: bytes, version: str, abp: bool) -> None:
    talk = Talk(
        version,
        abp=abp,
        network=RegionSettings(extra_channels_hz=(867_100_000,)),
        rx1_delay_s=5,
        max_duty_cycle=1,
        dev_status_uplinks=1,
    )
    talk.exchange(adr=True)
    talk.up(octets.hex(), adr=True)
    assert type(talk.radio).load(region("EU868"), talk.radio.dump()).dump() == talk.radio.dump()


def test_device_without_a_history_is_talked_to_all_the_same() -> None:
    talk = Talk(max_duty_cycle=2)
    talk.up()
    talk.session.history = None
    dialogue.again(talk.session)
    assert (dialogue.needs(talk.session), talk.down()) == (True, ["0402"])
    facts = dialogue.UplinkFacts([], talk.session.fcnt_up + 1, 5, False, 0)
    assert dialogue.take(talk.session, [Command(4, "DutyCycleAns", {})], facts).changed
    assert talk.due() == []


def test_command_nobody_here_knows_of_is_passed_over() -> None:
    assert Talk().up("12" + "43" + "02").answers.hex() == "020e01"


def test_request_that_nobody_wants_any_more_is_settled_all_the_same() -> None:
    talk = Talk(max_duty_cycle=2)
    assert talk.exchange() == ["0402"]
    wanted = talk.session.device.settings
    talk.session.device.settings = msgspec.structs.replace(wanted, max_duty_cycle=0)
    assert talk.exchange() == ["0402"]  # it may have been heard, and only its answer lost
    assert (talk.exchange("04"), talk.radio.max_duty_cycle) == (["0400"], 2)


def test_answer_that_would_be_repeated_and_never_came_is_not_waited_for() -> None:
    talk = Talk(rx1_delay_s=5)
    talk.exchange()
    talk.session.device.settings = msgspec.structs.replace(talk.session.device.settings, rx1_delay_s=1)
    asked = [n for n in range(300) if talk.exchange() == ["0805"]]
    assert (asked, talk.radio.asked) == ([0, 2, 6, 14, 30, 62, 126], {})
