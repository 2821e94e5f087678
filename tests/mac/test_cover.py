from itertools import combinations
from math import log

from hypothesis import given
from hypothesis import strategies as st

from lns.mac.cover import ENOUGH_DB, Cover, cover, rounds

GOOD, WEAK = 10.0, 2.0


def heard(**by_member):
    """Gateways by member as one letter each: capitals hear it well, small ones weakly."""
    return {
        member: [(letter.upper(), GOOD if letter.isupper() else WEAK) for letter in letters]
        for member, letters in by_member.items()
    }


def test_one_gateway_that_reaches_all_is_enough():
    assert cover(heard(a="XY", b="YZ", c="Y")) == Cover(("Y",), (), ())


def test_a_gateway_made_needless_by_later_ones_is_dropped():
    # B reaches most, but A and C, each needed for somebody, reach all of its members
    made = heard(a1="A", a2="AB", a3="AB", c1="C", c2="CB", c3="CB")
    assert set(cover(made).gateways) == {"A", "C"}


def test_a_member_heard_weakly_is_reached_by_its_best_gateway_and_named():
    made = {"near": [("X", GOOD)], "edge": [("Y", 1.0), ("Z", 3.0), ("X", -2.0)]}
    assert cover(made) == Cover(("X", "Z"), ("edge",), ())


def test_a_weak_gateway_does_not_count_where_a_good_one_is_needed():
    assert set(cover(heard(a="X", b="xY")).gateways) == {"X", "Y"}


def test_members_that_nobody_has_heard_are_named():
    assert cover(heard(a="X", b="")) == Cover(("X",), (), ("b",))
    assert cover({}) == Cover((), (), ())


def test_equal_gateways_are_chosen_by_eui_so_that_plans_repeat():
    assert cover(heard(a="YXZ")).gateways == ("X",)


def test_gateways_without_a_member_between_them_send_at_once_the_others_take_turns():
    around = heard(a="A", b="AB", c="C").values()
    assert rounds(["A", "B", "C"], around) == [["A", "C"], ["B"]]


def test_a_member_that_hears_a_gateway_weakly_still_separates_it():
    assert rounds(["A", "B"], heard(a="Ab").values()) == [["A"], ["B"]]


NETWORKS = st.dictionaries(
    st.integers(0, 12),
    st.lists(st.tuples(st.sampled_from("ABCDE"), st.floats(-5, 20)), max_size=4, unique_by=lambda pair: pair[0]),
    max_size=10,
)


def reaches(gateways, network):
    """Whether every heard member has one of them with margin, or its best one."""
    for around in network.values():
        good = {eui for eui, margin_db in around if margin_db >= ENOUGH_DB}
        if around and not (good or {max(around, key=lambda pair: pair[1])[0]}) & set(gateways):
            return False
    return True


@given(NETWORKS)
def test_a_cover_reaches_everybody_with_none_to_spare_and_within_the_bound_of_the_greedy_way(network):
    found = cover(network)
    assert reaches(found.gateways, network)
    assert set(found.unheard) == {member for member, around in network.items() if not around}
    for spared in found.gateways:
        assert not reaches([eui for eui in found.gateways if eui != spared], network)
    sizes = (size for size in range(6) if any(reaches(some, network) for some in combinations("ABCDE", size)))
    assert len(found.gateways) <= next(sizes) * (1 + log(max(1, len(network))))


@given(NETWORKS)
def test_no_member_hears_two_gateways_of_one_turn(network):
    gateways = cover(network).gateways
    turns = rounds(gateways, network.values())
    assert sorted(eui for turn in turns for eui in turn) == sorted(gateways)
    for turn in turns:
        for around in network.values():
            assert len({eui for eui, _ in around} & set(turn)) <= 1
