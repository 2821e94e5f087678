"""What is owed, for how long, and in which order it is sent."""

from hypothesis import given
from hypothesis import strategies as st

from simulators.maccommands.answers import Answers
from simulators.misbehaviour import Lapses, Misbehaviour
from tests.simulators.maccommands.states import named

STICKY = frozenset({"RXTimingSetupAns"})


def owing() -> Answers:
    answers = Answers(STICKY)
    answers.add("DevStatusAns", battery=200, margin=8)
    answers.add("RXTimingSetupAns")
    return answers


def test_sticky_answers_stay_until_a_downlink_is_heard():
    answers = owing()
    assert [answers.take(15).hex() for _ in range(3)] == ["06c808" + "08", "08", "08"]
    answers.heard()
    assert not answers


def test_a_downlink_before_the_uplink_takes_no_unsent_answer_away():
    answers = Answers()
    answers.add("DutyCycleAns")
    answers.heard()
    assert answers.take(15).hex() == "04"


def test_answers_that_do_not_fit_are_left_out_whole():
    answers = Answers()
    for _ in range(4):
        answers.add("DevStatusAns", battery=200, margin=8)
    assert answers.take(10).hex() == "06c808" * 3
    assert answers.take(10) == b""


def test_a_request_of_the_device_goes_first_and_stays_until_it_is_settled():
    answers = owing()
    answers.ask("RekeyInd", "RekeyConf", minor=1)
    assert answers.take(15).hex() == "0b01" + "06c808" + "08"
    answers.heard()
    assert (answers.take(15).hex(), answers.asks_for("RekeyConf")) == ("0b01", True)
    answers.settle("RekeyConf")
    assert (bool(answers), answers.asks_for("RekeyConf")) == (False, False)


def test_a_request_is_made_once_only():
    answers = Answers()
    for mode in (2, 0):
        answers.ask("DeviceModeInd", "DeviceModeConf", **{"class": mode})
    assert named(answers.take(15)) == [("DeviceModeInd", {"class": 0})]


def test_a_new_session_owes_nothing():
    answers = owing()
    answers.ask("RekeyInd", "RekeyConf", minor=1)
    answers.clear()
    assert not answers


def test_every_nth_answer_is_lost_on_demand():
    answers = Answers(STICKY, Lapses(Misbehaviour(loses_answer_every=2)))
    for _ in range(4):
        answers.add("RXTimingSetupAns")
    assert answers.take(15).hex() == "0808"


@given(st.lists(st.sampled_from(["add", "sticky", "ask", "take", "heard", "settle"]), max_size=30), st.integers(0, 15))
def test_whatever_happens_commands_stay_whole_and_within_the_room(steps, room):
    answers = Answers(STICKY)
    verbs = {
        "add": lambda: answers.add("DevStatusAns", battery=1, margin=1),
        "sticky": lambda: answers.add("RXTimingSetupAns"),
        "ask": lambda: answers.ask("RekeyInd", "RekeyConf", minor=1),
        "heard": answers.heard,
        "settle": lambda: answers.settle("RekeyConf"),
    }
    asked = False
    for step in steps:
        if step == "take":
            octets = answers.take(room)
            names = [name for name, _ in named(octets)]
            assert len(octets) <= room
            assert len(octets) == sum({"DevStatusAns": 3, "RXTimingSetupAns": 1, "RekeyInd": 2}[name] for name in names)
            assert ("RekeyInd" in names) is (asked and room >= 2)
        else:
            verbs[step]()
            asked = {"ask": True, "settle": False}.get(step, asked)
