"""Examples in the format in which they are stored: writing and reading gives them back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.example_files import ExampleError
from decoders.examples import Example, Expected, Input
from lns.library.example_json import from_ts013, to_ts013

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
texts = st.lists(st.text(max_size=9), min_size=1, max_size=2).map(tuple)
names = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2)
times = st.none() | st.integers(0, 4_000_000_000_000).map(lambda milliseconds: milliseconds * 1000)
decodes = st.builds(
    Example,
    st.sampled_from(["uplink", "downlink-decode"]),
    st.text(min_size=1, max_size=9),
    st.builds(Input, st.binary(max_size=9), st.integers(0, 255), times, names),
    st.builds(Expected, json_values, st.none(), st.none() | texts) | st.builds(Expected, st.none(), texts, st.none()),
)
encodes = st.builds(
    Example,
    st.just("downlink-encode"),
    st.text(min_size=1, max_size=9),
    st.builds(Input, st.just(b""), st.integers(0, 255), times, names, json_values),
    st.builds(Expected, st.none(), st.none(), st.none() | texts, st.binary(max_size=9), st.integers(0, 255)),
)


@given(st.lists(decodes | encodes, max_size=3))
def test_what_is_written_is_read_back(examples: list[Example]) -> None:
    assert from_ts013([to_ts013(example) for example in examples]) == examples


@pytest.mark.parametrize("entry", [{}, {"input": {}}, {"type": "x"}, {"input": {"bytes": "zz"}, "output": {}}])
def test_an_entry_that_is_none_is_named(entry: dict[str, Any]) -> None:
    with pytest.raises(ExampleError, match="example 0: "):
        from_ts013([entry])
