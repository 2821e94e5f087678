"""The limits every store shares."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.series.checks import EARLIEST_US, LATEST_US, problems, stored_value, stored_values
from lns.series.store import Rejected, Rows
from tests.series.build import DAY_US, T0, row

GOOD: dict[str, Any] = {
    "the first instant": {"time_us": EARLIEST_US},
    "a day ahead, less a microsecond": {"time_us": T0 + DAY_US - 1},
    "the longest field": {"field": "f" * 128},
    "the longest unit": {"unit": "u" * 32},
    "no unit": {"unit": None},
    "the longest text": {"value": "x" * 4096},
    "the longest text of two-octet letters": {"value": "é" * 2048},
    "the largest number": {"value": 1.7976931348623157e308},
    "a large integer": {"value": 10**308},
}

BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "early": (
        {"time_us": EARLIEST_US - 1},
        "time_out_of_range",
        "time is 946684799999999 us, from 946684800000000 to 4102444800000000 us fit",
    ),
    "late": (
        {"time_us": LATEST_US},
        "time_out_of_range",
        "time is 4102444800000000 us, from 946684800000000 to 4102444800000000 us fit",
    ),
    "ahead": ({"time_us": T0 + DAY_US}, "time_in_future", "time is 86400 s ahead, at most 86400 s fit"),
    "float time": ({"time_us": 1.5}, "wrong_type", "time is float, microseconds must be an integer"),
    "boolean time": ({"time_us": True}, "wrong_type", "time is bool, microseconds must be an integer"),
    "no field": ({"field": ""}, "field_empty", "field name is empty"),
    "long field": ({"field": "f" * 129}, "field_too_long", "field is 129 characters, at most 128 fit"),
    "numeric field": ({"field": 3}, "wrong_type", "field is int, it must be text"),
    "unhashable field": ({"field": []}, "wrong_type", "field is list, it must be text"),
    "broken field": ({"field": "\udc00"}, "not_unicode", "field holds half a surrogate pair"),
    "long unit": ({"unit": "u" * 33}, "unit_too_long", "unit is 33 characters, at most 32 fit"),
    "numeric unit": ({"unit": 1.0}, "wrong_type", "unit is float, it must be text"),
    "nan": ({"value": math.nan}, "not_finite", "value is not a finite float64"),
    "infinity": ({"value": -math.inf}, "not_finite", "value is not a finite float64"),
    "huge integer": ({"value": 10**309}, "not_finite", "value is not a finite float64"),
    "long text": ({"value": "é" * 2049}, "text_too_long", "text is 4098 bytes, at most 4096 fit"),
    "broken text": ({"value": "\ud800"}, "not_unicode", "value holds half a surrogate pair"),
    "none": ({"value": None}, "wrong_type", "value is NoneType, it must be a number, a boolean or text"),
    "octets": ({"value": b"x"}, "wrong_type", "value is bytes, it must be a number, a boolean or text"),
}


@pytest.mark.parametrize("change", GOOD.values(), ids=GOOD)
def test_what_fits_is_let_through_alone_and_beside_a_bad_row(change):
    good = msgspec.structs.replace(row(), **change)
    bad = row(value=math.nan)
    assert problems(Rows.of([good]), T0) == []
    assert [r.index for r in problems(Rows.of([good, bad, good]), T0)] == [1]


@pytest.mark.parametrize(("change", "code", "reason"), BAD.values(), ids=BAD)
def test_what_does_not_fit_is_named_alone_and_in_company(change, code, reason):
    bad = msgspec.structs.replace(row(), **change)
    company = [row(value=1.0), bad, row(value="text"), row(value=True)]
    assert problems(Rows.of([bad]), T0) == [Rejected(0, code, reason)]
    assert problems(Rows.of(company), T0) == [Rejected(1, code, reason)]


def test_an_empty_batch_has_no_problems():
    assert problems(Rows(), T0) == []


@given(st.lists(st.floats() | st.booleans() | st.text(max_size=3) | st.integers(-(2**70), 2**70)))
def test_a_column_is_judged_like_its_rows(values):
    whole = problems(Rows.of(row(i, value) for i, value in enumerate(values)), T0)
    single = [i for i, value in enumerate(values) if problems(Rows.of([row(i, value)]), T0)]
    assert [r.index for r in whole] == single


@given(st.lists(st.floats(allow_nan=False)) | st.lists(st.floats(allow_nan=False) | st.booleans() | st.text()))
def test_a_column_is_stored_like_its_values(values):
    assert [repr(v) for v in stored_values(values)] == [repr(stored_value(v)) for v in values]
