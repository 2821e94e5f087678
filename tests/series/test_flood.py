"""When refusals stop the writer, and when they do not."""

import pytest

from lns.errors import StoreError
from lns.series.flood import Flood
from lns.series.store import Rejected


def refused(*indexes: int, code: str = "constraint") -> list[Rejected]:
    return [Rejected(index, code, f"rule broken at {index}") for index in indexes]


def test_a_hundred_rows_in_a_row_stop_it_and_their_reason_is_named():
    with pytest.raises(StoreError) as caught:
        Flood().after(200, refused(*range(100)))
    assert str(caught.value) == (
        "writing stops: 100 rows in a row were refused as constraint; the last because: rule broken at 99"
    )
    assert Flood().after(2000, refused(*range(99))) == Flood(code="")


def test_a_row_in_a_row_may_be_the_next_batchs():
    half = Flood().after(1000, refused(*range(950, 1000)))
    assert (half.in_a_row, half.code) == (50, "constraint")
    with pytest.raises(StoreError, match=r"^writing stops: 100 rows in a row"):
        half.after(1000, refused(*range(50)))
    assert half.after(1000, refused(*range(1, 51))).in_a_row == 0
    assert half.after(1000, refused(*range(50), code="other")).in_a_row == 0


def test_three_bad_batches_stop_it_and_one_good_between_does_not():
    bad = (100, refused(*range(0, 60, 6)))
    two = Flood().after(*bad).after(*bad)
    with pytest.raises(StoreError) as caught:
        two.after(*bad)
    assert str(caught.value) == (
        "writing stops: 30 rows of 3 batches in a row were refused, at most 5% of a batch may be; "
        "the last because: rule broken at 54"
    )
    assert two.after(100, refused(0, 2, 4, 6, 8)).after(*bad).batches == 1
    assert two.after(0, []) == two


def test_a_few_rows_are_no_flood_however_small_their_batches():
    flood = Flood()
    for _ in range(10):
        flood = flood.after(5, refused(2))
    assert (flood.batches, flood.refused) == (10, 10)
