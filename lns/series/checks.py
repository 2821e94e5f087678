"""What no store takes: the same limits for every engine, so that stores fed from one log hold the same rows.

A clean batch is judged by column, at C speed; only a batch that holds a bad row is looked through row by row.
"""

from math import isfinite

from lns.exchange.records import Value
from lns.series.store import Rejected, Row, Rows

EARLIEST_US = 946_684_800_000_000  # 2000-01-01
LATEST_US = 4_102_444_800_000_000  # 2100-01-01
MAX_AHEAD_US = 86_400_000_000
MAX_TEXT_BYTES = 4096
MAX_FIELD_CHARS = 128
MAX_UNIT_CHARS = 32


def problems(rows: Rows, now_us: int) -> list[Rejected]:
    """The rows of a batch that must be set aside."""
    if _clean(rows, now_us):
        return []
    found = []
    for index, row in enumerate(rows):
        problem = _problem(row, now_us)
        if problem is not None:
            found.append(Rejected(index, *problem))
    return found


def stored_value(value: Value) -> float | int | str:
    """A value as stores keep it: numbers are float64 without a negative zero, booleans the integers 0 and 1."""
    if type(value) is bool:
        return int(value)
    return value if isinstance(value, str) else float(value) + 0.0


def stored_values(values: list[Value]) -> list[float | int | str]:
    """`stored_value` of a column."""
    return [value + 0.0 if type(value) is float else stored_value(value) for value in values]


def _clean(rows: Rows, now_us: int) -> bool:
    if not rows:
        return True
    try:
        return (
            set(map(type, rows.times_us)) == {int}
            and min(rows.times_us) >= EARLIEST_US
            and max(rows.times_us) < min(LATEST_US, now_us + MAX_AHEAD_US)
            and not any(map(_field_problem, set(rows.fields)))
            and not any(map(_unit_problem, set(rows.units)))
            and _clean_values(rows.values)
        )
    except TypeError:  # a field or unit that cannot be hashed
        return False


def _clean_values(values: list[Value]) -> bool:
    floats = [value for value in values if type(value) is float]
    others = [value for value in values if type(value) is not float]
    return all(map(isfinite, floats)) and not any(map(_value_problem, others))


def _problem(row: Row, now_us: int) -> tuple[str, str] | None:
    return (
        _time_problem(row.time_us, now_us)
        or _field_problem(row.field)
        or _unit_problem(row.unit)
        or _value_problem(row.value)
    )


def _time_problem(time_us: object, now_us: int) -> tuple[str, str] | None:
    if type(time_us) is not int:
        return "wrong_type", f"time is {_type_name(time_us)}, microseconds must be an integer"
    if not EARLIEST_US <= time_us < LATEST_US:
        return "time_out_of_range", f"time is {time_us} us, from {EARLIEST_US} to {LATEST_US} us fit"
    if time_us >= now_us + MAX_AHEAD_US:
        return "time_in_future", f"time is {(time_us - now_us) // 1_000_000} s ahead, at most 86400 s fit"
    return None


def _field_problem(field: object) -> tuple[str, str] | None:
    if field == "":
        return "field_empty", "field name is empty"
    return _name_problem("field", field, MAX_FIELD_CHARS)


def _unit_problem(unit: object) -> tuple[str, str] | None:
    return None if unit is None else _name_problem("unit", unit, MAX_UNIT_CHARS)


def _name_problem(what: str, name: object, limit: int) -> tuple[str, str] | None:
    if type(name) is not str:
        return "wrong_type", f"{what} is {_type_name(name)}, it must be text"
    if len(name) > limit:
        return f"{what}_too_long", f"{what} is {len(name)} characters, at most {limit} fit"
    return _unicode_problem(what, name)


def _value_problem(value: object) -> tuple[str, str] | None:
    kind = type(value)
    if kind is bool:
        return None
    if kind is str:
        return _text_problem(value)  # type: ignore[arg-type]
    if kind is not float and kind is not int:
        return "wrong_type", f"value is {_type_name(value)}, it must be a number, a boolean or text"
    try:
        finite = isfinite(value)  # type: ignore[arg-type]
    except OverflowError:
        finite = False
    return None if finite else ("not_finite", "value is not a finite float64")


def _text_problem(text: str) -> tuple[str, str] | None:
    problem = _unicode_problem("value", text)
    if problem is not None or len(text) * 4 <= MAX_TEXT_BYTES:
        return problem
    size = len(text.encode())
    return None if size <= MAX_TEXT_BYTES else ("text_too_long", f"text is {size} bytes, at most {MAX_TEXT_BYTES} fit")


def _unicode_problem(what: str, text: str) -> tuple[str, str] | None:
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return "not_unicode", f"{what} holds half a surrogate pair"
    return None


def _type_name(value: object) -> str:
    return type(value).__name__
