"""The columns that writers take."""

from lns.series.store import Rows
from tests.series.build import row


def test_rows_and_columns_are_the_same_table():
    items = [row(0, 1.5), row(1, True, unit=None), row(2, "x", device=9, field="u", seq=4)]
    table = Rows.of(items)
    assert list(table) == items
    assert len(table) == 3
    assert table == Rows(
        [7, 7, 9], ["t", "t", "u"], [r.time_us for r in items], [1.5, True, "x"], ["C", None, "C"], [1, 1, 4]
    )


def test_take_keeps_the_order_asked_for():
    items = [row(i) for i in range(4)]
    assert list(Rows.of(items).take([3, 1])) == [items[3], items[1]]
