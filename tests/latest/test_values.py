"""Which value is the last one."""

from hypothesis import given
from hypothesis import strategies as st

from lns.latest.values import FieldKey, Latest, keys_of, merge
from lns.series.store import Removal, Row, Rows

KEY = FieldKey(7, "t")


def row(time_us: int, value: float, seq: int) -> Row:
    return Row(7, "t", time_us, value, "C", seq)


def test_a_later_time_wins_and_of_equal_times_the_later_record():
    known = {KEY: Latest(1.0, "C", 10, 5)}
    assert merge(known, Rows.of([row(9, 2.0, 6)]), []) == {}
    assert merge(known, Rows.of([row(10, 2.0, 5)]), []) == {}
    assert merge(known, Rows.of([row(10, 2.0, 6)]), []) == {KEY: Latest(2.0, "C", 10, 6)}
    assert merge(known, Rows.of([row(11, 2.0, 4)]), []) == {KEY: Latest(2.0, "C", 11, 4)}


def test_a_value_that_is_taken_back_goes_unless_a_later_record_wrote_it():
    known = {KEY: Latest(1.0, "C", 10, 5)}
    assert merge(known, Rows(), [Removal(7, "t", 10, 6)]) == {KEY: None}
    assert merge(known, Rows(), [Removal(7, "t", 10, 5)]) == {}
    assert merge(known, Rows(), [Removal(7, "t", 9, 6), Removal(7, "u", 10, 6)]) == {}
    assert merge(known, Rows.of([row(10, 2.0, 7)]), [Removal(7, "t", 10, 6)]) == {KEY: Latest(2.0, "C", 10, 7)}


def test_the_fields_of_a_batch_are_those_it_writes_and_removes():
    assert keys_of(Rows.of([row(1, 1.0, 1)]), [Removal(8, "u", 1, 2)]) == {KEY, FieldKey(8, "u")}


ROWS = st.lists(st.builds(row, st.integers(0, 4), st.sampled_from([0.0]), st.integers(1, 9)), max_size=12)


@given(items=ROWS, data=st.data())
def test_any_order_and_repetition_and_cut_gives_the_same_value(items, data):
    # A seq is one record: its value follows from it.
    items = [row(item.time_us, float(item.seq), item.seq) for item in items]
    played = data.draw(st.permutations(items + items[: data.draw(st.integers(0, len(items)))]))
    cut = data.draw(st.integers(0, len(played)))
    known: dict[FieldKey, Latest] = {}
    for part in (played[:cut], played[cut:]):
        known |= {key: latest for key, latest in merge(known, Rows.of(part), []).items() if latest is not None}
    best = max(items, key=lambda item: (item.time_us, item.seq), default=None)
    assert known == ({} if best is None else {KEY: Latest(best.value, "C", best.time_us, best.seq)})
