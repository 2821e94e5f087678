import pytest

from lns.lorawan.modulation import Fsk, Lora, LrFhss
from lns.mac.margin import margin_db


@pytest.mark.parametrize(
    ("snr_db", "modulation", "margin"),
    [
        (2.5, Lora(10, 125_000), 17.5),
        (-20.0, Lora(12, 500_000), 0.0),
        (None, Lora(7, 125_000), 0.0),
        (5.0, Fsk(50_000), 0.0),
        (5.0, LrFhss(137_000, "1/3"), 0.0),
    ],
)
def test_margin_is_db_above_the_floor_of_the_spreading_factor(snr_db, modulation, margin):
    assert margin_db(snr_db, modulation) == margin
