from lns.lorawan.commands import encode_command
from lns.mac import dialogue
from tests.mac.talk import Talk


def test_rejoin_period_without_time_ok_counts_uplinks_only() -> None:
    talk = Talk("1.1", rejoin_max_time_n=3, rejoin_max_count_n=10)
    for _ in range(2):
        assert talk.exchange() == ["0f3a"]
        talk.up("0f00")
    assert (talk.radio.rejoin_time_n, talk.radio.rejoin_count_n, talk.due()) == (None, 10, [])


def test_the_half_of_the_rejoin_period_that_nobody_set_is_the_longest() -> None:
    assert Talk("1.1", rejoin_max_count_n=2).exchange() == ["0ff2"]


def test_force_rejoin_is_sent_three_times_and_never_answered() -> None:
    talk = Talk("1.1")
    dialogue.ask(talk.session, "ForceRejoinReq", period=0, max_retries=1, rejoin_type=0, dr=2)
    sent = [talk.exchange() for _ in range(10)]
    assert [n for n, requests in enumerate(sent) if requests] == [0, 1, 3]
    assert sent[0] == [encode_command("ForceRejoinReq", False, period=0, max_retries=1, rejoin_type=0, dr=2).hex()]
