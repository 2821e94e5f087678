"""The demo sensor's payload, against the examples that its codec ships with."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.payloads import FIELDS, expected, reading

CODEC = Path(__file__).parents[2] / "codecs/inflight/demo-sensor"
EXAMPLES = [e for e in json.loads((CODEC / "examples.json").read_bytes()) if "data" in e["output"]]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["description"])
def test_expects_what_the_codec_decodes(example):
    assert expected(bytes(example["input"]["bytes"])) == example["output"]["data"]


def test_layout_is_the_documented_one():
    # format, 18.13 degrees, 52.5 %, 3600 mV, counter 2**32 - 1, flags
    payload = bytes.fromhex("010715690e10fffffffe00")
    assert expected(payload) == {"temperature": 18.13, "humidity": 52.5, "battery": 3.6, "counter": 4294967294.0}


@given(st.integers(0, 1 << 20), st.integers(0, 1 << 33))
def test_readings_are_plausible_and_carry_their_counter(device, counter):
    fields = expected(reading(device, counter))
    assert tuple(fields) == FIELDS
    assert fields["counter"] == counter % 2**32
    assert 10 < fields["temperature"] < 35
    assert 25 < fields["humidity"] < 80
    assert 2.7 <= fields["battery"] <= 3.6


def test_a_reading_follows_from_device_and_counter_alone():
    assert reading(3, 17) == reading(3, 17)
    assert reading(3, 17) != reading(4, 17)


def test_another_format_is_refused():
    with pytest.raises(ValueError, match=r"^payload format is 2, only 1 is known$"):
        expected(bytes.fromhex("0207156969e10fffffffe0"))
