"""What running a codec gave, as JSON: for the API's answers and for `lns codec run` and `lns codec test`. Pure."""

from typing import Any

import msgspec

from decoders.contract import Error, Result
from decoders.examples import Outcome
from decoders.naming import review
from lns.api import times
from lns.library.excerpt import excerpt


def run_reply(result: Result, source: str) -> dict[str, Any]:
    """What a codec made of a payload, and what of it would be stored for a device whose template says nothing."""
    good = result.error is None
    reviewed = review(result.samples if good else ())
    return {
        "data": msgspec.json.decode(result.data_json) if result.data_json and good else None,
        "normalized": msgspec.json.decode(result.normalized_json) if result.normalized_json and good else None,
        "measurements": [
            {"field": field, "value": value, "unit": unit, "at": times.text_or_none(at_us)}
            for field, value, unit, at_us in reviewed.samples
        ],
        "suggestions": [{"field": s.field, "names": list(s.names)} for s in reviewed.suggestions],
        "warnings": [*result.warnings, *reviewed.flags],
        "errors": [] if result.error is None else [result.error.text()],
        "error": None if result.error is None else shown_error(result.error, source),
        "logs": result.logs,
        "state": result.state,
        "duration_us": result.duration_us,
        "memory_bytes": result.memory_bytes,
    }


def shown_outcome(outcome: Outcome, source: str) -> dict[str, Any]:
    """How an example went."""
    example = outcome.example
    return {
        "description": example.description,
        "type": example.kind,
        "passed": outcome.passed,
        "differences": [
            {"path": d.path, "expected": _plain(d.expected), "got": _plain(d.got)} for d in outcome.differences
        ],
        "input": offending(example.input.payload, example.input.fport, example.input.data),
        "got": _plain(outcome.got),
        "error": None if outcome.error is None else shown_error(outcome.error, source),
        "logs": list(outcome.logs),
        "duration_us": outcome.duration_us,
        "memory_bytes": outcome.memory_bytes,
    }


def shown_error(error: Error, source: str) -> dict[str, Any]:
    """An error with its place in the source."""
    return {
        "reason": error.reason,
        "message": error.message,
        "line": error.line,
        "column": error.column,
        "excerpt": excerpt(source, error.line, error.column) or None,
    }


def offending(payload: bytes, fport: int, data: Any) -> dict[str, Any]:
    """What a codec was given: a payload, or an object to encode."""
    return {"data": _plain(data), "fport": fport} if data is not None else {"payload": payload.hex(), "fport": fport}


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)
