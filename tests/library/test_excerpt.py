"""The place of an error as lines that show it."""

import pytest

from lns.library.excerpt import excerpt

SOURCE = "one\ntwo\nthree\n\tfour = nothing\nfive"


def test_the_line_has_two_before_it_and_a_mark() -> None:
    assert excerpt(SOURCE, 4, 9) == "2 | two\n3 | three\n4 |  four = nothing\n  |         ^"
    assert excerpt(SOURCE, 1, None) == "1 | one"


@pytest.mark.parametrize("line", [None, 0, 6])
def test_a_place_that_is_not_there_shows_nothing(line: int | None) -> None:
    assert excerpt(SOURCE, line, 1) == ""


def test_of_a_bundle_in_one_line_a_window_is_shown() -> None:
    shown = excerpt("x" * 100_000 + "HERE" + "x" * 100_000, 1, 100_001).split("\n")
    assert [len(line) for line in shown] == [164, 84]
    assert shown[0].index("HERE") == shown[1].index("^")
