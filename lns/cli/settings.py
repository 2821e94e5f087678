"""Every setting with its default, range and meaning, read from the sources of `lns.config`."""

from types import NoneType, UnionType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec

from lns import config
from lns.api.field_comments import field_comments
from lns.config import outlets as section_outlets
from lns.config import server as section_server
from lns.config import stores as section_stores
from lns.mac import settings as mac_settings
from lns.mac.settings import RegionSettings


class Setting(msgspec.Struct, frozen=True):
    """One key of the file; `default` is written as in TOML, `allowed` is empty where the type says it all."""

    key: str
    default: str
    allowed: str
    meaning: str


def settings() -> list[Setting]:
    """All settings in the order of the file."""
    comments: dict[tuple[str, str], str] = {}
    for module in (config, section_server, section_stores, section_outlets, mac_settings):
        comments |= field_comments(module)
    defaults = config.Config()
    found = []
    for name, kind in get_type_hints(config.Config, include_extras=True).items():
        value = getattr(defaults, name)
        if name == "regions":
            found += _section("regions.EU868", RegionSettings, RegionSettings(), comments)
            continue
        if not isinstance(value, msgspec.Struct):
            found.append(_setting(name, kind, value, comments["Config", name]))
            continue
        found += _section(name, kind, value, comments)
    return found


def _section(name: str, kind: type, defaults: Any, comments: dict[tuple[str, str], str]) -> list[Setting]:
    return [
        _setting(f"{name}.{key}", inner, getattr(defaults, key), comments[kind.__name__, key])
        for key, inner in get_type_hints(kind, include_extras=True).items()
    ]


def markdown() -> str:
    """The table of docs/configuration.md."""
    lines = ["| key | default | allowed | meaning |", "|---|---|---|---|"]
    for setting in settings():
        meaning = setting.meaning.replace("|", "\\|")
        lines.append(f"| `{setting.key}` | `{setting.default}` | {setting.allowed} | {meaning} |")
    return "\n".join(lines) + "\n"


def _setting(key: str, kind: Any, value: Any, meaning: str) -> Setting:
    return Setting(key, toml(value), _allowed(kind), meaning)


def toml(value: Any) -> str:
    """A value as it is written in TOML."""
    if value is None:
        return "not given"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return f"{value:_}" if isinstance(value, int) and value >= 10_000 else str(value)


def _allowed(kind: Any) -> str:
    if get_origin(kind) is UnionType:
        return _allowed(next(choice for choice in get_args(kind) if choice is not NoneType))
    if get_origin(kind) is tuple:
        return f"each {_allowed(get_args(kind)[0])}"
    if get_origin(kind) is not Annotated:
        choices = get_args(kind)
        if choices:
            return ", ".join(f"`{toml(choice)}`" for choice in choices)
        return {bool: "true, false", str: "text"}.get(kind, "")
    _, meta = get_args(kind)
    if meta.pattern is not None:
        return f"`{meta.pattern}`"
    least = f"above {_number(meta.gt)}" if meta.gt is not None else _number(meta.ge)
    join = ", up to" if meta.gt is not None else " to"
    return f"{least}{join} {_number(meta.le)}" if meta.le is not None else f"{least} or more"


def _number(value: float) -> str:
    return toml(int(value)) if value == int(value) else str(value)
