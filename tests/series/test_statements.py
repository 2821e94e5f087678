"""How a number of rows becomes statements of fixed sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.series.statements import SIZES, pieces, upserts


@pytest.mark.parametrize(
    ("first", "count", "expected"),
    [
        (0, 0, []),
        (3, 1, [(3, 1)]),
        (0, 6261, [(0, 5000), (5000, 1000), (6000, 200), (6200, 50), (6250, 10), (6260, 1)]),
        (7, 23, [(7, 10), (17, 10), (27, 1), (28, 1), (29, 1)]),
    ],
)
def test_the_largest_size_that_fits_goes_first(first, count, expected):
    assert list(pieces(first, count)) == expected


@given(st.integers(0, 20_000))
def test_pieces_cover_every_row_once(count):
    covered = 0
    for start, size in pieces(0, count):
        assert start == covered
        assert size in SIZES
        covered += size
    assert covered == count


def test_a_statement_has_a_parameter_for_every_column_of_every_row():
    texts = upserts("INSERT INTO t (a, b, c)", 3, "DO NOTHING")
    assert texts[1] == "INSERT INTO t (a, b, c) VALUES (?,?,?) ON CONFLICT DO NOTHING"
    assert {size: text.count("?") for size, text in texts.items()} == {size: size * 3 for size in SIZES}
