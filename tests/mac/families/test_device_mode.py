import pytest

from tests.mac.talk import Talk


def test_switch_to_class_c_is_confirmed_and_told_once() -> None:
    talk = Talk("1.1")
    first, again = talk.up("2002"), talk.up("2002")
    assert (first.answers.hex(), first.events) == ("2002", (("class_changed", {"from": "A", "to": "C"}),))
    assert (again.answers.hex(), again.events, talk.radio.device_class) == ("2002", (), "C")
    assert (first.changed, again.changed) == (True, False)


def test_device_may_go_back_to_class_a() -> None:
    talk = Talk("1.1")
    talk.up("2002")
    assert (talk.up("2000").answers.hex(), talk.radio.device_class) == ("2000", "A")


@pytest.mark.parametrize(("version", "commands"), [("1.1", "2001"), ("1.0.4", "2002")])
def test_reserved_class_and_older_versions_are_not_answered(version: str, commands: str) -> None:
    talk = Talk(version)
    assert (talk.up(commands).answers, talk.radio.device_class) == (b"", "A")
