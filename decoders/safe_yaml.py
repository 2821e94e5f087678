"""YAML that anyone may have written, read as JSON would be: dates stay text, depth and aliases have limits. Pure.

PyYAML builds a document by calling itself, in C without a limit, and writes an alias out wherever it stands.
"""

import re
from typing import Any, ClassVar

import yaml

MAX_DEPTH = 150
MAX_VALUES = 200_000
"""Values of a document with every alias written out."""

_TAG = "tag:yaml.org,2002:"
_BRACKETS = re.compile(r"[\[\]{}]")
_DEEP_LINE = re.compile(rf"^[ \t?:-]{{{MAX_DEPTH}}}", re.MULTILINE)


class YamlError(ValueError):
    """The text cannot be read as YAML; the message says where or why."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The core schema: what JSON has, and no others."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}
    yaml_constructors: ClassVar[dict[str | None, Any]] = {
        tag: build
        for tag, build in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.removeprefix(_TAG) in ("null", "bool", "float", "str", "seq", "map")
    }


def _integer(loader: Any, node: Any) -> int:
    text: str = loader.construct_scalar(node)
    return int(text, 8 if text.startswith("0o") else 16 if text.startswith("0x") else 10)


# YAML 1.2.2, chapter 10.3.2, which those who write the files have: in 1.1 `on` is true and 010 is 8
for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", list("-+.")),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"(?:{_pattern})$"), _first)
_Loader.add_constructor(f"{_TAG}int", _integer)


def loads(text: str) -> Any:
    """The one document of a text, its keys as text. Raises YamlError."""
    if _DEEP_LINE.search(text) or _bracket_depth(text) > MAX_DEPTH:
        raise YamlError(f"values stand more than {MAX_DEPTH} deep")
    try:
        value = yaml.load(text, Loader=_Loader)
        _check_size(value)
        return _with_text_keys(value)
    except RecursionError as failure:
        raise YamlError(f"values stand more than {MAX_DEPTH} deep") from failure
    except (yaml.YAMLError, ValueError) as failure:
        raise YamlError(" ".join(str(failure).split())) from failure


def _bracket_depth(text: str) -> int:
    """An upper bound but for texts with brackets in them, which rarely leave one open."""
    depth = deepest = 0
    for bracket in _BRACKETS.findall(text):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _check_size(value: Any) -> None:
    count = 0
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict):
            if "<<" in inner:
                raise YamlError("merge keys (<<) are not read")
            waiting.extend(inner.values())
        elif isinstance(inner, list):
            waiting.extend(inner)
        count += 1
        if count + len(waiting) > MAX_VALUES:
            raise YamlError(f"there are more than {MAX_VALUES} values")


def _with_text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _with_text_keys(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_text_keys(inner) for inner in value]
    return value
