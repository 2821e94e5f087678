from collections.abc import Callable
from typing import Any

import pytest

from lns.registry.errors import RegistryError
from lns.registry.fields import check_name, check_pairs, check_range, check_region, check_text, check_version
from tests.registry.samples import NO_REGION


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (check_name, "x" * 64),
        (check_text, "x" * 1000),
        (check_text, ""),
        (check_region, "US915"),
        (check_region, None),
        (check_region, "CN470-26B"),
        (check_version, "1.0.4"),
        (check_version, "1.1"),
        (check_pairs, {f"{i:064}": "x" * 256 for i in range(32)}),
    ],
)
def test_the_largest_value_that_fits_is_given_back(check: Callable[[str, Any], Any], value: Any) -> None:
    assert check("field", value) == value


def test_other_names_of_a_region_and_a_version_are_known() -> None:
    assert (check_region("field", "AS923"), check_version("field", "1.1.0")) == ("AS923-1", "1.1")


@pytest.mark.parametrize("value", [0, 9])
def test_both_ends_of_a_range_belong_to_it(value: int) -> None:
    assert check_range("field", value, 0, 9) == value


@pytest.mark.parametrize(
    ("check", "value", "text"),
    [
        (check_name, "x" * 65, "field has 65 characters, at most 64 fit"),
        (check_text, "x" * 1001, "field has 1001 characters, at most 1000 fit"),
        (check_region, "XX", f"field: {NO_REGION}"),
        (check_version, "1.0.5", "field is '1.0.5', known are 1.0.0, 1.0.1, 1.0.2, 1.0.3, 1.0.4, 1.1"),
        (check_pairs, {"x" * 65: ""}, f"field has the name '{'x' * 65}': 1 to 64 characters are needed"),
        (check_pairs, {"a": "x" * 257}, "field.a has 257 characters, at most 256 fit"),
    ],
)
def test_one_more_is_refused_with_the_limit(check: Callable[[str, Any], Any], value: Any, text: str) -> None:
    with pytest.raises(RegistryError) as caught:
        check("field", value)
    assert str(caught.value) == text
