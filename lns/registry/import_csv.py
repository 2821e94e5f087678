"""Devices from CSV text: every row stands for itself, and every refusal names line, value and limit.

Columns, in any order: see `COLUMNS`. The separator is a comma, or a semicolon where the first line has no comma.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from lns.registry.device_input import ROOT_KEYS, NewDevice, parse_device
from lns.registry.devices import Devices
from lns.registry.errors import RegistryError, invalid
from lns.registry.key_blobs import SESSION_KEYS
from lns.registry.rows import RowResult

COLUMNS = (
    "dev_eui",
    "name",
    "application",
    "template",
    "activation",
    "join_eui",
    "app_key",
    "nwk_key",
    "gen_app_key",
    "dev_addr",
    "nwk_s_key",
    "f_nwk_s_int_key",
    "s_nwk_s_int_key",
    "nwk_s_enc_key",
    "app_s_key",
    "fcnt_up",
    "fcnt_down",
    "afcnt_down",
    "codec",
    "tags",
    "network",
)
_SESSION = ("dev_addr", "nwk_s_key", *SESSION_KEYS[1])
_COUNTERS = ("fcnt_up", "fcnt_down", "afcnt_down")
_PLAIN = ("dev_eui", "name", "application", "template", "activation", "join_eui", *ROOT_KEYS, "codec")
SHOWN_EUI = 40  # characters of a bad DevEUI that are repeated in the result


class Candidate(msgspec.Struct, frozen=True):
    """One row: a device, or why it is none. `line` is where the row starts, counting from 1."""

    line: int
    dev_eui: str | None
    device: NewDevice | None
    problem: str | None


def create(devices: Devices, rows: Sequence[Candidate], dry_run: bool) -> list[RowResult]:
    """Create a device for each good row and tell what became of every row."""
    news = [row.device for row in rows if row.device is not None]
    refusals = iter(devices.add_many(news, dry_run))
    results = []
    for row in rows:
        refusal = None if row.device is None else next(refusals)
        results.append(RowResult(row.line, row.dev_eui, row.problem if refusal is None else str(refusal)))
    return results


def read_rows(text: str) -> list[Candidate]:
    """Parse CSV text, rows without any content left out. RegistryError: the first line does not name columns."""
    lines = _cells(text.removeprefix("\ufeff"))
    _, header, problem = next(lines, (1, [], "the file is empty"))
    if problem is not None:
        raise invalid(f"line 1: {problem}: the first line names the columns, {', '.join(COLUMNS)}")
    names = [name.strip().lower() for name in header]
    _check_header(names)
    return [_row(names, line, cells, problem) for line, cells, problem in lines if problem is not None or any(cells)]


def _cells(text: str) -> Iterator[tuple[int, list[str], str | None]]:
    """Line, cells and what is wrong with the quoting, row by row."""
    first = re.split("[\r\n]", text, maxsplit=1)[0]
    delimiter = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader), None
        except StopIteration:
            return
        except csv.Error as error:
            yield line, [], f"not csv: {error}"


def _check_header(names: list[str]) -> None:
    for name in names:
        if name not in COLUMNS:
            raise invalid(f"line 1: column {name[:SHOWN_EUI]!r} is not known, known are {', '.join(COLUMNS)}")
        if names.count(name) > 1:
            raise invalid(f"line 1: column {name!r} is there {names.count(name)} times")
    if "dev_eui" not in names:
        raise invalid("line 1: column 'dev_eui' is missing, the first line names the columns")


def _row(names: list[str], line: int, cells: list[str], problem: str | None) -> Candidate:
    values = {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
    dev_eui = values.get("dev_eui", "")[:SHOWN_EUI] or None
    if problem is not None:
        return Candidate(line, dev_eui, None, problem)
    if len(cells) != len(names):
        return Candidate(line, dev_eui, None, f"the row has {len(cells)} cells, the header has {len(names)}")
    try:
        device = parse_device(_described(values))
    except RegistryError as error:
        return Candidate(line, dev_eui, None, str(error))
    return Candidate(line, device.dev_eui, device, None)


def _described(values: Mapping[str, str]) -> dict[str, Any]:
    """The cells as a JSON client would have sent them; an empty cell is not given."""
    given: dict[str, Any] = {name: values[name] for name in _PLAIN if values.get(name)}
    if "activation" in given:
        given["activation"] = given["activation"].lower()
    session: dict[str, Any] = {name: values[name] for name in _SESSION if values.get(name)}
    session.update({name: _number(name, values[name]) for name in _COUNTERS if values.get(name)})
    if session:
        given["abp"] = session
    if values.get("tags"):
        given["tags"] = _tags(values["tags"])
    if values.get("network"):
        given["network"] = _object("network", values["network"])
    return given


def _object(name: str, text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise invalid(f"{name} is {text[:SHOWN_EUI]!r}, a JSON object is needed") from None


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise invalid(f"{name} is {text[:SHOWN_EUI]!r}, a whole number is needed")
    return int(text)


def _tags(text: str) -> dict[str, str]:
    """`key=value;key=value`."""
    tags: dict[str, str] = {}
    for part in text.split(";"):
        if not part.strip():
            continue
        name, equals, value = part.partition("=")
        if not equals:
            raise invalid(f"tags has {part.strip()[:SHOWN_EUI]!r}, key=value;key=value is needed")
        tags[name.strip()] = value.strip()
    return tags
