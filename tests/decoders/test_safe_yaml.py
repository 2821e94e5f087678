"""YAML that anyone may have written."""

import re
import time
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from decoders.safe_yaml import MAX_VALUES, YamlError, loads

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)

# PyYAML writes 1E3 without quotes: to YAML 1.1 it is a text, to YAML 1.2, which is read here, a number.
NUMBER_SINCE_1_2 = re.compile(r"[-+]?[0-9_]+[eE][-+]?[0-9]+")


def texts(most: int) -> st.SearchStrategy[str]:
    # << and = have a meaning of their own in YAML 1.1, and merge keys are refused here
    return st.text(max_size=most).filter(lambda text: text not in ("<<", "=") and not NUMBER_SINCE_1_2.fullmatch(text))


scalars = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | texts(9)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(5), inner, max_size=3))


@given(values)
def test_a_document_is_read_as_it_was_written(value: Any) -> None:
    assert loads(yaml.safe_dump(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("at: 2026-01-15", {"at": "2026-01-15"}),
        ("at: 2026-01-15T10:00:00Z", {"at": "2026-01-15T10:00:00Z"}),
        ("1: one\nno: yes\non: off", {"1": "one", "no": "yes", "on": "off"}),
        ("[true, False, ~, null, '']", [True, False, None, None, ""]),
        ("[010, 0x1F, 0o17, -7, +7, 1:30]", [10, 31, 15, -7, 7, "1:30"]),
        ("[1.5, 1e3, -.5, 2., 1_000]", [1.5, 1000.0, -0.5, 2.0, "1_000"]),
        ("a: -.inf", {"a": float("-inf")}),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("text: |\n  " + "-" * 140, {"text": "-" * 140}),
    ],
)
def test_values_are_those_of_json(text: str, value: Any) -> None:
    assert loads(text) == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" * 1_000_000, "values stand more than 150 deep"),
        ("{a: " * 1_000_000, "values stand more than 150 deep"),
        ("- " * 100_000, "values stand more than 150 deep"),
        ("? " * 100_000, "values stand more than 150 deep"),
        ("\n".join(f"{' ' * n}a:" for n in range(5000)), "values stand more than 150 deep"),
        (BOMB, f"there are more than {MAX_VALUES} values"),
        ("a: &a [*a]", f"there are more than {MAX_VALUES} values"),
        ("a: &a {x: 1}\nb:\n  <<: *a", "merge keys (<<) are not read"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("a: !!binary aGk=", "could not determine a constructor"),
        ("a: !!int x", "invalid literal for int()"),
        (f"a: {'9' * 5000}", "Exceeds the limit (4300 digits)"),
        ("a: 1\n---\nb: 2", "expected a single document"),
        ("a: [", "while parsing a flow node"),
        ("? [a]\n: 1", "while constructing a mapping"),
        ("a: \x01", "unacceptable character"),
    ],
)
def test_what_would_eat_the_machine_or_is_no_yaml_is_refused(text: str, problem: str) -> None:
    began = time.perf_counter()
    with pytest.raises(YamlError) as refused:
        loads(text)
    assert str(refused.value).startswith(problem)
    assert time.perf_counter() - began < 5


@given(st.text(alphabet="[]{}:,-?&*!|>'\"#% \n\tab1", max_size=60))
def test_any_text_is_a_value_or_refused(text: str) -> None:
    with suppress(YamlError):
        loads(text)
