"""Rules of what is kept of a device's measurements, as templates and devices have them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from decoders.change import MAX_PER_HOUR, Rule
from lns.registry.errors import invalid
from lns.registry.explain import explained
from lns.registry.fields import check_range

MAX_RULES = 512
MAX_FIELD_NAME = 200


def check_rules(rules: Mapping[str, Any]) -> dict[str, Any]:
    """Rules by field, each as the decoder will read it."""
    if len(rules) > MAX_RULES:
        raise invalid(f"rules has {len(rules)} entries, at most {MAX_RULES} fit")
    for field, rule in rules.items():
        if not 0 < len(field) <= MAX_FIELD_NAME:
            raise invalid(f"rules has the name {field[:40]!r}: 1 to {MAX_FIELD_NAME} characters are needed")
        try:
            msgspec.convert(rule, Rule)
        except msgspec.ValidationError as error:
            raise invalid(_told(field, rule, str(error))) from error
    return dict(rules)


def _told(field: str, rule: Any, problem: str) -> str:
    """What is wrong with a rule; where a value is of the wrong type, with that value."""
    if " - at `$." in problem:
        return explained(problem, rule, Rule, f"rules.{field}")
    return f"rules.{field}: {problem}"


def check_per_hour(most: int | None) -> int | None:
    """How many measurements of a device are kept per hour; 0: no limit."""
    return None if most is None else check_range("max_measurements_per_hour", most, 0, MAX_PER_HOUR)
