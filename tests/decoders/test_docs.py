"""The page for decoder authors tells the truth: its scripts, its table of measurements, its limits."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from decoders.contract import MAX_SOURCE_BYTES, MAX_STATE_LENGTH, Error, Sample
from decoders.conventions import CONTEXT_KEYS, CONVENTIONS
from decoders.normalise import MAX_DEPTH, MAX_FIELD_LENGTH, MAX_SAMPLES
from decoders.runner import run_once
from decoders.wire import LOAD_CPU_S
from tests.decoders.conftest import RECEIVED_US, Decode

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = (Path(__file__).parents[2] / "docs" / "decoders.md").read_text("utf-8")
SCRIPTS = re.findall(r"^```js\n(.*?)^```\n(?:```json\n(.*?)^```$)?", PAGE, re.DOTALL | re.MULTILINE)
ROWS = re.findall(r"^\| `([{\[].*[}\]])` \| (.*) \|$", PAGE, re.MULTILINE)


def sample(shown: dict[str, Any]) -> Sample:
    """A measurement as the JSON below a script writes it."""
    value = shown["value"] if isinstance(shown["value"], bool | str) else float(shown["value"])
    return shown["field"], value, shown.get("unit"), None


def cell(found: Sample) -> str:
    """A measurement as the table writes it."""
    field, value, unit, time_us = found
    shown = f"{value:.12g}" if isinstance(value, float) else value if isinstance(value, str) else str(value).lower()
    words = [f"`{field}`", shown]
    if unit is not None:
        words.append(unit)
    if time_us is not None:
        words.append(f"at {datetime.fromtimestamp(time_us / 1e6, UTC):%Y-%m-%dT%H:%M:%SZ}")
    return " ".join(words)


async def test_the_page_has_its_examples() -> None:
    assert (len(SCRIPTS), len(ROWS)) == (6, 13)


@pytest.mark.parametrize(("source", "expected"), SCRIPTS, ids=range(len(SCRIPTS)))
async def test_a_script_gives_the_measurements_below_it(source: str, expected: str) -> None:
    shown = json.loads(expected)
    payload, variables = bytes.fromhex(shown["bytes"]), shown.get("variables", {})
    result = await run_once(source, payload, shown["fPort"], RECEIVED_US, variables)
    assert result.error is None
    assert (result.samples, result.warnings) == ([sample(row) for row in shown["measurements"]], [])


@pytest.mark.parametrize(("data", "expected"), ROWS, ids=[data for data, _ in ROWS])
async def test_data_becomes_the_measurements_beside_it(decode: Decode, data: str, expected: str) -> None:
    result = await decode(f"function decodeUplink(input) {{ return {{data: {data}}}; }}")
    assert result.error is None
    assert ", ".join(cell(found) for found in result.samples) == ("" if expected == "none" else expected)


@pytest.mark.parametrize(
    "row",
    [
        f"| CPU time of the top level | {LOAD_CPU_S * 1000:.0f} ms |",
        f"| source | {MAX_SOURCE_BYTES // 1024} KiB |",
        f"| measurements of an uplink | {MAX_SAMPLES} |",
        f"| nesting | {MAX_DEPTH} levels |",
        f"| field name | {MAX_FIELD_LENGTH} characters |",
        f"| state of a device | {MAX_STATE_LENGTH:,} characters of JSON |",
    ],
)
async def test_limits_are_those_of_the_code(row: str) -> None:
    assert row in PAGE


async def test_every_convention_and_key_is_listed() -> None:
    rows = set(re.findall(r"^\| `(\w+)`", PAGE, re.MULTILINE))
    assert set(CONVENTIONS) <= rows
    keys = PAGE.partition("### More than the portable keys")[2].partition("### State")[0]
    assert set(CONTEXT_KEYS) <= set(re.findall(r"`(\w+)`", keys))


async def test_every_reason_of_an_error_is_explained() -> None:
    listed = " ".join((Error.__doc__ or "").partition("Reasons: ")[2].split()).rstrip(".")
    reasons = re.sub(r" \([^)]*\)", "", listed).split(", ")
    errors = PAGE.partition("\n## Errors\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", errors, re.MULTILINE)) == set(reasons)
