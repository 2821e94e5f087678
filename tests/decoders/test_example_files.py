"""Files of examples in the formats of the platforms."""

import time
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.example_files import ExampleError, read, read_chirpstack, read_milesight, read_ts013, read_ttn
from decoders.examples import Example, Expected, Input

AT_US = 1_768_471_200_000_000

TS013 = """[
  {"type": "uplink", "description": "warm",
   "input": {"bytes": [1, "0xff"], "fPort": 2, "recvTime": "2026-01-15T10:00:00.000Z"},
   "output": {"data": {"t": 1}, "warnings": ["low battery"]}},
  {"type": "uplink", "input": {"bytes": "01 FF", "fPort": 2}, "output": {"errors": ["too short"]}},
  {"type": "downlink-encode", "input": {"data": {"on": true}}, "output": {"bytes": [1], "fPort": 3}},
  {"type": "downlink-decode", "input": {"bytes": [1], "fPort": 3}, "output": {"data": {"on": true}}}
]"""

TTN = """
uplinkDecoder:
  fileName: x.js
  examples:
    - description: warm
      input: {fPort: 2, bytes: [0x01, 255]}
      output: {data: {t: 1, at: 2026-01-15}}
      normalizedOutput: {data: [{air: {temperature: 1}}]}
downlinkEncoder:
  examples:
    - input: {data: {on: true}}
      output: {bytes: [1], fPort: 3}
downlinkDecoder:
  examples:
    - input: {fPort: 3, bytes: [1]}
      output: {errors: [unknown]}
"""

CHIRPSTACK = """// written by hand
[{name: 'warm', "input": {"fPort": 2, "bytes": [0x01, 0xff], "variables": {"k": 1},},
  "expected": {"data": {"t": 1,},},}]
"""

README = """# Model
```json
// 01 ff
{
    "t": 1, // degrees
}
// 0x02
{ "t": 2 }
```
```js
// 03
{ "t": 3 }
```
"""


def test_ts013() -> None:
    assert read("acme/examples.json", TS013) == [
        Example("uplink", "warm", Input(b"\x01\xff", 2, AT_US), Expected({"t": 1}, None, ("low battery",))),
        Example("uplink", "example 2", Input(b"\x01\xff", 2), Expected(None, ("too short",))),
        Example("downlink-encode", "example 3", Input(data={"on": True}), Expected(payload=b"\x01", fport=3)),
        Example("downlink-decode", "example 4", Input(b"\x01", 3), Expected({"on": True})),
    ]


def test_ts013_of_older_drivers() -> None:
    text = (
        '{"examples": [{"input": {"bytes": "01", "fPort": 2, "time": "2026-01-15T11:00:00+01:00"}, "data": {"t": 1}}]}'
    )
    assert read_ts013(text) == [Example("uplink", "example 1", Input(b"\x01", 2, AT_US), Expected({"t": 1}))]


def test_the_device_repository() -> None:
    normalized = [{"air": {"temperature": 1}}]
    assert read("tank-codec.yaml", TTN) == [
        Example(
            "uplink",
            "warm",
            Input(b"\x01\xff", 2),
            Expected({"t": 1, "at": "2026-01-15"}, normalized=normalized),
        ),
        Example("downlink-encode", "example 2", Input(data={"on": True}), Expected(payload=b"\x01", fport=3)),
        Example("downlink-decode", "example 3", Input(b"\x01", 3), Expected(errors=("unknown",))),
    ]


@pytest.mark.parametrize(
    ("name", "kind"), [("test_decode_x.json", "uplink"), ("test_encode_x.json", "downlink-encode")]
)
def test_chirpstack_is_javascript_and_its_name_says_which_way(name: str, kind: str) -> None:
    (example,) = read(name, CHIRPSTACK)
    assert (example.kind, example.description, example.input.variables) == (kind, "warm", {"k": "1"})
    if kind == "uplink":
        assert (example.input.payload, example.expected.data) == (b"\x01\xff", {"t": 1})


@pytest.mark.parametrize("text", [README, README.replace("\n", "\r\n")])
def test_a_readme_of_milesight(text: str) -> None:
    assert read("README.md", text) == [
        Example("uplink", "example 1", Input(b"\x01\xff", 85), Expected({"t": 1})),
        Example("uplink", "example 2", Input(b"\x02", 85), Expected({"t": 2})),
    ]


def test_a_long_line_of_spaces_takes_no_time() -> None:
    began = time.perf_counter()
    assert read_milesight("```json\n// 0" + " " * 500_000 + "x\n```\n") == []
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("1", "a file of examples is a list of objects"),
        ("[1]", "a file of examples is a list of objects"),
        ("{", "the text is no JSON: "),
        ("[" * 100_000, "values stand too deep"),
        ('{"type": "x"}', "example 0: type 'x' is none of uplink, downlink-encode, downlink-decode, downlink"),
        ('{"output": {}}', "example 0: it needs an input and an output, which are objects"),
        ('{"input": [], "output": {}}', "example 0: it needs an input and an output, which are objects"),
        ('{"input": {}, "output": {}}', "example 0: bytes is neither a list nor hexadecimal text"),
        ('{"input": {"bytes": "xx"}, "output": {}}', "example 0: bytes cannot be read: "),
        ('{"input": {"bytes": [{}]}, "output": {}}', "example 0: bytes cannot be read: "),
        ('{"input": {"bytes": ["1ff"]}, "output": {}}', "example 0: bytes cannot be read: "),
        ('{"input": {"bytes": [], "fPort": 256}, "output": {}}', "example 0: fPort is 256, 0 to 255 are possible"),
        ('{"input": {"bytes": [], "fPort": "1"}, "output": {}}', "example 0: fPort is '1', 0 to 255 are possible"),
        ('{"input": {"bytes": [], "variables": [1]}, "output": {}}', "example 0: it needs an input and an output"),
        (
            '{"input": {"bytes": [], "recvTime": "noon"}, "output": {}}',
            "example 0: recvTime 'noon' is no ISO 8601 time",
        ),
        ('{"input": {"bytes": []}, "output": {"errors": 1}}', "example 0: errors is no list"),
    ],
)
def test_an_example_that_cannot_be_read_is_named(entry: str, problem: str) -> None:
    with pytest.raises(ExampleError) as refused:
        read_ts013(entry)
    assert str(refused.value).startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "not YAML: "),
        ("uplinkDecoder: {examples: 1}", "a file of examples is a list of objects"),
        ("uplinkDecoder: {examples: [x]}", "a file of examples is a list of objects"),
        ("uplinkDecoder: {examples: [{output: [1]}]}", "example 0: it needs an input and an output"),
    ],
)
def test_a_codec_file_that_cannot_be_read_says_why(text: str, problem: str) -> None:
    with pytest.raises(ExampleError) as refused:
        read_ttn(text)
    assert str(refused.value).startswith(problem)


@pytest.mark.parametrize("text", ["", "[]", "- uplinkDecoder", "uplinkDecoder: 1", "uplinkDecoder: {examples: null}"])
def test_a_codec_file_without_examples_has_none(text: str) -> None:
    assert read_ttn(text) == []


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["input", "output", "bytes", "fPort", "data", "errors", "expected", "recvTime", "type"]
                ),
                inner,
                max_size=4,
            )
        ),
    )
)
def test_any_json_gives_examples_or_a_reason(value: Any) -> None:
    text = msgspec.json.encode(value).decode()
    for reading in (read_ts013, lambda text: read_chirpstack(text, "uplink"), read_ttn, read_milesight):
        with suppress(ExampleError):
            assert all(isinstance(example, Example) for example in reading(text))
