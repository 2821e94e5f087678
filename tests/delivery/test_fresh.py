from lns.delivery.fresh import Fresh
from lns.delivery.lanes import Item
from lns.delivery.rows import Claimed
from tests.delivery.build import NOW_US, message


def kept(*ids: int, outlet: str = "x", most_bytes: int = 1_000_000) -> Fresh:
    found = Fresh(most_bytes)
    found.add(outlet, [Item(n, "a", NOW_US) for n in ids], [message(n) for n in ids])
    return found


def test_what_was_just_written_down_is_given_once() -> None:
    fresh = kept(1, 2)
    assert fresh.take([2, 7]) == [Claimed(2, 0, 0, NOW_US, message(2))]
    assert fresh.take([1, 2]) == [Claimed(1, 0, 0, NOW_US, message(1))]


def test_the_oldest_go_when_there_is_too_much() -> None:
    fresh = kept(*range(1, 101), most_bytes=5_200)  # 500 and a small body each
    left = [one.id for one in fresh.take(range(1, 101))]
    assert left == list(range(101 - len(left), 101))
    assert 9 <= len(left) <= 10
    fresh.add("x", [Item(1, "a", NOW_US)], [message(1)])
    assert len(fresh) == 1


def test_a_removed_outlet_is_forgotten_and_no_other() -> None:
    fresh = kept(1, 2)
    fresh.add("y", [Item(3, "a", NOW_US)], [message(3)])
    fresh.forget_outlet("x")
    assert [one.id for one in fresh.take([1, 2, 3])] == [3]
