from tests.mac.talk import Talk


def test_ping_slot_info_is_answered_and_kept() -> None:
    talk = Talk("1.0.3")
    first, again = talk.up("1004"), talk.up("1004")
    assert (first.answers.hex(), first.changed, first.wants, talk.radio.ping_periodicity) == ("10", True, True, 4)
    assert (again.answers.hex(), again.changed) == ("10", False)


def test_only_a_class_b_device_that_said_how_often_it_listens_is_told_where() -> None:
    silent = Talk(ping_slot_dr=5, device_class="B")
    assert silent.exchange() == []
    assert silent.exchange("1000") == ["1100000005"]
    assert Talk(ping_slot_dr=5, device_class="A").exchange("1000") == []


def test_frequency_that_is_no_longer_set_is_the_regions_again() -> None:
    talk = Talk(ping_slot_dr=3, device_class="B")
    talk.radio.ping_slot_freq_hz = 869_525_000
    assert talk.exchange("1000") == ["1100000003"]
    assert (talk.exchange("1103"), talk.radio.ping_slot_freq_hz) == ([], None)
