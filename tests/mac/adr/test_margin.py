"""The well-known algorithm. The cases of steps are those of ChirpStack's tests of its own, v4."""

import pytest

from lns.mac.settings import AdrSettings
from tests.mac.adr.build import decided, heard, steady

FLOOR_DB = {0: -20.0, 1: -17.5, 2: -15.0, 3: -12.5, 4: -10.0, 5: -7.5}
UP_TO_5 = AdrSettings(max_tx_power=5)


@pytest.mark.parametrize(
    ("steps", "tx_power", "dr", "expected"),
    [
        (0, 1, 3, (3, 1)),
        (1, 1, 4, (5, 1)),
        (1, 1, 5, (5, 2)),
        (2, 1, 3, (5, 1)),
        (2, 1, 4, (5, 2)),
        (2, 1, 5, (5, 3)),
        (2, 5, 5, (5, 5)),
        (-1, 1, 5, (5, 0)),
        (-1, 0, 4, (4, 0)),  # never a slower data rate
        (-5, 0, 4, (4, 0)),
    ],
)
def test_steps_of_3_db_go_to_the_data_rate_first(steps: int, tx_power: int, dr: int, expected: tuple[int, int]) -> None:
    history = steady(FLOOR_DB[dr] + 10 + 3 * steps, dr=dr, tx_power=tx_power)
    assert decided(history, UP_TO_5, dr=dr, tx_power=tx_power)[:2] == expected


@pytest.mark.parametrize(
    ("snr_db", "dr"),
    [(-10.0, 0), (-7.25, 0), (-7.0, 1), (-4.25, 1), (-4.0, 2), (5.0, 5)],
)
def test_a_step_takes_whole_3_db_above_floor_and_margin(snr_db: float, dr: int) -> None:
    assert decided(steady(snr_db)) == (dr, 0, 1)


def test_the_best_snr_of_20_uplinks_counts() -> None:
    assert decided(heard([[(1, -12.0)]] * 19 + [[(1, -15.0), (2, -1.0)]])) == (3, 0, 1)
    assert decided(heard([[(1, -1.0)]] + [[(1, -12.0)]] * 20)) == (0, 0, 1)  # the good one is the 21st


def test_nothing_is_decided_before_20_uplinks() -> None:
    assert decided(steady(5.0, uplinks=19)) == (0, 0, 1)


def test_nothing_is_decided_again_before_20_uplinks_with_the_new_values() -> None:
    history = steady(5.0)
    history.changed(0)
    assert decided(history, dr=2) == (2, 0, 1)


def test_snr_of_uplinks_with_less_power_counts_as_at_full_power() -> None:
    # -4 dB at TXPower 3 would be +2 dB at full power, and is -4 dB again at TXPower 3
    assert decided(steady(-4.0, dr=5, tx_power=3), dr=5, tx_power=3) == (5, 1, 1)
    assert decided(steady(-4.0, dr=5, tx_power=3), dr=5, tx_power=0) == (5, 0, 1)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (AdrSettings(), (5, 2, 1)),
        (AdrSettings(margin_db=16), (5, 0, 1)),
        (AdrSettings(margin_db=25), (2, 0, 1)),
        (AdrSettings(max_dr=3), (3, 4, 1)),
        (AdrSettings(max_dr=3, max_tx_power=1), (3, 1, 1)),
    ],
)
def test_template_sets_margin_and_bounds(settings: AdrSettings, expected: tuple[int, int, int]) -> None:
    assert decided(steady(11.0), settings) == expected


@pytest.mark.parametrize(
    ("settings", "dr", "tx_power", "expected"),
    [
        (AdrSettings(min_dr=2), 0, 0, (2, 0, 1)),
        (AdrSettings(max_dr=3), 5, 0, (3, 0, 1)),
        (AdrSettings(max_tx_power=2), 5, 4, (5, 2, 1)),
        (AdrSettings(max_nb_trans=2), 5, 0, (5, 0, 2)),
        (AdrSettings(), 6, 0, (5, 0, 1)),  # faster than the region's ADR goes
    ],
)
def test_bounds_hold_from_the_first_uplink(
    settings: AdrSettings, dr: int, tx_power: int, expected: tuple[int, int, int]
) -> None:
    history = steady(0.0, uplinks=1, dr=dr, tx_power=tx_power)
    nb_trans = 3 if settings.max_nb_trans == 2 else 1
    assert decided(history, settings, dr=dr, tx_power=tx_power, nb_trans=nb_trans) == expected


def test_device_that_loses_a_third_is_made_neither_faster_nor_quieter() -> None:
    assert decided(steady(5.0, lost=8)) == (5, 0, 2)  # 29 %
    assert decided(steady(5.0, lost=9)) == (0, 0, 3)  # 31 %


def test_without_an_snr_only_losses_count() -> None:
    assert decided(steady(None, lost=3)) == (0, 0, 2)
