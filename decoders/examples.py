"""Examples of what a codec makes of an input, and how far a codec does so.

The files they are read from are in example_files.py. Comparing is lenient where the platforms that wrote the examples
differ: null is the same as absent, -0 as 0, and numbers may differ in their last digits.
"""

import hashlib
import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Literal

import msgspec

from decoders.contract import BUILTIN_CAYENNE_LPP, Downlink, Encoded, Error, Request, Result
from decoders.pool import Pool

Kind = Literal["uplink", "downlink-encode", "downlink-decode"]

DEFAULT_RECV_TIME_US = 1_768_471_200_000_000  # 2026-01-15T10:00:00Z, for examples that do not name a time
_DEV_EUI = "0" * 16


class Input(msgspec.Struct, frozen=True):
    """What the codec is given: octets, or the data to encode. `recv_time_us` is UTC, None where the file has none."""

    payload: bytes = b""
    fport: int = 1
    recv_time_us: int | None = None
    variables: dict[str, str] = {}
    data: Any = None


class Expected(msgspec.Struct, frozen=True):
    """What is to come out. `errors` not None: the decode has to fail; `payload` and `fport`: of an encoded downlink;
    None anywhere else: not looked at."""

    data: Any = None
    errors: tuple[str, ...] | None = None
    warnings: tuple[str, ...] | None = None
    payload: bytes | None = None
    fport: int | None = None
    normalized: Any = None


class Example(msgspec.Struct, frozen=True):
    """An input and what a codec has to make of it."""

    kind: Kind
    description: str
    input: Input
    expected: Expected


class Difference(msgspec.Struct, frozen=True):
    """A place in the result, such as `data.air.temperature`, and what is there. None stands for nothing."""

    path: str
    expected: Any
    got: Any

    def text(self) -> str:
        """The difference as one line for people."""
        return f"{self.path}: expected {_shown(self.expected)}, got {_shown(self.got)}"


class Outcome(msgspec.Struct, frozen=True):
    """How an example went. `got` has what came out: data, warnings, errors, and bytes and fPort of a downlink."""

    example: Example
    differences: tuple[Difference, ...]
    got: dict[str, Any]
    error: Error | None = None
    logs: tuple[str, ...] = ()
    duration_us: int = 0
    memory_bytes: int = 0

    @property
    def passed(self) -> bool:
        """Nothing differs."""
        return not self.differences


async def run_examples(
    pool: Pool, source: str, convention: str | None, examples: Sequence[Example], measure: bool = True
) -> list[Outcome]:
    """Run examples, in their order; `convention` None: as recognised from the script, empty source: Cayenne LPP.

    `measure` runs them one by one, so that each tells its memory; else they share their ways to the worker.
    """
    key = hashlib.sha256(source.encode("utf-8", "replace")).hexdigest() if source else BUILTIN_CAYENNE_LPP
    outcomes: list[Outcome] = []
    for kind, grouped in groupby(examples, lambda example: example.kind):
        group = list(grouped)
        if kind == "downlink-encode":
            encoded = [await pool.encode_downlink(key, source, _downlink(one.input), convention) for one in group]
            outcomes += map(_encoded, group, encoded)
            continue
        requests = [_request(one.input) for one in group]
        if kind == "downlink-decode":
            results = await pool.decode_downlink(key, source, requests, convention)
        elif measure:
            results = [(await pool.decode(key, source, [one], convention, measure=True))[0] for one in requests]
        else:
            results = await pool.decode(key, source, requests, convention)
        outcomes += map(_decoded, group, results)
    return outcomes


def _request(given: Input) -> Request:
    return Request(given.payload, given.fport, _at_us(given), _DEV_EUI, 0, given.variables)


def _downlink(given: Input) -> Downlink:
    return Downlink(msgspec.json.encode(given.data), given.fport, _at_us(given), _DEV_EUI, 0, given.variables)


def _at_us(given: Input) -> int:
    return DEFAULT_RECV_TIME_US if given.recv_time_us is None else given.recv_time_us


def compare(expected: Any, got: Any, path: str = "data") -> list[Difference]:
    """Where two values of decoded JSON differ."""
    if isinstance(expected, dict) and isinstance(got, dict):
        found = []
        for key in dict.fromkeys((*expected, *got)):
            found += compare(expected.get(key), got.get(key), f"{path}.{key}")
        return found
    if isinstance(expected, list) and isinstance(got, list):
        found = [
            difference
            for index, (left, right) in enumerate(zip(expected, got, strict=False))
            for difference in compare(left, right, f"{path}.{index}")
        ]
        if len(expected) != len(got):
            found.append(Difference(f"{path}.length", len(expected), len(got)))
        return found
    return [] if _same(expected, got) else [Difference(path, expected, got)]


def _same(expected: Any, got: Any) -> bool:
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, (int, float)) and isinstance(got, (int, float)):
        return math.isclose(expected, got, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(expected, str) and isinstance(got, (int, float)):
        return _number_text(expected, got)
    if isinstance(got, str) and isinstance(expected, (int, float)):
        return _number_text(got, expected)
    return bool(expected == got)


def _number_text(text: str, number: float) -> bool:
    """toFixed() gives text, which some platforms' examples have as a number."""
    try:
        return math.isclose(float(text), number, rel_tol=1e-9, abs_tol=1e-9)
    except ValueError:
        return False


def _decoded(example: Example, result: Result) -> Outcome:
    got: dict[str, Any] = {}
    if result.data_json:
        got["data"] = msgspec.json.decode(result.data_json)
    if result.normalized_json:
        got["normalized"] = msgspec.json.decode(result.normalized_json)
    if result.warnings:
        got["warnings"] = result.warnings
    if result.error is not None:
        got["errors"] = [result.error.message]
    expected = example.expected
    differences = _messages(expected, got)
    if not differences and expected.errors is None:
        differences = compare(expected.data, got.get("data"))
        if expected.normalized is not None:
            differences += compare(expected.normalized, got.get("normalized"), "normalized")
    return Outcome(
        example,
        tuple(differences),
        got,
        result.error,
        tuple(result.logs),
        result.duration_us,
        result.memory_bytes,
    )


def _encoded(example: Example, encoded: Encoded) -> Outcome:
    got: dict[str, Any] = {}
    if encoded.error is None:
        got = {"bytes": list(encoded.payload), "fPort": encoded.fport}
    else:
        got["errors"] = [encoded.error.message]
    if encoded.warnings:
        got["warnings"] = encoded.warnings
    expected = example.expected
    differences = _messages(expected, got)
    if not differences and expected.payload is not None and expected.payload != encoded.payload:
        differences = [Difference("bytes", expected.payload.hex(" "), encoded.payload.hex(" "))]
    if not differences and expected.fport is not None and encoded.error is None and expected.fport != encoded.fport:
        differences = [Difference("fPort", expected.fport, encoded.fport)]
    return Outcome(example, tuple(differences), got, encoded.error, tuple(encoded.logs), encoded.duration_us)


def _messages(expected: Expected, got: dict[str, Any]) -> list[Difference]:
    """Errors have to be there or not; where both have texts, one has to contain the other."""
    wanted, found = expected.errors, got.get("errors")
    if (wanted is None) != (found is None):
        return [Difference("errors", None if wanted is None else list(wanted), found)]
    if wanted and found and not any(_alike(text, found[0]) for text in wanted):
        return [Difference("errors", list(wanted), found)]
    missing = [text for text in expected.warnings or () if not any(_alike(text, w) for w in got.get("warnings", ()))]
    return [Difference("warnings", missing, got.get("warnings"))] if missing else []


def _alike(expected: str, got: str) -> bool:
    return expected in got or got in expected


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 200 else text[:197] + "..."
