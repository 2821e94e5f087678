"""How a value is written, the same in every command."""

import pytest

from lns.cli.measured import measured


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (33, None, "33"),
        (33.0, None, "33"),  # a store of doubles gives a count back like this
        (-0.0, "°C", "0 °C"),
        (1_234_567.0, None, "1234567"),  # a counter keeps all of its digits
        (2.0**60, None, "1.15292e+18"),  # beyond what a double holds exactly
        (21.123456789, "°C", "21.1235 °C"),
        (float("inf"), None, "inf"),
        (True, None, "true"),
        (False, None, "false"),
        ("[open]", None, "[open]"),
        (None, "V", "-"),
    ],
)
def test_a_value_is_written_as_it_was_meant(value, unit, text):
    assert measured(value, unit) == text
