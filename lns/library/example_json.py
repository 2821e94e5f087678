"""Examples in the format of TS013's examples.json, in which they are stored and sent."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from decoders.example_files import read_ts013
from decoders.examples import Example


def to_ts013(example: Example) -> dict[str, Any]:
    """An example as an entry of examples.json; what is not looked at is left out."""
    given, expected = example.input, example.expected
    if example.kind == "downlink-encode":
        source: dict[str, Any] = {"data": given.data, "fPort": given.fport}
    else:
        source = {"bytes": list(given.payload), "fPort": given.fport}
    if given.recv_time_us is not None:
        source["recvTime"] = _time(given.recv_time_us)
    if given.variables:
        source["variables"] = given.variables
    output: dict[str, Any] = {}
    if expected.errors is not None:
        output["errors"] = list(expected.errors)
    elif example.kind == "downlink-encode":
        if expected.payload is not None:
            output["bytes"] = list(expected.payload)
        if expected.fport is not None:
            output["fPort"] = expected.fport
    else:
        output["data"] = expected.data
        if expected.normalized is not None:
            output["normalized"] = expected.normalized
    if expected.warnings is not None:
        output["warnings"] = list(expected.warnings)
    return {"type": example.kind, "description": example.description, "input": source, "output": output}


def from_ts013(examples: list[dict[str, Any]]) -> list[Example]:
    """Entries of an examples.json. ExampleError names the one that cannot be read."""
    return read_ts013(msgspec.json.encode(examples).decode()) if examples else []


def _time(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
