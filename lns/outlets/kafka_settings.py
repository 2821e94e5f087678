"""The `[kafka]` section and outlets of the kind kafka as librdkafka properties, checked before any connection is tried.

The names and meanings of the properties are those of librdkafka's CONFIGURATION.md.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lns.config import ConfigError, Kafka
from lns.outlets.formats.encodings import EncodingName

Properties = dict[str, str | int | float | bool]

MAX_MESSAGE_BYTES = 1_000_000  # Kafka's own default limit of a message

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


class KafkaSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An outlet of the kind kafka; needs the extra `kafka`."""

    # host:port, comma separated
    bootstrap_servers: str
    # topic by event, `*` for all others; what is missing is that of the format
    topics: dict[str, str] = {}
    # how messages of the format inflight are encoded; protobuf needs the extra `protobuf`
    encoding: EncodingName = "json"
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
    # needed with sasl_mechanism
    sasl_password: str = ""
    # PEM file of the authorities to trust; empty: the system's
    ssl_ca_location: str = ""
    # PEM file of the client's certificate
    ssl_certificate_location: str = ""
    # PEM file of the client's private key
    ssl_key_location: str = ""
    # password of the key's file
    ssl_key_password: str = ""
    # of each batch
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = "lz4"
    # how long a batch waits for company
    linger_ms: Annotated[float, Meta(ge=0, le=10_000)] = 2.0
    # how long acknowledgements may take before an attempt has failed
    delivery_timeout_s: Annotated[float, Meta(ge=1, le=3600)] = 30.0
    # id by which readers of the formats chirpstack and tts know the application; empty: made from its own
    application_id: str = ""

    def __post_init__(self) -> None:
        for event, topic in self.topics.items():
            if not _TOPIC.fullmatch(topic):
                raise ValueError(
                    f"topics has {topic!r} for {event}, a topic is 1 to 249 letters, digits, '.', '_' or '-'"
                )


def connection(config: Kafka | KafkaSettings, environ: Mapping[str, str]) -> Properties:
    """How to reach and trust the brokers. ConfigError names the key that is wrong or the variable that is missing."""
    properties: Properties = {
        "bootstrap.servers": config.bootstrap_servers,
        "client.id": config.client_id,
        "security.protocol": config.security_protocol,
        "reconnect.backoff.ms": 100,
        "reconnect.backoff.max.ms": 2000,
    }
    secured = {
        "sasl_mechanism": config.security_protocol.startswith("sasl_"),
        "ssl_ca_location": config.security_protocol.endswith("ssl"),
        "ssl_certificate_location": config.security_protocol.endswith("ssl"),
    }
    for key, used in secured.items():
        if getattr(config, key) and not used:
            raise ConfigError(f"kafka.{key} is set, but kafka.security_protocol is {config.security_protocol}")
    if secured["sasl_mechanism"]:
        properties |= _sasl(config, environ)
    if secured["ssl_ca_location"]:
        properties |= _ssl(config, environ)
    return properties


def producer(config: Kafka) -> Properties:
    """How the log is written: in order, acknowledged by every replica, never given up."""
    return _writing(config) | {
        # A failed message stops all behind it, so that a retry never finds a later one already written.
        "enable.gapless.guarantee": True,
        # 0: no message expires in the queue, which would leave a gap that the guarantee above does not cover.
        "message.timeout.ms": 0,
        "delivery.report.only.error": True,
    }


def delivering(config: KafkaSettings) -> Properties:
    """How deliveries are written: acknowledged by every replica, each reported within its time."""
    return _writing(config) | {"message.timeout.ms": round(config.delivery_timeout_s * 1000)}


def _writing(config: Kafka | KafkaSettings) -> Properties:
    return {
        "enable.idempotence": True,
        "acks": "all",
        "message.max.bytes": MAX_MESSAGE_BYTES,
        "linger.ms": config.linger_ms,
        "compression.type": config.compression,
        # The partition a key gets from every Java client, so that streams of both can be joined.
        "partitioner": "murmur2_random",
    }


def _sasl(config: Kafka | KafkaSettings, environ: Mapping[str, str]) -> Properties:
    password = "sasl_password_env" if isinstance(config, Kafka) else "sasl_password"
    for key in ("sasl_mechanism", "sasl_username", password):
        if not getattr(config, key):
            raise ConfigError(f"kafka.security_protocol {config.security_protocol} needs kafka.{key}")
    return {
        "sasl.mechanism": config.sasl_mechanism,
        "sasl.username": config.sasl_username,
        "sasl.password": (
            _secret(environ, "sasl_password_env", config.sasl_password_env)
            if isinstance(config, Kafka)
            else config.sasl_password
        ),
    }


def _ssl(config: Kafka | KafkaSettings, environ: Mapping[str, str]) -> Properties:
    if bool(config.ssl_certificate_location) != bool(config.ssl_key_location):
        raise ConfigError("kafka.ssl_certificate_location and kafka.ssl_key_location need each other")
    properties: Properties = {}
    for key, name in (
        ("ssl_ca_location", "ssl.ca.location"),
        ("ssl_certificate_location", "ssl.certificate.location"),
        ("ssl_key_location", "ssl.key.location"),
    ):
        if location := getattr(config, key):
            properties[name] = _readable(key, location)
    if isinstance(config, KafkaSettings):
        if config.ssl_key_password:
            properties["ssl.key.password"] = config.ssl_key_password
    elif config.ssl_key_password_env:
        properties["ssl.key.password"] = _secret(environ, "ssl_key_password_env", config.ssl_key_password_env)
    return properties


def _secret(environ: Mapping[str, str], key: str, variable: str) -> str:
    if not environ.get(variable):
        raise ConfigError(f"kafka.{key} names the environment variable {variable}, which is not set")
    return environ[variable]


def _readable(key: str, location: str) -> str:
    try:
        Path(location).read_bytes()
    except OSError as error:
        raise ConfigError(f"kafka.{key}: cannot read {location}: {error.strerror}") from error
    return location
