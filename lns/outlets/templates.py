"""Topic and routing-key templates: filled with a message's names, and read back from what arrives. Pure."""

import re
from collections.abc import Collection
from functools import lru_cache

_FIELD = re.compile(r"\{(\w+)\}")
_KEPT = 100_000


class Template:
    """A text such as `application/{application_id}/event/{event}`; `separator` stands between its levels.

    A value cannot be split into levels by a separator in it, nor be a wildcard: both become `_`. Only `event` may
    hold levels of its own, which it says by `/`.
    """

    def __init__(self, text: str, known: Collection[str], separator: str = "/") -> None:
        """ValueError names a field that is not among `known`, or a brace that belongs to no field."""
        for name in _FIELD.findall(text):
            if name not in known:
                raise ValueError(f"{text!r} has the field {name!r}, known are {', '.join(sorted(known))}")
        if set(_FIELD.sub("", text)) & set("{}"):
            raise ValueError(f"{text!r} has a brace that belongs to no field")
        self.text, self._separator = text, separator
        forbidden = "/+#\0" if separator == "/" else f"{separator}*#"
        self._forbidden = re.compile(f"[{re.escape(forbidden)}]")
        self._arriving = re.compile(_expression(text, separator), re.DOTALL)
        self._value = lru_cache(_KEPT)(self._clean)

    def filled(self, names: dict[str, str]) -> str:
        """The topic of a message. KeyError for a field that the message has no name for."""
        return _FIELD.sub(lambda field: self._value(field[1], names[field[1]]), self.text)

    def subscription(self, **known: str) -> str:
        """What to subscribe to: any value of each field that is not given."""
        return _FIELD.sub(lambda field: self._value(field[1], known[field[1]]) if field[1] in known else "+", self.text)

    def names(self, topic: str) -> dict[str, str] | None:
        """The values of the fields in a topic; None when it is of another shape."""
        found = self._arriving.fullmatch(topic)
        return found.groupdict() if found else None

    def _clean(self, field: str, value: str) -> str:
        if field == "event":
            return value.replace("/", self._separator)
        return self._forbidden.sub("_", value) or "_"


def _expression(text: str, separator: str) -> str:
    parts = _FIELD.split(text)  # fixed text and names in turn
    level = f"[^{re.escape(separator)}]+"
    return "".join(f"(?P<{part}>{level})" if index % 2 else re.escape(part) for index, part in enumerate(parts))
