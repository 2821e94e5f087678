"""What msgspec found wrong with a JSON object, as a sentence with the field's full name and value in front."""

import re
from typing import Any, get_args, get_type_hints


def explained(problem: str, given: Any, kind: Any, name: str = "") -> str:
    """The text of a ValidationError of `given`, which was to be a struct of type `kind` and is called `name`.

    The value of a field whose name ends in `key` or `keys` is left out: keys stay out of logs.
    """
    text, _, path = problem.replace("`", "").partition(" - at $")
    where = f"{name}{path}" if name else path.removeprefix(".")
    if text.startswith("Object contains unknown field "):
        return f"{where or 'the object'} has no field {text.removeprefix('Object contains unknown field ')!r}"
    value = given
    for part in re.findall(r"\w+", path):
        if isinstance(value, list):
            value = value[int(part)]
        else:
            kind = get_type_hints(kind).get(part, Any) if isinstance(kind, type) else Any
            value = value.get(part) if isinstance(value, dict) else None
    if text.startswith("Invalid enum value"):
        text = "expected one of " + ", ".join(map(repr, get_args(kind)))
    complaint = f"{text[:1].lower()}{text[1:]}"
    if re.search(r"keys?\b|\.\.\.", where) or isinstance(value, dict | list):
        return f"{where or 'the object'}: {complaint}"
    return f"{where or 'the object'} is {value!r}, {complaint}"
