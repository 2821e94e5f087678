"""Comparing what a codec gives with what an example wants, and running examples through a pool."""

from typing import Any

import pytest

from decoders.examples import Difference, Example, Expected, Input, compare, run_examples
from decoders.pool import Pool

SOURCE = """
function decodeUplink(input) {
  console.log('port', input.fPort);
  if (input.bytes[0] > 100) return { errors: ['level is impossible'] };
  return { data: { level: input.bytes[0], at: input.recvTime.toISOString() }, warnings: ['level is rough'] };
}
function encodeDownlink(input) {
  if (input.data.level > 9) return { errors: ['level is too high'] };
  return { bytes: [input.data.level], fPort: 3, warnings: ['slow'] };
}
function decodeDownlink(input) { return { data: { level: input.bytes[0] } }; }
"""
DATA = {"level": 5, "at": "2026-01-15T10:00:00.000Z"}
UP = Input(b"\x05", 2)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ({"a": None}, {}),
        ({}, {"a": None}),
        (-0.0, 0),
        (0.1 + 0.2, 0.3),
        ("21.50", 21.5),
        (21.5, "21.50"),
        ([1, {"a": [2]}], [1, {"a": [2.0]}]),
        ("x", "x"),
    ],
)
def test_what_platforms_write_differently_is_the_same(expected: Any, got: Any) -> None:
    assert compare(expected, got) == []


@pytest.mark.parametrize(
    ("expected", "got", "differences"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [Difference("data.a.b", 1, 2)]),
        ({"a": 1}, {"b": 1}, [Difference("data.a", 1, None), Difference("data.b", None, 1)]),
        ([1, 2], [1], [Difference("data.length", 2, 1)]),
        ([1, 2], [1, 3], [Difference("data.1", 2, 3)]),
        (True, 1, [Difference("data", True, 1)]),
        (0, False, [Difference("data", 0, False)]),
        ("1x", 1, [Difference("data", "1x", 1)]),
        ({"a": 1}, [1], [Difference("data", {"a": 1}, [1])]),
    ],
)
def test_differences_have_their_place(expected: Any, got: Any, differences: list[Difference]) -> None:
    assert compare(expected, got) == differences


def test_a_difference_reads_as_a_line() -> None:
    assert Difference("data.a", 1, None).text() == "data.a: expected 1, got nothing"
    assert len(Difference("data.a", "x" * 1000, 2).text()) < 250


@pytest.mark.parametrize(
    ("example", "differences"),
    [
        (Example("uplink", "", UP, Expected(DATA)), []),
        (Example("uplink", "", Input(b"\x05", 2, 0), Expected({**DATA, "at": "1970-01-01T00:00:00.000Z"})), []),
        (Example("uplink", "", UP, Expected(DATA, warnings=("level is rough",))), []),
        (Example("uplink", "", UP, Expected({**DATA, "level": 6})), ["data.level: expected 6, got 5"]),
        (
            Example("uplink", "", UP, Expected(DATA, warnings=("fog",))),
            ['warnings: expected ["fog"], got ["level is rough"]'],
        ),
        (Example("uplink", "", UP, Expected(errors=())), ["errors: expected [], got nothing"]),
        (Example("uplink", "", Input(b"\xff", 2), Expected(errors=("level is impossible",))), []),
        (Example("uplink", "", Input(b"\xff", 2), Expected(errors=())), []),
        (
            Example("uplink", "", Input(b"\xff", 2), Expected(errors=("too long",))),
            ['errors: expected ["too long"], got ["level is impossible"]'],
        ),
        (
            Example("uplink", "", Input(b"\xff", 2), Expected(DATA)),
            ['errors: expected nothing, got ["level is impossible"]'],
        ),
        (Example("downlink-encode", "", Input(data={"level": 7}), Expected(payload=b"\x07", fport=3)), []),
        (
            Example("downlink-encode", "", Input(data={"level": 7}), Expected(payload=b"\x08")),
            ['bytes: expected "08", got "07"'],
        ),
        (
            Example("downlink-encode", "", Input(data={"level": 7}), Expected(payload=b"\x07", fport=4)),
            ["fPort: expected 4, got 3"],
        ),
        (Example("downlink-encode", "", Input(data={"level": 10}), Expected(errors=("too high",))), []),
        (Example("downlink-decode", "", Input(b"\x07", 3), Expected({"level": 7})), []),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_examples_are_run(pool: Pool, example: Example, differences: list[str]) -> None:
    (outcome,) = await run_examples(pool, SOURCE, None, [example])
    assert [difference.text() for difference in outcome.differences] == differences
    assert outcome.passed == (differences == [])


@pytest.mark.asyncio(loop_scope="module")
async def test_an_outcome_tells_logs_and_time(pool: Pool) -> None:
    (outcome,) = await run_examples(pool, SOURCE, None, [Example("uplink", "", UP, Expected(DATA))])
    assert "port 2" in outcome.logs[0]
    assert outcome.duration_us > 0
