import pytest

from lns.mac.settings import AdrSettings
from tests.mac.adr.build import decided, steady


@pytest.mark.parametrize(
    ("lost", "by_present"),
    [
        (0, (1, 1, 2)),
        (1, (1, 1, 2)),  # 1 of 21
        (2, (1, 2, 3)),  # 2 of 22
        (3, (2, 3, 3)),  # 3 of 23
        (8, (2, 3, 3)),  # 8 of 28
        (9, (3, 3, 3)),  # 9 of 29
        (40, (3, 3, 3)),
    ],
)
def test_nb_trans_by_loss_and_present_value(lost: int, by_present: tuple[int, int, int]) -> None:
    history = steady(-10.0, lost=lost)
    assert tuple(decided(history, nb_trans=present)[2] for present in (1, 2, 3)) == by_present


def test_template_limits_the_repetitions() -> None:
    assert decided(steady(-10.0, lost=9), AdrSettings(max_nb_trans=2)) == (0, 0, 2)


def test_losses_of_former_settings_do_not_count() -> None:
    history = steady(-10.0, lost=9)
    history.changed(0)
    assert decided(history, nb_trans=2) == (0, 0, 2)


def test_more_repetitions_than_the_table_knows_count_as_three() -> None:
    assert decided(steady(-10.0), AdrSettings(max_nb_trans=15), nb_trans=9) == (0, 0, 2)
