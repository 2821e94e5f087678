"""A measured value as people read it, the same in every command."""

from typing import Any

_EXACT = 2**53
"""Whole numbers up to here are exact in a double; a counter is shown with all of its digits."""


def measured(value: Any, unit: str | None = None) -> str:
    """A value with its unit: 33 for 33.0, six digits of a fraction, true and false, "-" for none."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, float) and not (value.is_integer() and abs(value) <= _EXACT):
        text = f"{value:.6g}"
    else:
        text = str(int(value)) if isinstance(value, float) else str(value)
    return f"{text} {unit}" if unit else text
