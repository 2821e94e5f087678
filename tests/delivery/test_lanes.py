from hypothesis import given
from hypothesis import strategies as st

from lns.delivery.lanes import Item, Lanes


def lanes(*items: Item, ordering="strict") -> Lanes:
    found = Lanes(ordering)
    for item in items:
        found.add(item)
    return found


def test_one_of_a_lane_is_under_way_at_a_time():
    found = lanes(Item(1, "a", 0), Item(2, "a", 0), Item(3, "b", 0))
    assert found.take(10, 0) == [1, 3]
    assert found.take(10, 0) == []
    found.done(1)
    assert found.take(10, 0) == [2]


def test_a_head_that_waits_holds_its_own_lane_only():
    found = lanes(Item(1, "a", 0), Item(2, "a", 0), Item(3, "b", 0))
    found.take(1, 0)
    found.wait(1, 100)
    assert found.take(10, 50) == [3]
    assert found.deadline_us() == 100
    assert found.take(10, 100) == [1]


def test_waking_makes_all_heads_due():
    found = lanes(Item(1, "a", 900), Item(2, "b", 900))
    assert found.take(10, 5) == []
    found.wake(5)
    assert found.take(10, 5) == [1, 2]


def test_a_removed_head_frees_its_lane():
    found = lanes(Item(1, "a", 900), Item(2, "a", 0))
    found.remove(1)
    assert found.take(10, 0) == [2]
    found.remove(77)
    assert len(found) == 1


def test_a_replayed_older_delivery_goes_before_newer_ones():
    found = lanes(Item(5, "a", 0), Item(2, "a", 0))
    assert found.take(1, 0) == [2]


def test_latest_takes_the_place_of_what_has_not_left():
    found = lanes(Item(1, "a", 0), ordering="latest")
    assert found.take(1, 0) == [1]
    assert found.add(Item(2, "a", 0)) == []
    assert found.add(Item(3, "a", 0)) == [2]
    found.done(1)
    assert found.take(9, 0) == [3]


def test_what_is_opened_again_while_it_ends_is_sent_again():
    found = lanes(Item(1, "a", 0))
    found.take(1, 0)
    found.add(Item(1, "a", 0))
    found.done(1)
    assert found.take(1, 0) == [1]
    found.done(1)
    assert len(found) == 0


def test_what_is_dropped_under_way_frees_its_lane():
    found = lanes(Item(1, "a", 0), Item(2, "a", 0))
    found.take(1, 0)
    found.remove(1)
    assert found.in_flight == 0
    assert found.take(1, 0) == [2]
    found.done(1)
    assert found.in_flight == 1


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=60), st.integers(1, 5))
def test_every_delivery_leaves_and_each_lane_keeps_its_order(plan, limit):
    """Each delivery fails once where its flag says so."""
    found = lanes(*(Item(n, f"lane{lane}", 0) for n, (lane, _) in enumerate(plan)))
    left: dict[str, list[int]] = {}
    failing = {n for n, (_, fails) in enumerate(plan) if fails}
    now_us = 0
    while len(found):
        ids = found.take(limit, now_us)
        if not ids:
            now_us = found.deadline_us()
        for id_ in ids:
            if id_ in failing:
                failing.remove(id_)
                found.wait(id_, now_us + 10)
            else:
                left.setdefault(f"lane{plan[id_][0]}", []).append(id_)
                found.done(id_)
    assert sorted(n for ids in left.values() for n in ids) == list(range(len(plan)))
    assert all(ids == sorted(ids) for ids in left.values())
