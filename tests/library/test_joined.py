"""A decoder and an encoder in files of their own."""

import time

import pytest

from decoders.contract import Downlink
from lns.library.joined import joined
from tests.decoders.conftest import RECEIVED_US, key_of, request, running

DECODER = """var FACTOR = 10;
function decodeUplink(input) { return { data: { level: input.bytes[0] * FACTOR } }; }"""
ENCODER = """var FACTOR = 2;
function encodeDownlink(input) { return { bytes: [input.data.level * FACTOR], fPort: 3 }; }
function decodeDownlink(input) { return { data: { level: input.bytes[0] / FACTOR } }; }"""


async def test_helpers_of_the_same_name_stay_apart() -> None:
    source = joined(DECODER, ENCODER)
    async with running() as pool:
        (up,) = await pool.decode(key_of(source), source, [request(b"\x05")])
        down = await pool.encode_downlink(
            key_of(source), source, Downlink(b'{"level": 5}', 1, RECEIVED_US, "0" * 16, 0, {})
        )
        (back,) = await pool.decode_downlink(key_of(source), source, [request(down.payload)])
    assert (up.data_json, down.payload, down.fport) == (b'{"level":50}', b"\x0a", 3)
    assert back.data_json == b'{"level":5}'


@pytest.mark.parametrize("encoder", [None, DECODER, "// function encodeDownlink", "var x = 1;"])
def test_an_encoder_that_adds_nothing_leaves_the_decoder_as_it_is(encoder: str | None) -> None:
    assert joined(DECODER, encoder) == DECODER


def test_lines_of_the_decoder_stay_where_they_are() -> None:
    assert joined(DECODER, ENCODER).splitlines()[:2] == DECODER.splitlines()


def test_a_long_file_of_blank_lines_takes_no_time() -> None:
    began = time.perf_counter()
    joined(DECODER, "\n" * 500_000)
    assert time.perf_counter() - began < 2
