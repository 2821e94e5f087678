"""The settings of outlets of the kinds mqtt and amqp, checked before any connection is tried."""

import ssl
from typing import Annotated

import msgspec
from msgspec import Meta

from lns.config import ConfigError, Port

Seconds = Annotated[float, Meta(ge=1, le=3600)]


class _Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    # the broker's address
    host: str = "127.0.0.1"
    # user that connects; empty: none to MQTT, guest to AMQP
    username: str = ""
    # needs username
    password: str = ""
    # encrypt, and check the broker's certificate
    tls: bool = False
    # PEM file of the authorities to trust; empty: the system's
    tls_ca_location: str = ""
    # PEM file of the client's certificate
    tls_certificate_location: str = ""
    # PEM file of the client's private key
    tls_key_location: str = ""
    # id by which readers of the chirpstack and tts formats know the application; empty: made from its own
    application_id: str = ""
    # a larger message is set aside
    max_message_bytes: Annotated[int, Meta(ge=1000, le=134_217_728)] = 1_000_000
    # how long acknowledgements may take before an attempt has failed
    delivery_timeout_s: Seconds = 30.0


class Mqtt(_Settings, frozen=True):
    """An outlet of the kind mqtt; needs the extra `mqtt`."""

    # TCP port; with TLS usually 8883
    port: Port = 1883
    # name the broker knows this client by; a broker has one connection of each name; empty: made of the outlet's
    client_id: str = ""
    # template of the topic; empty: that of the format
    event_topic: str = ""
    # template of a second topic that keeps a device's newest message; empty: none
    state_topic: str = ""
    # topic that keeps `online` while connected, else `offline`; empty: none
    status_topic: str = ""
    # queue downlinks that come on the command topics of the format
    commands: bool = False
    # template of the topic of commands; empty: that of the format
    command_topic: str = ""
    # a ping after so long a silence; one that is not answered for as long again: the connection is lost
    keepalive_s: Annotated[int, Meta(ge=1, le=65_535)] = 30


class Amqp(_Settings, frozen=True):
    """An outlet of the kind amqp (AMQP 0-9-1); needs the extra `amqp`."""

    # TCP port; with TLS usually 5671
    port: Port = 5672
    # virtual host
    vhost: str = "/"
    # topic exchange; made durable where it is missing
    exchange: str = "inflight"
    # template of the routing key; empty: that of the format
    routing_key: str = ""
    # a message that no queue is bound for is an error and waits, instead of being dropped by the broker
    mandatory: bool = False


def password(section: str, settings: Mqtt | Amqp) -> str | None:
    """The password, None where there is none to give. ConfigError where nobody has it."""
    if settings.password and not settings.username:
        raise ConfigError(f"{section}.password is set, but {section}.username is not")
    return settings.password or None


def tls_context(section: str, settings: Mqtt | Amqp) -> ssl.SSLContext | None:
    """How to trust the broker; None without TLS. ConfigError names the key that is wrong."""
    files = ("tls_ca_location", "tls_certificate_location", "tls_key_location")
    if not settings.tls:
        for key in files:
            if getattr(settings, key):
                raise ConfigError(f"{section}.{key} is set, but {section}.tls is not")
        return None
    if bool(settings.tls_certificate_location) != bool(settings.tls_key_location):
        raise ConfigError(f"{section}.tls_certificate_location and {section}.tls_key_location need each other")
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca_location or None)
    except OSError as error:
        raise ConfigError(f"{section}.tls_ca_location: cannot use {settings.tls_ca_location}: {error}") from error
    if settings.tls_certificate_location:
        try:
            context.load_cert_chain(settings.tls_certificate_location, settings.tls_key_location)
        except OSError as error:
            what = settings.tls_certificate_location
            raise ConfigError(f"{section}.tls_certificate_location: cannot use {what}: {error}") from error
    return context
