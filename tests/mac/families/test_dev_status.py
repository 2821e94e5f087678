from lns.mac import dialogue
from tests.mac.talk import DAY_S, START_S, Talk


def test_status_is_asked_a_day_after_the_join_and_every_day_after() -> None:
    talk = Talk(dev_status_interval_s=DAY_S)
    asked = []
    for minute in range(3 * 1440 + 10):
        talk.up("06ff05" if asked and asked[-1] == minute - 1 else "")
        if dialogue.needs(talk.session) and talk.down() == ["06"]:
            asked.append(minute)
    assert asked == [1439, 2880, 4321]  # the next day begins with the answer
    assert (talk.radio.battery, talk.radio.margin_db) == (255, 5)


def test_status_is_an_event_for_people() -> None:
    talk = Talk(dev_status_uplinks=1)
    talk.session.fcnt_up = 5
    talk.exchange()
    assert talk.up("06fe20").events == (("status", {"battery": 254, "margin_db": -32}),)
    assert talk.radio.status_at_us == (START_S + 120) * 1_000_000
