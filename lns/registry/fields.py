"""Checks of single values that people type: names, tags, regions. Every failure names the field, value and limit."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from lns.lorawan.regions import region
from lns.registry.errors import invalid

T = TypeVar("T")

MAX_NAME = 64
MAX_DEVICE_NAME = 128
MAX_TEXT = 1000
MAX_PAIRS = 32
MAX_PAIR_NAME = 64
MAX_PAIR_VALUE = 256
LORAWAN_VERSIONS = ("1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.1")
_VERSION_ALIASES = {"1.1.0": "1.1"}


def parsed(field: str, parse: Callable[[str], T], text: str) -> T:
    """`text` through a parser that raises ValueError; the refusal names the field."""
    try:
        return parse(text)
    except ValueError as error:
        raise invalid(f"{field}: {error}") from error


def check_name(field: str, text: str) -> str:
    """A name that stands in a URL: 1 to 64 printable characters without a slash, no blank at either end."""
    if not text:
        raise invalid(f"{field} is empty, 1 to {MAX_NAME} characters are needed")
    if len(text) > MAX_NAME:
        raise invalid(f"{field} has {len(text)} characters, at most {MAX_NAME} fit")
    if "/" in text or not text.isprintable() or text != text.strip() or text in (".", ".."):
        raise invalid(f"{field} is {text!r}: no slash, control character or blank at either end may be in it")
    return text


def check_text(field: str, text: str, limit: int = MAX_TEXT) -> str:
    """Free text for people, on one line."""
    if len(text) > limit:
        raise invalid(f"{field} has {len(text)} characters, at most {limit} fit")
    if not text.isprintable():
        raise invalid(f"{field} is {text!r}: no control character may be in it")
    return text


def check_pairs(field: str, pairs: Mapping[str, str]) -> dict[str, str]:
    """Tags or variables: at most 32 names of 64 characters with values of 256."""
    if len(pairs) > MAX_PAIRS:
        raise invalid(f"{field} has {len(pairs)} entries, at most {MAX_PAIRS} fit")
    for name, value in pairs.items():
        if not name or len(name) > MAX_PAIR_NAME:
            raise invalid(f"{field} has the name {name!r}: 1 to {MAX_PAIR_NAME} characters are needed")
        if len(value) > MAX_PAIR_VALUE:
            raise invalid(f"{field}.{name} has {len(value)} characters, at most {MAX_PAIR_VALUE} fit")
    return dict(pairs)


def check_range(field: str, value: int, lowest: int, highest: int) -> int:
    """A whole number from `lowest` to `highest`."""
    if not lowest <= value <= highest:
        raise invalid(f"{field} is {value}, {lowest} to {highest} is allowed")
    return value


def check_region(field: str, name: str | None) -> str | None:
    """The full name of a region the server knows; None leaves it to the configuration."""
    return None if name is None else parsed(field, region, name).name


def check_version(field: str, text: str) -> str:
    """A LoRaWAN version this server speaks, 1.1.0 as 1.1."""
    version = _VERSION_ALIASES.get(text, text)
    if version not in LORAWAN_VERSIONS:
        raise invalid(f"{field} is {text!r}, known are {', '.join(LORAWAN_VERSIONS)}")
    return version
