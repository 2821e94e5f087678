"""The configuration: one TOML file, frozen structs, every unit, range and default beside its field.

The comment above a field is its documentation: `lns check --explain` and docs/configuration.md are made from it.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec
from msgspec import Meta

from lns.lorawan.regions import REGIONS, region
from lns.mac.fitting import misfits
from lns.mac.settings import RegionSettings


class ConfigError(ValueError):
    """The file cannot be used; the text names the key, the value and what would be right."""


Port = Annotated[int, Meta(ge=0, le=65_535)]
Days = Annotated[float, Meta(ge=0, le=36_500)]


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Udp(_Section, frozen=True):
    """Semtech UDP listener."""

    # address to listen on
    host: str = "0.0.0.0"
    # UDP port; 0 picks a free one
    port: Port = 1700
    # serve every gateway that calls, without `lns gateway accept`
    accept_unknown_gateways: bool = False
    # per gateway; what comes above is counted and dropped
    max_datagrams_per_s: Annotated[int, Meta(ge=1, le=1_000_000)] = 20_000
    # a gateway EUI may take a new source address this often
    address_change_hold_s: Annotated[float, Meta(ge=0, le=86_400)] = 10.0
    # SO_RCVBUF asked of the system
    receive_buffer_bytes: Annotated[int, Meta(ge=4096, le=1_073_741_824)] = 8_388_608


class Api(_Section, frozen=True):
    """REST API, metrics and health."""

    # address to listen on
    host: str = "127.0.0.1"
    # TCP port; 0 picks a free one
    port: Port = 8080


class Network(_Section, frozen=True):
    """LoRaWAN network."""

    # NetID, six hex digits
    net_id: Annotated[str, Meta(pattern="^[0-9A-Fa-f]{6}$")] = "000000"
    # region of gateways and devices that name none
    region: Literal[
        "EU868",
        "US915",
        "AU915",
        "AS923-1",
        "AS923-2",
        "AS923-3",
        "AS923-4",
        "IN865",
        "KR920",
        "CN470",
        "CN470-20A",
        "CN470-20B",
        "CN470-26A",
        "CN470-26B",
        "CN779",
        "EU433",
        "RU864",
        "ISM2400",
    ] = "EU868"
    # how long copies of a frame are collected
    dedup_window_ms: Annotated[int, Meta(ge=10, le=2000)] = 200
    # how long after that a copy from another gateway counts as late, not as a repetition
    late_window_ms: Annotated[int, Meta(ge=0, le=60_000)] = 1000
    # PULL_RESP leaves at least this long, plus the gateway's round trip, before the window
    downlink_margin_ms: Annotated[int, Meta(ge=0, le=900)] = 150
    # most recent refused frames kept in memory for `lns watch` and the API
    refusals_kept: Annotated[int, Meta(ge=1, le=100_000)] = 1000


class Keys(_Section, frozen=True):
    """Keys at rest."""

    # file of the key that encrypts all others; empty: key-encryption.key in the data folder, made at the first start
    file: str = ""


class Exchange(_Section, frozen=True):
    """The durable log."""

    # shortest time between two group commits
    commit_interval_ms: Annotated[float, Meta(ge=0, le=1000)] = 5.0
    # records every consumer has read are dropped after this
    retention_days: Days = 7.0
    # or when the log grows past this
    retention_bytes: Annotated[int, Meta(ge=1_000_000)] = 10_000_000_000
    # newest records kept in memory for consumers that keep up
    memory_records: Annotated[int, Meta(ge=100, le=10_000_000)] = 100_000


class Decoders(_Section, frozen=True):
    """JavaScript decoder workers."""

    # processes, beside the one for new versions
    workers: Annotated[int, Meta(ge=1, le=64)] = 1
    # uplinks per call
    batch: Annotated[int, Meta(ge=1, le=10_000)] = 250
    # CPU budget of one uplink
    timeout_ms: Annotated[int, Meta(ge=1, le=60_000)] = 100
    # V8 heap per codec version
    memory_mb: Annotated[int, Meta(ge=8, le=4096)] = 64
    # switch V8's compiler off: slower, smaller attack surface
    jitless: bool = False


class Measurements(_Section, frozen=True):
    """What is recorded and what is withheld."""

    # record link.rssi, link.snr, link.dr and link.gateways of every uplink
    link: bool = True
    # change of link.rssi that is stored
    link_rssi_deadband_db: Annotated[float, Meta(ge=0, le=100)] = 3.0
    # change of link.snr that is stored
    link_snr_deadband_db: Annotated[float, Meta(ge=0, le=100)] = 3.0
    # an unchanged link value is stored at least this often
    heartbeat_s: Annotated[float, Meta(ge=1, le=31_536_000)] = 3600.0


class SeriesSqlite(_Section, frozen=True):
    """Time-series store on SQLite."""

    # write measurements to the data folder
    enabled: bool = True
    # measurements older than this are dropped; 0 keeps all
    retention_days: Days = 0.0


class Kafka(_Section, frozen=True):
    """Kafka outlet; needs the extra `kafka`."""

    # send to Kafka
    enabled: bool = False
    # host:port, comma separated
    bootstrap_servers: str = "127.0.0.1:9092"
    # empty: not sent
    uplink_topic: str = "inflight.uplinks"
    # empty: not sent
    measurement_topic: str = "inflight.measurements"
    # empty: not sent
    event_topic: str = "inflight.events"
    # partitions of a topic that is missing and is created; 0 creates none
    partitions: Annotated[int, Meta(ge=0, le=10_000)] = 6
    # name the brokers log and limit this producer by
    client_id: str = "inflight"
    # how to connect
    security_protocol: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = "plaintext"
    # needed by sasl_plaintext and sasl_ssl
    sasl_mechanism: Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = ""
    # needed with sasl_mechanism
    sasl_username: str = ""
    # name of the environment variable that holds the password
    sasl_password_env: str = ""
    # PEM file of the authorities to trust; empty: the system's
    ssl_ca_location: str = ""
    # PEM file of the client's certificate
    ssl_certificate_location: str = ""
    # PEM file of the client's private key
    ssl_key_location: str = ""
    # name of the environment variable that holds the key's password
    ssl_key_password_env: str = ""
    # of each batch
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = "lz4"
    # how long a batch waits for company
    linger_ms: Annotated[float, Meta(ge=0, le=10_000)] = 20.0
    # how long acknowledgements may take before the outlet shows an error; it goes on trying
    delivery_timeout_s: Annotated[float, Meta(ge=1, le=3600)] = 30.0


class Log(_Section, frozen=True):
    """Logging."""

    # least severe message that is written
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    # a line for people or one JSON object a line
    format: Literal["text", "json"] = "text"


REGION_DEFAULTS = {
    "EU868": RegionSettings(
        extra_channels_hz=(867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000),
    ),
    "US915": RegionSettings(sub_band=2),
    "AU915": RegionSettings(sub_band=2),
}
"""What gateways of eight channels are usually set to. A region that is not named here takes its own defaults."""


class Config(_Section, frozen=True):
    """The whole file. Every section and key is optional."""

    # folder for databases and keys
    data_dir: str = "data"
    udp: Udp = Udp()
    api: Api = Api()
    network: Network = Network()
    # how each region is used: a section [regions.EU868] and the like
    regions: dict[str, RegionSettings] = {}
    keys: Keys = Keys()
    exchange: Exchange = Exchange()
    decoders: Decoders = Decoders()
    measurements: Measurements = Measurements()
    series: SeriesSqlite = SeriesSqlite()
    kafka: Kafka = Kafka()
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
