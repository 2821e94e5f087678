"""The configuration: one TOML file, frozen structs, every unit, range and default beside its field.

The comment above a field is its documentation: `lns check --explain` and docs/configuration.md are made from it.
"""

import copy
import difflib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from lns.config.masking import masked_within
from lns.config.outlets import Deliveries, Kafka
from lns.config.section import ConfigError, Days, Port, Section
from lns.config.server import Api, Decoders, Exchange, Keys, Log, Measurements, Network, Udp
from lns.config.stores import Archive, Influx, Latest, Mongo, Postgres, SeriesSqlite
from lns.lorawan.regions import REGIONS, region
from lns.mac.fitting import misfits
from lns.mac.settings import RegionSettings

__all__ = [
    "REGION_DEFAULTS",
    "Api",
    "Archive",
    "Config",
    "ConfigError",
    "Days",
    "Decoders",
    "Deliveries",
    "Exchange",
    "Influx",
    "Kafka",
    "Keys",
    "Latest",
    "Log",
    "Measurements",
    "Mongo",
    "Network",
    "Port",
    "Postgres",
    "Section",
    "SeriesSqlite",
    "Udp",
    "load",
]

REGION_DEFAULTS = {
    "EU868": RegionSettings(
        extra_channels_hz=(867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000),
    ),
    "US915": RegionSettings(sub_band=2),
    "AU915": RegionSettings(sub_band=2),
}
"""What gateways of eight channels are usually set to. A region that is not named here takes its own defaults."""

_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")


class Config(Section, frozen=True):
    """The whole file. Every section and key is optional."""

    # folder for databases and keys
    data_dir: str = "data"
    udp: Udp = Udp()
    api: Api = Api()
    network: Network = Network()
    # how each region is used: a section [regions.EU868] and the like
    regions: dict[str, RegionSettings] = msgspec.field(default_factory=dict)
    keys: Keys = Keys()
    exchange: Exchange = Exchange()
    decoders: Decoders = Decoders()
    measurements: Measurements = Measurements()
    series: SeriesSqlite = SeriesSqlite()
    postgres: Postgres = Postgres()
    influxdb: Influx = Influx()
    mongodb: Mongo = Mongo()
    archive: Archive = Archive()
    latest: Latest = Latest()
    kafka: Kafka = Kafka()
    deliveries: Deliveries = Deliveries()
    log: Log = Log()

    def region_settings(self, name: str) -> RegionSettings:
        """How this network uses the region called `name`."""
        return self.regions.get(name) or REGION_DEFAULTS.get(name) or RegionSettings()


def load(path: Path | None, overrides: dict[str, Any] | None = None) -> Config:
    """Read `path` (None: defaults), with `overrides` such as {"udp": {"port": 0}} laid over it.

    A ConfigError tells all that is wrong, a line each.
    """
    try:
        tree: dict[str, Any] = tomllib.loads(path.read_text("utf-8")) if path else {}
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    for section, values in (overrides or {}).items():
        tree[section] = {**tree.get(section, {}), **values} if isinstance(values, dict) else values
    region_faults = _take_regions(tree)
    faults = _faults(tree, Config()) + region_faults
    if faults:
        raise ConfigError("\n".join(fault if path is None else f"{path}: {fault}" for fault in faults))
    return msgspec.convert(tree, Config)


def _take_regions(tree: dict[str, Any]) -> list[str]:
    """What is wrong with the sections of regions; the others get the defaults of what they leave out.

    Each is checked by itself, because msgspec does not name the keys of a dictionary.
    """
    regions = tree.get("regions")
    if not isinstance(regions, dict):
        return []
    found: list[str] = []
    for name, values in list(regions.items()):
        faults = _region_faults(name, values)
        found += [f"$.regions.{name}{fault}" for fault in faults]
        if faults:
            del regions[name]
        else:
            regions[name] = _laid_over_defaults(name, values)
    return found


def _region_faults(name: str, values: Any) -> list[str]:
    """Each without the path of the section in front."""
    if name not in REGIONS:
        return [f" is not a known region; {_hint(difflib.get_close_matches(name, REGIONS, n=1), REGIONS)}"]
    if faults := _faults(values, RegionSettings()):
        return [fault.removeprefix("$") for fault in faults]
    settings = msgspec.convert(_laid_over_defaults(name, values), RegionSettings)
    return [f".{text}" for text in misfits(settings, region(name)).values()]


def _laid_over_defaults(name: str, values: dict[str, Any]) -> dict[str, Any]:
    return {**msgspec.to_builtins(REGION_DEFAULTS.get(name, {})), **values}


def _faults(tree: Any, defaults: msgspec.Struct) -> list[str]:
    """All that `defaults`' type refuses in `tree`: what msgspec names first is taken out, until it names nothing."""
    left, found = copy.deepcopy(tree), []
    while True:
        try:
            msgspec.convert(left, type(defaults))
        except msgspec.ValidationError as error:
            found.append(_explain(str(error), left, defaults))
            if not _taken_out(left, str(error)):
                return found
        else:
            return found


def _taken_out(tree: Any, problem: str) -> bool:
    """Remove the key that msgspec's sentence is about, a list with all of its items; false when it names no key."""
    text, _, path = problem.partition(" - at ")
    keys = re.findall(r"\w+", path)
    if unknown := _UNKNOWN.fullmatch(text):
        keys.append(unknown[1])
    for depth, key in enumerate(keys, 1):
        if depth == len(keys) or isinstance(tree[key], list):
            del tree[key]
            return True
        tree = tree[key]
    return False


def _hint(near: list[str], known: Iterable[str]) -> str:
    return f"did you mean {near[0]}" if near else "it has " + ", ".join(known)


def _explain(problem: str, tree: Any, defaults: msgspec.Struct) -> str:
    """msgspec's sentence with the offending key's full path and value in front; `defaults` is what `tree` was to be."""
    text, _, path = problem.partition(" - at ")
    keys = re.findall(r"\w+", path)
    section, value = defaults, tree
    for key in keys:
        value = value[int(key)] if isinstance(value, list) else value[key]
        inner = getattr(section, key, None)
        section = inner if isinstance(inner, msgspec.Struct) else section
    if unknown := _UNKNOWN.fullmatch(text):
        fields = section.__struct_fields__
        hint = _hint(difflib.get_close_matches(unknown[1], fields, n=1), fields)
        return f"{'.'.join(['$', *keys, unknown[1]])} is not a known key; {hint}"
    if text.startswith("Invalid enum value"):
        choices = get_args(get_type_hints(type(section))[keys[-1]])
        text = "expected one of " + ", ".join(map(repr, choices))
    text = text.replace("`", "").replace("object", "a section")
    return f"{path.strip('`') or '$'} is {masked_within(repr(value))}, {text[0].lower()}{text[1:]}"
