"""Files of examples, in the formats of the platforms: read into examples.Example. Pure.

* TS013: `examples.json`, a list of {type, description, input, output}; Actility's `*.examples.json` are read too.
* The Things Stack's device repository: `*-codec.yaml` with uplinkDecoder, downlinkEncoder and downlinkDecoder.
* ChirpStack's device profiles: `test_decode_*.json` and `test_encode_*.json`, which are JavaScript rather than JSON.
* Milesight: a README whose `json` blocks have the payload as a comment before each object.
"""

import re
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from decoders import safe_yaml
from decoders.examples import Example, Expected, Input, Kind
from decoders.literals import LiteralError, loads

_KINDS: dict[str, Kind] = {
    "uplink": "uplink",
    "downlink-encode": "downlink-encode",
    "downlink-decode": "downlink-decode",
    "downlink": "downlink-decode",
}
_TTN: dict[str, Kind] = {
    "uplinkDecoder": "uplink",
    "downlinkEncoder": "downlink-encode",
    "downlinkDecoder": "downlink-decode",
}
_MILESIGHT_FPORT = 85
_BLOCK = re.compile(r"^```json[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_PAYLOAD = re.compile(r"^[ \t]*//[ \t]*((?:0x)?[0-9A-Fa-f][0-9A-Fa-f \t]+)\n(?=\s*[{\[])", re.MULTILINE)


class ExampleError(ValueError):
    """A file of examples cannot be read; the message says which example and why."""


def read(name: str, text: str) -> list[Example]:
    """The examples of a file, whose format follows from its name. Raises ExampleError."""
    base = PurePath(name).name.lower()
    if base.endswith((".yaml", ".yml")):
        return read_ttn(text)
    if base.endswith(".md"):
        return read_milesight(text)
    if base.startswith("test_"):
        return read_chirpstack(text, "downlink-encode" if base.startswith("test_encode") else "uplink")
    return read_ts013(text)


def read_ts013(text: str) -> list[Example]:
    """`examples.json` of a TS013 package. Raises ExampleError."""
    found = []
    for place, entry in enumerate(_list(text)):
        kind = _KINDS.get(str(entry.get("type", "uplink")))
        if kind is None:
            raise ExampleError(f"example {place}: type {entry.get('type')!r} is none of {', '.join(_KINDS)}")
        output = entry["output"] if isinstance(entry.get("output"), dict) else _without_output(entry)
        found.append(_example(kind, place, entry.get("description"), entry.get("input"), output))
    return found


def read_chirpstack(text: str, kind: Kind) -> list[Example]:
    """`test_decode_*.json` (uplink) or `test_encode_*.json` (downlink-encode). Raises ExampleError."""
    return [
        _example(kind, place, entry.get("name"), entry.get("input"), entry.get("expected"))
        for place, entry in enumerate(_list(text))
    ]


def read_ttn(text: str) -> list[Example]:
    """A `*-codec.yaml` of the device repository. Raises ExampleError."""
    try:
        tree = safe_yaml.loads(text)
    except safe_yaml.YamlError as failure:
        raise ExampleError(f"not YAML: {failure}") from failure
    found: list[Example] = []
    for section, kind in _TTN.items():
        part = tree.get(section) if isinstance(tree, dict) else None
        entries = part.get("examples") if isinstance(part, dict) else None
        for entry in _entries(entries or []):
            output = _object(entry.get("output") or {}, len(found))
            normalized = entry.get("normalizedOutput")
            if isinstance(normalized, dict):
                output = {**output, "normalized": normalized.get("data")}
            found.append(_example(kind, len(found), entry.get("description"), entry.get("input"), output))
    return found


def read_milesight(text: str, fport: int = _MILESIGHT_FPORT) -> list[Example]:
    """A README with blocks of `// payload` and the object it gives. Raises ExampleError."""
    found: list[Example] = []
    for block in _BLOCK.findall(text.replace("\r\n", "\n")):
        parts = _PAYLOAD.split(block)
        for octets, literal in zip(parts[1::2], parts[2::2], strict=True):
            given = {"bytes": octets, "fPort": fport}
            found.append(_example("uplink", len(found), "", given, {"data": _literal(literal, len(found))}))
    return found


def _list(text: str) -> list[dict[str, Any]]:
    tree = _literal(text, None)
    return _entries(tree.get("examples", [tree]) if isinstance(tree, dict) else tree)


def _entries(tree: Any) -> list[dict[str, Any]]:
    if not isinstance(tree, list) or not all(isinstance(entry, dict) for entry in tree):
        raise ExampleError("a file of examples is a list of objects")
    return tree


def _literal(text: str, place: int | None) -> Any:
    where = "" if place is None else f"example {place}: "
    try:
        return loads(text)
    except LiteralError as failure:
        raise ExampleError(f"{where}{failure}") from failure
    except RecursionError as failure:
        raise ExampleError(f"{where}values stand too deep") from failure


def _without_output(entry: dict[str, Any]) -> dict[str, Any]:
    """Older drivers' files have the data itself beside the input, or as `output`."""
    if "output" in entry:
        return {"data": entry["output"]}
    return {"data": entry.get("data"), "bytes": entry.get("bytes"), "fPort": entry.get("fPort")}


def _example(kind: Kind, place: int, description: Any, given: Any, output: Any) -> Example:
    given, output = _object(given, place), _object(output, place)
    variables = _object(given.get("variables") or {}, place)
    fport = given.get("fPort", given.get("fport", 1))
    if not isinstance(fport, int) or not 0 <= fport <= 255:
        raise ExampleError(f"example {place}: fPort is {fport!r}, 0 to 255 are possible")
    encoding = kind == "downlink-encode"
    payload = b"" if encoding else _octets(given.get("bytes"), place)
    recv_time = _time_us(given.get("recvTime", given.get("time")), place)
    texts = {str(name): str(value) for name, value in variables.items()}
    return Example(
        kind,
        str(description or f"example {place + 1}"),
        Input(payload, fport, recv_time, texts, given.get("data", given) if encoding else None),
        _expected(output, place, encoding),
    )


def _object(value: Any, place: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ExampleError(f"example {place}: it needs an input and an output, which are objects")
    return value


def _expected(output: dict[str, Any], place: int, encoding: bool) -> Expected:
    errors, warnings = _texts(output, "errors", place), _texts(output, "warnings", place)
    failed = bool(errors) or ("errors" in output and "data" not in output and "bytes" not in output)
    octets = output.get("bytes")
    return Expected(
        output.get("data"),
        errors if failed else None,
        warnings or None,
        _octets(octets, place) if encoding and octets is not None else None,
        output.get("fPort") if encoding else None,
        output.get("normalized"),
    )


def _texts(output: dict[str, Any], name: str, place: int) -> tuple[str, ...]:
    given = output.get(name) or []
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, list):
        raise ExampleError(f"example {place}: {name} is no list")
    return tuple(str(text) for text in given)


def _octets(value: Any, place: int) -> bytes:
    try:
        if isinstance(value, str):
            return bytes.fromhex(re.sub(r"0x|[\s,:\-]", "", value))
        if isinstance(value, list):
            return bytes(int(octet, 16) if isinstance(octet, str) else octet & 255 for octet in value)
    except (ValueError, TypeError) as failure:
        raise ExampleError(f"example {place}: bytes cannot be read: {failure}") from failure
    raise ExampleError(f"example {place}: bytes is neither a list nor hexadecimal text")


def _time_us(value: Any, place: int) -> int | None:
    if value is None:
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as failure:
        raise ExampleError(f"example {place}: recvTime {value!r} is no ISO 8601 time") from failure
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000_000)
