"""Every request of the network: asked, accepted, unanswered, refused, repeated, cut off."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from lns.lorawan.commands import parse_commands
from lns.mac.dialogue import Taken
from lns.mac.families import FAMILIES
from lns.mac.families.adr_param import ADR_PARAM
from lns.mac.families.beacon_freq import BEACON_FREQ
from lns.mac.families.channels import NEW_CHANNEL
from lns.mac.families.dev_status import DEV_STATUS
from lns.mac.families.duty_cycle import DUTY_CYCLE
from lns.mac.families.family import Family
from lns.mac.families.link_adr import LINK_ADR
from lns.mac.families.ping_slot import PING_SLOT
from lns.mac.families.rejoin_param import REJOIN_PARAM
from lns.mac.families.rx_param import RX_PARAM
from lns.mac.families.rx_timing import RX_TIMING
from lns.mac.families.tx_param import TX_PARAM
from lns.mac.settings import RegionSettings
from tests.mac.talk import Talk

EXTRA = RegionSettings(extra_channels_hz=(867_100_000,))


class Case(msgspec.Struct, kw_only=True):
    """`value` is read before and after: `before` until the device accepts `accept`, `after` then."""

    family: Family
    request: str
    accept: str
    refuse: str | None
    before: Any
    after: Any
    value: Callable[[Talk], Any]
    sticky: bool = False
    version: str = "1.0.3"
    region: str = "EU868"
    network: RegionSettings = RegionSettings()
    settings: dict[str, Any] = {}
    class_b: bool = False


CASES = {
    "RXTimingSetupReq": Case(
        family=RX_TIMING,
        request="0805",
        accept="08",
        refuse=None,
        before=1,
        after=5,
        value=lambda talk: talk.session.rx1_delay_s,
        sticky=True,
        network=RegionSettings(rx1_delay_s=5),
    ),
    "RXTimingSetupReq, 1.0.1 does not repeat": Case(
        family=RX_TIMING,
        request="080f",
        accept="08",
        refuse=None,
        before=1,
        after=15,
        value=lambda talk: talk.session.rx1_delay_s,
        version="1.0.1",
        settings={"rx1_delay_s": 15},
    ),
    "RXParamSetupReq": Case(
        family=RX_PARAM,
        request="0523d2ad84",  # offset 2, DR3, 869.525 MHz
        accept="0507",
        refuse="0503",  # the offset
        before=(0, 0, 869_525_000),
        after=(2, 3, 869_525_000),
        value=lambda talk: (talk.session.rx1_dr_offset, talk.session.rx2_dr, talk.session.rx2_freq_hz),
        sticky=True,
        settings={"rx1_dr_offset": 2, "rx2_dr": 3},
    ),
    "TXParamSetupReq": Case(
        family=TX_PARAM,
        request="0905",  # no dwell times, 16 dBm
        accept="09",
        refuse=None,
        before=(True, True, 16.0),
        after=(False, False, 16),
        value=lambda talk: (talk.radio.uplink_dwell, talk.radio.downlink_dwell, talk.radio.max_eirp_dbm),
        region="AS923-1",
        network=RegionSettings(uplink_dwell_400ms=False, downlink_dwell_400ms=False),
    ),
    "TXParamSetupReq, 1.0.4 repeats": Case(
        family=TX_PARAM,
        request="0933",  # both dwell times, 13 dBm is the highest that can be told up to 13.9
        accept="09",
        refuse=None,
        before=16.0,
        after=13,
        value=lambda talk: talk.radio.max_eirp_dbm,
        sticky=True,
        version="1.0.4",
        region="AS923-1",
        settings={"max_eirp_dbm": 13.9},
    ),
    "NewChannelReq": Case(
        family=NEW_CHANNEL,
        request="0703184f8450",
        accept="0703",
        refuse="0702",  # the frequency
        before=[0, 1, 2],
        after=[0, 1, 2, 3],
        value=lambda talk: sorted(talk.radio.channels),
        network=EXTRA,
    ),
    "DutyCycleReq": Case(
        family=DUTY_CYCLE,
        request="0407",
        accept="04",
        refuse=None,
        before=0,
        after=7,
        value=lambda talk: talk.radio.max_duty_cycle,
        settings={"max_duty_cycle": 7},
    ),
    "DevStatusReq": Case(
        family=DEV_STATUS,
        request="06",
        accept="06c43e",
        refuse=None,
        before=(None, None),
        after=(196, -2),
        value=lambda talk: (talk.radio.battery, talk.radio.margin_db),
        settings={"dev_status_uplinks": 1},
    ),
    "PingSlotChannelReq": Case(
        family=PING_SLOT,
        request="11d2ad8403",
        accept="1103",
        refuse="1101",  # the data rate
        before=None,
        after=869_525_000,
        value=lambda talk: talk.radio.ping_slot_freq_hz,
        settings={"ping_slot_freq_hz": 869_525_000, "device_class": "B"},
        class_b=True,
    ),
    "PingSlotChannelReq, 1.0.4 repeats": Case(
        family=PING_SLOT,
        request="1100000002",  # DR2 on the region's frequency
        accept="1103",
        refuse="1102",
        before=3,
        after=2,
        value=lambda talk: talk.radio.ping_slot_dr,
        sticky=True,
        version="1.0.4",
        settings={"ping_slot_dr": 2, "device_class": "B"},
        class_b=True,
    ),
    "BeaconFreqReq": Case(
        family=BEACON_FREQ,
        request="131ea484",
        accept="1301",
        refuse="1300",
        before=None,
        after=869_276_600,
        value=lambda talk: talk.radio.beacon_freq_hz,
        settings={"beacon_freq_hz": 869_276_600, "device_class": "B"},
        class_b=True,
    ),
    "ADRParamSetupReq": Case(
        family=ADR_PARAM,
        request="0c45",
        accept="0c",
        refuse=None,
        before=(6, 5),
        after=(4, 5),
        value=lambda talk: (talk.radio.adr_ack_limit_exp, talk.radio.adr_ack_delay_exp),
        version="1.1",
        settings={"adr_ack_limit_exp": 4},
    ),
    "RejoinParamSetupReq": Case(
        family=REJOIN_PARAM,
        request="0f3a",
        accept="0f01",
        refuse=None,  # without TimeOK it is half accepted: a test of its own
        before=(None, None),
        after=(3, 10),
        value=lambda talk: (talk.radio.rejoin_time_n, talk.radio.rejoin_count_n),
        version="1.1",
        settings={"rejoin_max_time_n": 3, "rejoin_max_count_n": 10},
    ),
    "LinkADRReq": Case(
        family=LINK_ADR,
        request="0320020071032000ff01",  # sub-band 2: only the 500 kHz one, then channels 8 to 15
        accept="03070307",
        refuse="03060306",  # the mask
        before=(1 << 72) - 1,
        after=0xFF00 | 1 << 65,
        value=lambda talk: talk.radio.mask,
        region="US915",
        network=RegionSettings(sub_band=2),
    ),
}


def talk_of(case: Case) -> Talk:
    talk = Talk(case.version, case.region, network=case.network, **case.settings)
    talk.session.fcnt_up = 9
    if case.class_b:
        talk.up("1002")
    talk.up(dr=2)
    return talk


def cases(*, refusing: bool = False) -> Any:
    chosen = [case for case in CASES.items() if case[1].refuse is not None or not refusing]
    return pytest.mark.parametrize("case", [case for _, case in chosen], ids=[name for name, _ in chosen])


@cases()
def test_what_differs_is_asked_and_believed_once_it_is_accepted(case: Case) -> None:
    talk = talk_of(case)
    assert (talk.down(), case.value(talk)) == ([case.request], case.before)
    taken = talk.up(case.accept, dr=2)
    assert (case.value(talk), taken.changed, taken.wants) == (case.after, True, case.sticky)
    assert talk.due() == []


@cases()
def test_what_stays_unanswered_is_asked_again_and_not_believed(case: Case) -> None:
    talk = talk_of(case)
    assert talk.down() == [case.request]
    assert talk.due() == []  # not twice to one uplink
    talk.up(dr=2)
    assert (talk.down(), case.value(talk)) == ([case.request], case.before)


@cases(refusing=True)
def test_what_was_refused_twice_is_not_asked_again(case: Case) -> None:
    talk = talk_of(case)
    for times in (1, 2):
        assert talk.down() != []
        assert case.refuse is not None
        (event,) = talk.up(case.refuse, dr=2).events
        assert (event[0], event[1]["times"], event[1]["asked_again"]) == ("mac_refused", times, times < 2)
        talk.up(dr=2)  # a repeated answer would have ended by now
    assert (talk.due(), case.value(talk)) == ([], case.before)


@cases()
def test_repeated_answer_changes_nothing(case: Case) -> None:
    talk = talk_of(case)
    talk.down()
    talk.up(case.accept, dr=2)
    taken = talk.up(case.accept, dr=2)
    assert (taken, case.value(talk)) == (Taken(b"", (), False, case.sticky), case.after)


@cases()
def test_answer_that_is_cut_off_is_none(case: Case) -> None:
    talk = talk_of(case)
    talk.down()
    if len(case.accept) > 2:
        taken = talk.up(case.accept[:2], dr=2)
        assert (taken, case.value(talk)) == (Taken(b"", (), False, False), case.before)
        assert talk.down() == [case.request]


@cases()
def test_answer_to_nothing_is_ignored(case: Case) -> None:
    talk = talk_of(case)
    taken = talk.up(case.accept, dr=2)
    assert (taken.changed, case.value(talk)) == (False, case.before)


@cases()
def test_request_is_read_back_by_the_command_table(case: Case) -> None:
    commands, problem = parse_commands(bytes.fromhex(case.request), uplink=False)
    assert ({command.name for command in commands}, problem) == ({case.family.request}, None)


def test_every_command_that_is_answered_has_a_case() -> None:
    answered = {family.name for family in FAMILIES if family.answer is not None}
    assert {case.family.name for case in CASES.values()} | {"dl_channel"} == answered
