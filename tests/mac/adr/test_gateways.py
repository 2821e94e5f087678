from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.mac.settings import AdrSettings
from tests.mac.adr.build import Copies, decided, heard, steady

GATEWAYS = AdrSettings(algorithm="gateways")


def fading(means_db: tuple[float, ...], deviation_db: float, floor_db: float, uplinks: int = 20) -> list[Copies]:
    """Uplinks whose copies vary by themselves; those below the floor are not heard."""
    draw = Random(1).gauss
    return [
        [(n, snr) for n, mean_db in enumerate(means_db) if (snr := draw(mean_db, deviation_db)) >= floor_db]
        for _ in range(uplinks)
    ]


def test_steady_link_is_made_as_fast_and_quiet_as_it_bears() -> None:
    assert decided(steady(9.0), GATEWAYS) == (5, 6, 1)  # 12 dB quieter, 4.5 dB above the floor of SF7


def test_the_more_a_link_varies_the_slower_it_is_left() -> None:
    found = [decided(heard(fading((-4.0,), deviation_db, -20.0)), GATEWAYS) for deviation_db in (0.5, 3.0, 6.0)]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1]


def test_three_gateways_carry_a_faster_data_rate_than_the_best_of_them() -> None:
    alone = decided(heard(fading((-6.0,), 4.0, -20.0)), GATEWAYS)
    together = decided(heard(fading((-6.0, -6.0, -6.0), 4.0, -20.0)), GATEWAYS)
    assert together > alone


def test_gateway_that_is_often_away_is_not_relied_upon() -> None:
    always = [[(1, 5.0), (2, -12.0)]] * 20
    half = [[(1, 5.0), (2, -12.0)], [(2, -12.0)]] * 10
    assert decided(heard(always), GATEWAYS)[0] == 5
    assert decided(heard(half), GATEWAYS)[0] < 5


def test_sinking_link_is_slowed_down_without_waiting_for_the_back_off() -> None:
    assert decided(heard(fading((-7.0,), 3.0, -7.5, 40), dr=5), GATEWAYS, dr=5)[0] < 5


def test_setting_that_still_serves_is_kept_and_one_that_does_not_is_given_up() -> None:
    assert decided(steady(-5.0, dr=5, tx_power=2), GATEWAYS, dr=5, tx_power=2) == (5, 2, 1)
    assert decided(steady(-6.5, dr=5, tx_power=2), GATEWAYS, dr=5, tx_power=2) == (5, 0, 1)


def test_eight_uplinks_are_enough() -> None:
    assert decided(steady(9.0, uplinks=7), GATEWAYS) == (0, 0, 1)
    assert decided(steady(9.0, uplinks=8), GATEWAYS)[0] == 5


def test_more_margin_than_usual_is_kept() -> None:
    usual, more = GATEWAYS, AdrSettings(algorithm="gateways", margin_db=16)
    assert decided(steady(0.0), more) < decided(steady(0.0), usual)


def test_losses_that_the_levels_do_not_explain_are_repeated_over() -> None:
    assert decided(steady(9.0, dr=5, lost=4), GATEWAYS, dr=5)[2] == 2


def test_bounds_hold_from_the_first_uplink() -> None:
    assert decided(steady(9.0, uplinks=1), AdrSettings(algorithm="gateways", min_dr=3, max_nb_trans=2), nb_trans=3) == (
        3,
        0,
        2,
    )


def test_uplinks_without_snr_say_nothing() -> None:
    assert decided(steady(None), GATEWAYS) == (0, 0, 1)


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 6), st.none() | st.floats(-32, 32)), max_size=5), max_size=40),
    st.integers(0, 5),
    st.integers(0, 7),
    st.sampled_from(["margin", "gateways"]),
    st.integers(0, 5),
    st.integers(0, 5),
)
def test_any_history_gives_values_within_the_bounds(
    uplinks: list[Copies], dr: int, tx_power: int, algorithm: str, least: int, most: int
) -> None:
    settings = AdrSettings(algorithm=algorithm, min_dr=min(least, most), max_dr=max(least, most), max_tx_power=4)
    found = decided(heard(uplinks, dr, tx_power), settings, dr=dr, tx_power=tx_power)
    assert min(least, most) <= found[0] <= max(least, most)
    assert 0 <= found[1] <= 4
    assert 1 <= found[2] <= 3


@pytest.mark.parametrize("algorithm", ["margin", "gateways"])
def test_steady_link_settles(algorithm: str) -> None:
    settings = AdrSettings(algorithm=algorithm)
    state = (0, 0, 1)
    seen = []
    for _ in range(6):
        history = steady(-3.0 - 2 * state[1], dr=state[0], tx_power=state[1])
        state = decided(history, settings, dr=state[0], tx_power=state[1], nb_trans=state[2])
        seen.append(state)
    assert seen[-1] == seen[-2]


def test_one_step_of_power_is_left_in_hand_but_two_are_taken() -> None:
    assert decided(steady(-1.5, dr=5), GATEWAYS, dr=5) == (5, 0, 1)
    assert decided(steady(0.5, dr=5), GATEWAYS, dr=5) == (5, 2, 1)
