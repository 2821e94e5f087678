"""Faults in words and by count."""

import pytest

from simulators.misbehaviour import HONEST, Lapses, Misbehaviour, parse_misbehaviour


def test_words_become_faults():
    words = ["refuse=LinkADRReq,NewChannelReq", "ignore=DutyCycleReq", "lose-answers=3", "miss-downlinks=4"]
    more = ["reset-counters=100", "skip-counters=2", "repeat-nonce", "drift=-40.5"]
    assert parse_misbehaviour(words + more) == Misbehaviour(
        refuses=frozenset({"LinkADRReq", "NewChannelReq"}),
        ignores=frozenset({"DutyCycleReq"}),
        loses_answer_every=3,
        misses_downlink_every=4,
        resets_counters_every=100,
        skips_counters=2,
        repeats_dev_nonce=True,
        clock_drift_ppm=-40.5,
    )
    assert parse_misbehaviour([]) == HONEST


@pytest.mark.parametrize("word", ["lie", "lose-answers", "lose-answers=x", "drift=fast", "repeat-nonce=1", ""])
def test_an_unknown_word_is_named_with_the_known_ones(word):
    known = (
        "refuse=COMMAND,.., ignore=COMMAND,.., lose-answers=N, miss-downlinks=N, reset-counters=N, skip-counters=N, "
        "repeat-nonce, drift=PPM are"
    )
    with pytest.raises(ValueError) as caught:
        parse_misbehaviour([word])
    assert str(caught.value) == f"misbehaviour {word!r} is not known, {known}"


def test_an_unknown_command_is_named():
    with pytest.raises(ValueError) as caught:
        parse_misbehaviour(["refuse=LinkAdrReq"])
    assert str(caught.value) == "misbehaviour 'refuse=LinkAdrReq': LinkAdrReq is no request of a network"


def test_faults_happen_every_nth_time():
    lapses = Lapses(Misbehaviour(loses_answer_every=2, misses_downlink_every=3, resets_counters_every=4))
    assert [lapses.loses_answer() for _ in range(4)] == [False, True, False, True]
    assert [lapses.misses_downlink() for _ in range(4)] == [False, False, True, False]
    assert [lapses.resets_counters(fcnt) for fcnt in range(9)] == [False] * 4 + [True] + [False] * 3 + [True]


def test_an_honest_device_has_no_lapse():
    lapses = Lapses()
    assert not any(lapses.loses_answer() or lapses.misses_downlink() or lapses.resets_counters(n) for n in range(50))
