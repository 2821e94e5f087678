"""What msgspec found wrong with a JSON object, as a sentence with the field's full name and value in front."""

import difflib
import re
from typing import Any, get_args, get_type_hints

import msgspec

_SECRET = re.compile(r"(key|secret|password|header)s?\b|\.\.\.")
_OWN = ("Object ", "Expected ", "Invalid ")  # msgspec's words; others are of a struct's own check


def explained(problem: str, given: Any, kind: Any, name: str = "") -> str:
    """The text of a ValidationError of `given`, which was to be a struct of type `kind` and is called `name`.

    The value of a field whose name ends in key, secret, password or header is left out: they stay out of logs.
    """
    text, _, path = problem.replace("`", "").partition(" - at $")
    where = f"{name}{path}" if name else path.removeprefix(".")
    if not where and not text.startswith(_OWN):
        return text
    value = given
    for part in re.findall(r"\w+", path):
        if isinstance(value, list):
            value = value[int(part)]
        else:
            kind = get_type_hints(kind).get(part, Any) if isinstance(kind, type) else Any
            value = value.get(part) if isinstance(value, dict) else None
    if text.startswith("Object contains unknown field "):
        unknown = text.removeprefix("Object contains unknown field ")
        return f"{where or 'the object'} has no field {unknown!r}{_hint(unknown, kind)}"
    if text.startswith("Object missing required field "):
        missing = text.removeprefix("Object missing required field ")
        return f"{where}.{missing} is missing" if where else f"{missing} is missing"
    if text.startswith("Invalid enum value"):
        text = "expected one of " + ", ".join(map(repr, get_args(kind)))
    complaint = f"{text[:1].lower()}{text[1:]}"
    if _SECRET.search(where) or isinstance(value, dict | list):
        return f"{where or 'the object'}: {complaint}"
    return f"{where or 'the object'} is {value!r}, {complaint}"


def _hint(unknown: str, kind: Any) -> str:
    if not isinstance(kind, type) or not issubclass(kind, msgspec.Struct):
        return ""
    near = difflib.get_close_matches(unknown, kind.__struct_fields__, n=1)
    return f"; did you mean {near[0]}" if near else ""
