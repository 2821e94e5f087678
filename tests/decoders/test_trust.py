"""Which versions run beside the others."""

from decoders.trust import PROBATION_S, SEASON_S, Trust


def test_a_version_is_trusted_after_its_first_clean_answer() -> None:
    trust = Trust()
    assert not trust.has("a")
    assert [trust.prove("a", 0.0), trust.prove("a", 1.0)] == [True, False]
    assert (trust.has("a"), trust.has("b"), set(trust.doubted)) == (True, False, set())


def test_an_offence_costs_the_trust_for_a_while() -> None:
    trust = Trust()
    trust.prove("a", 0.0)
    trust.doubt("a", 10.0)
    assert (trust.has("a"), set(trust.doubted)) == (False, {"a"})
    assert not trust.prove("a", 9.0 + PROBATION_S)
    assert trust.prove("a", 10.0 + PROBATION_S)
    assert (trust.has("a"), set(trust.doubted)) == (True, set())


def test_a_version_is_seasoned_after_a_while_of_trust() -> None:
    trust = Trust()
    assert not trust.is_seasoned("a", 0.0)
    trust.prove("a", 0.0)
    trust.prove("a", 5.0)
    assert [trust.is_seasoned("a", now) for now in (0.0, SEASON_S - 1, SEASON_S)] == [False, False, True]


def test_a_new_version_is_kept_apart_for_longer_while_another_one_offends() -> None:
    trust = Trust()
    trust.doubt("bad", 0.0)
    assert [trust.prove("a", now) for now in (1.0, SEASON_S, 1.0 + SEASON_S)] == [False, False, True]


def test_every_offence_begins_the_time_anew() -> None:
    trust = Trust()
    trust.doubt("a", 0.0)
    trust.doubt("a", 30.0)
    assert not trust.prove("a", 1.0 + PROBATION_S)
    assert trust.prove("a", 30.0 + PROBATION_S)
