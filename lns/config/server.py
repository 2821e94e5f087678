"""Sections on the server itself: what it listens on, how it takes part in the network, what it keeps and decodes."""

from typing import Annotated, Literal

from msgspec import Meta

from lns.config.section import Days, Port, Section


class Udp(Section, frozen=True):
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


class Api(Section, frozen=True):
    """REST API, metrics and health."""

    # address to listen on
    host: str = "127.0.0.1"
    # TCP port; 0 picks a free one
    port: Port = 8080


class Network(Section, frozen=True):
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


class Keys(Section, frozen=True):
    """Keys at rest."""

    # file of the key that encrypts all others; empty: key-encryption.key in the data folder, made at the first start
    file: str = ""


class Exchange(Section, frozen=True):
    """The durable log."""

    # shortest time between two group commits
    commit_interval_ms: Annotated[float, Meta(ge=0, le=1000)] = 5.0
    # records every consumer has read are dropped after this
    retention_days: Days = 7.0
    # or when the log grows past this
    retention_bytes: Annotated[int, Meta(ge=1_000_000)] = 10_000_000_000
    # newest records kept in memory for consumers that keep up
    memory_records: Annotated[int, Meta(ge=100, le=10_000_000)] = 100_000


class Decoders(Section, frozen=True):
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


class Measurements(Section, frozen=True):
    """What is recorded and what is withheld."""

    # record link.rssi, link.snr, link.dr and link.gateways of every uplink
    link: bool = True
    # change of link.rssi that is stored
    link_rssi_deadband_db: Annotated[float, Meta(ge=0, le=100)] = 3.0
    # change of link.snr that is stored
    link_snr_deadband_db: Annotated[float, Meta(ge=0, le=100)] = 3.0
    # an unchanged link value is stored at least this often
    heartbeat_s: Annotated[float, Meta(ge=1, le=31_536_000)] = 3600.0


class Log(Section, frozen=True):
    """Logging."""

    # least severe message that is written
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    # a line for people or one JSON object a line
    format: Literal["text", "json"] = "text"
