"""The cross-checked vectors: each names in `verified_by` the independent implementations that agree on it."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "vectors"

ALL: list[dict[str, Any]] = json.loads((FOLDER / "lorawan.json").read_bytes())["vectors"]


def of(kind: str, **wanted: Any) -> list[dict[str, Any]]:
    """The vectors of a kind whose fields have the wanted values."""
    found = [v for v in ALL if v["kind"] == kind and all(v.get(key) == value for key, value in wanted.items())]
    assert found, f"no vector is a {kind} with {wanted}"
    return found


def name(vector: dict[str, Any]) -> str:
    """The id of a test with this vector."""
    return f"{vector['id']} {vector.get('description') or vector.get('name') or ''}".strip()


def keys(vector: dict[str, Any]) -> dict[str, bytes]:
    """The keys of a vector as octets."""
    return {key: bytes.fromhex(value) for key, value in vector["keys"].items()}


def region(region_name: str) -> dict[str, Any]:
    """The facts of a region as collected from the specification and four servers."""
    facts: dict[str, Any] = json.loads((FOLDER / "regions" / f"{region_name}.json").read_bytes())
    return facts
