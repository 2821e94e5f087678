from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from lns.registry.explain import explained


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    size: Annotated[int, Meta(le=9)] = 0


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    mode: Literal["on", "off"] = "on"
    inner: Inner = Inner()
    many: list[Inner] = []
    app_key: Annotated[str, Meta(max_length=4)] = ""
    keys: dict[str, str] = {}
    password: str = ""


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"x": 1}, "the object has no field 'x'"),
        ({"inner": {"x": 1}}, "inner has no field 'x'"),
        ({"inner": {"sice": 1}}, "inner has no field 'sice'; did you mean size"),
        ({"many": [{"sice": 1}]}, "many[0] has no field 'sice'"),
        ({"mode": "up"}, "mode is 'up', expected one of 'on', 'off'"),
        ({"inner": {"size": 10}}, "inner.size is 10, expected int <= 9"),
        ({"many": [{}, {"size": "s"}]}, "many[1].size is 's', expected int, got str"),
        ({"many": 5}, "many is 5, expected array, got int"),
        ({"inner": []}, "inner: expected object, got array"),
        # keys stay out of logs
        ({"app_key": "0123456789"}, "app_key: expected str of length <= 4"),
        ({"password": 471100}, "password: expected str, got int"),
        ({"keys": {"a": 7}}, "keys[...]: expected str, got int"),
    ],
)
def test_complaint_names_field_and_value(given: dict[str, Any], text: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(given, Outer)
    assert explained(str(caught.value), given, Outer) == text


def test_object_has_a_name() -> None:
    given = {"inner": {"size": 10}}
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(given, Outer)
    assert explained(str(caught.value), given, Outer, "network") == "network.inner.size is 10, expected int <= 9"


class Needed(msgspec.Struct):
    url: str
    size: int = 0

    def __post_init__(self) -> None:
        if self.size > 9:
            raise ValueError("Size is too much")


@pytest.mark.parametrize(
    ("given", "name", "text"),
    [
        ({}, "", "url is missing"),
        ({}, "hook", "hook.url is missing"),
        ({"url": "x", "size": 10}, "", "Size is too much"),  # the struct's own words stay as they are
    ],
)
def test_what_is_missing_is_named_and_a_struct_speaks_for_itself(given: dict[str, Any], name: str, text: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(given, Needed)
    assert explained(str(caught.value), given, Needed, name) == text
