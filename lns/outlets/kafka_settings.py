"""The `[kafka]` section as librdkafka properties, checked before any connection is tried.

The names and meanings of the properties are those of librdkafka's CONFIGURATION.md.
"""

from collections.abc import Mapping
from pathlib import Path

from lns.config import ConfigError, Kafka

Properties = dict[str, str | int | float | bool]

MAX_MESSAGE_BYTES = 1_000_000  # Kafka's own default limit of a message


def connection(config: Kafka, environ: Mapping[str, str]) -> Properties:
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
    """How to write: in order, acknowledged by every replica, never given up."""
    return {
        "enable.idempotence": True,
        "acks": "all",
        # A failed message stops all behind it, so that a retry never finds a later one already written.
        "enable.gapless.guarantee": True,
        # 0: no message expires in the queue, which would leave a gap that the guarantee above does not cover.
        "message.timeout.ms": 0,
        "message.max.bytes": MAX_MESSAGE_BYTES,
        "linger.ms": config.linger_ms,
        "compression.type": config.compression,
        # The partition a key gets from every Java client, so that streams of both can be joined.
        "partitioner": "murmur2_random",
        "delivery.report.only.error": True,
    }


def _sasl(config: Kafka, environ: Mapping[str, str]) -> Properties:
    for key in ("sasl_mechanism", "sasl_username", "sasl_password_env"):
        if not getattr(config, key):
            raise ConfigError(f"kafka.security_protocol {config.security_protocol} needs kafka.{key}")
    return {
        "sasl.mechanism": config.sasl_mechanism,
        "sasl.username": config.sasl_username,
        "sasl.password": _secret(environ, "sasl_password_env", config.sasl_password_env),
    }


def _ssl(config: Kafka, environ: Mapping[str, str]) -> Properties:
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
    if config.ssl_key_password_env:
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
