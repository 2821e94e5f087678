"""Sections on where messages of all applications are sent; outlets of one application are in the registry."""

from typing import Annotated, Literal

from msgspec import Meta

from lns.config.section import Days, Section


class Deliveries(Section, frozen=True):
    """Log of what outlets of applications have sent; what is still to be sent stays as long as it takes."""

    # a delivered message stays this long; 0.25 are six hours
    success_days: Days = 3.0
    # a dead or dropped one stays this long
    failure_days: Days = 30.0
    # of each of delivered, dead and dropped ones; past it the oldest go
    most_rows: Annotated[int, Meta(ge=100, le=1_000_000_000)] = 5_000_000
    # of all together with requests and answers, at any time; delivered ones go first, dead ones last
    most_bytes: Annotated[int, Meta(ge=1_000_000)] = 2_000_000_000
    # webhooks may be set to be sent to private addresses; false: refused, where keys are in the hands of others
    allow_private: bool = True


class Kafka(Section, frozen=True):
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
    # how messages are encoded; protobuf needs the extra `protobuf`
    format: Literal["json", "protobuf"] = "json"
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
