import pytest

from lns.mac.families.version import reset
from lns.mac.settings import RegionSettings
from tests.mac.talk import Talk


@pytest.mark.parametrize(
    ("version", "abp", "indication", "answer"),
    [
        ("1.1", True, "0101", "0101"),  # ResetInd
        ("1.1", True, "0102", "0101"),  # a later minor version: the network speaks 1.1
        ("1.1", False, "0101", ""),  # joined devices do not reset
        ("1.0.4", True, "0101", ""),
        ("1.1", False, "0b01", "0b01"),  # RekeyInd
        ("1.1", False, "0b03", "0b01"),
        ("1.1", True, "0b01", ""),  # an ABP device has no keys to renew
        ("1.0.4", False, "0b01", ""),
    ],
)
def test_version_is_confirmed_to_those_who_may_tell_it(version: str, abp: bool, indication: str, answer: str) -> None:
    taken = Talk(version, abp=abp).up(indication)
    assert (taken.answers.hex(), taken.wants) == (answer, answer != "")


def test_indication_is_confirmed_as_often_as_it_is_repeated() -> None:
    talk = Talk("1.1")
    assert [talk.up("0b01").answers.hex() for _ in range(3)] == ["0b01"] * 3


def test_rekey_is_an_event_for_whoever_keeps_the_old_keys() -> None:
    assert Talk("1.1").up("0b01").events == (("rekeyed", {"minor": 1}),)


def test_reset_device_has_its_factory_radio_and_its_counters() -> None:
    talk = Talk("1.1", abp=True, network=RegionSettings(rx1_delay_s=5, rx2_dr=3), max_duty_cycle=4)
    talk.exchange()
    talk.exchange("08" + "0507" + "04")
    session = talk.session
    fresh = Talk("1.1", abp=True)
    assert (session.rx1_delay_s, session.rx2_dr, talk.radio.max_duty_cycle) == (5, 3, 4)
    fcnt_down = session.fcnt_down
    taken = talk.up("0101")
    assert (taken.changed, taken.events) == (True, (("reset", {"minor": 1}),))
    assert (session.rx1_delay_s, session.rx2_dr, session.fcnt_down) == (1, 0, fcnt_down)
    assert talk.radio.dump() == fresh.radio.dump()
    assert talk.down() == ["0805", "0503d2ad84", "0404"]  # and is told everything again


def test_reset_before_the_first_uplink_was_noted_is_a_reset_too() -> None:
    talk = Talk("1.1", abp=True)
    talk.session.history = None
    assert reset(talk.session, {"minor": 1}).answer.hex() == "0101"
