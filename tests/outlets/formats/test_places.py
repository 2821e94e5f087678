"""Where a device says that it is."""

import pytest

from lns.exchange.records import Measurement
from lns.outlets.formats.places import Place, measured, nowhere
from tests.outlets.samples import AT_US, decoded


def at(time_us: int, **values: float | str) -> list[Measurement]:
    return [Measurement(f"position.{name}", time_us, value) for name, value in values.items()]


@pytest.mark.parametrize(
    ("measurements", "expected"),
    [
        ([], None),
        (at(AT_US, latitude=1.0), None),
        (at(AT_US, latitude=1.0) + at(AT_US - 1, longitude=2.0), None),  # of two times
        (at(AT_US, latitude=1.0, longitude=2.0), Place(1.0, 2.0)),
        (at(AT_US, latitude=1.0, longitude=2.0, altitude=3.0, accuracy=4.0), Place(1.0, 2.0, 3.0, 4.0)),
        (at(AT_US - 1, latitude=9.0, longitude=9.0) + at(AT_US, latitude=1.0, longitude=2.0), Place(1.0, 2.0)),
        (at(AT_US, latitude="north", longitude=2.0), None),
    ],
)
def test_a_place_is_both_coordinates_of_one_time(measurements: list[Measurement], expected: Place | None):
    assert measured(decoded(7, measurements=tuple(measurements))) == expected


def test_gateways_have_no_place_unless_somebody_says_so():
    assert nowhere("aa555a0000000001") is None
