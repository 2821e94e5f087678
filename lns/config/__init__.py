"""The configuration: one TOML file, frozen structs, every unit, range and default beside its field.

The comment above a field is its documentation: `lns check --explain` and docs/configuration.md are made from it.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

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
    """Read `path` (None: defaults), with `overrides` such as {"udp": {"port": 0}} laid over it."""
    try:
        tree: dict[str, Any] = tomllib.loads(path.read_text("utf-8")) if path else {}
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    for section, values in (overrides or {}).items():
        tree[section] = {**tree.get(section, {}), **values} if isinstance(values, dict) else values
    _check_regions(tree)
    try:
        return msgspec.convert(tree, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(_explain(str(error), tree, Config())) from error


def _check_regions(tree: dict[str, Any]) -> None:
    """A section of a region says what is different there: what it leaves out keeps its default.

    Each is checked by itself, because msgspec does not name the keys of a dictionary.
    """
    regions = tree.get("regions")
    if not isinstance(regions, dict):
        return
    for name, values in regions.items():
        if name not in REGIONS:
            hint = _hint(difflib.get_close_matches(name, REGIONS, n=1), REGIONS)
            raise ConfigError(f"$.regions.{name} is not a known region; {hint}")
        try:
            msgspec.convert(values, RegionSettings)
        except msgspec.ValidationError as error:
            text = _explain(str(error), values, RegionSettings())
            raise ConfigError(text.replace("$", f"$.regions.{name}", 1)) from error
        regions[name] = {**msgspec.to_builtins(REGION_DEFAULTS.get(name, {})), **values}
        for text in misfits(msgspec.convert(regions[name], RegionSettings), region(name)).values():
            raise ConfigError(f"$.regions.{name}.{text}")


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
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", text):
        fields = section.__struct_fields__
        hint = _hint(difflib.get_close_matches(unknown[1], fields, n=1), fields)
        return f"{'.'.join(['$', *keys, unknown[1]])} is not a known key; {hint}"
    if text.startswith("Invalid enum value"):
        choices = get_args(get_type_hints(type(section))[keys[-1]])
        text = "expected one of " + ", ".join(map(repr, choices))
    text = text.replace("`", "").replace("object", "a section")
    return f"{path.strip('`') or '$'} is {value!r}, {text[0].lower()}{text[1:]}"
