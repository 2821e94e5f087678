from pathlib import Path

import pytest

from lns.config import ConfigError, Kafka
from lns.outlets import kafka_settings


def test_plain_connection_has_no_secrets() -> None:
    assert kafka_settings.connection(Kafka(), {}) == {
        "bootstrap.servers": "127.0.0.1:9092",
        "client.id": "inflight",
        "security.protocol": "plaintext",
        "reconnect.backoff.ms": 100,
        "reconnect.backoff.max.ms": 2000,
    }


def test_secrets_come_from_the_named_environment_variables(tmp_path: Path) -> None:
    for name in ("ca", "certificate", "key"):
        (tmp_path / name).write_text("pem")
    config = Kafka(
        bootstrap_servers="a:1,b:2",
        security_protocol="sasl_ssl",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="lns",
        sasl_password_env="KAFKA_PASSWORD",
        ssl_ca_location=str(tmp_path / "ca"),
        ssl_certificate_location=str(tmp_path / "certificate"),
        ssl_key_location=str(tmp_path / "key"),
        ssl_key_password_env="KEY_PASSWORD",
    )
    properties = kafka_settings.connection(config, {"KAFKA_PASSWORD": "s3cret", "KEY_PASSWORD": "k3y"})
    assert {name: value for name, value in properties.items() if name.startswith(("s", "b"))} == {
        "bootstrap.servers": "a:1,b:2",
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "lns",
        "sasl.password": "s3cret",
        "ssl.ca.location": str(tmp_path / "ca"),
        "ssl.certificate.location": str(tmp_path / "certificate"),
        "ssl.key.location": str(tmp_path / "key"),
        "ssl.key.password": "k3y",
    }


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (
            Kafka(security_protocol="sasl_ssl"),
            "kafka.security_protocol sasl_ssl needs kafka.sasl_mechanism",
        ),
        (
            Kafka(security_protocol="sasl_plaintext", sasl_mechanism="PLAIN"),
            "kafka.security_protocol sasl_plaintext needs kafka.sasl_username",
        ),
        (
            Kafka(security_protocol="sasl_ssl", sasl_mechanism="PLAIN", sasl_username="lns"),
            "kafka.security_protocol sasl_ssl needs kafka.sasl_password_env",
        ),
        (
            Kafka(
                security_protocol="sasl_ssl",
                sasl_mechanism="PLAIN",
                sasl_username="lns",
                sasl_password_env="KAFKA_PASSWORD",
            ),
            "kafka.sasl_password_env names the environment variable KAFKA_PASSWORD, which is not set",
        ),
        (
            Kafka(security_protocol="ssl", ssl_key_password_env="KEY_PASSWORD"),
            "kafka.ssl_key_password_env names the environment variable KEY_PASSWORD, which is not set",
        ),
        (
            Kafka(sasl_mechanism="PLAIN"),
            "kafka.sasl_mechanism is set, but kafka.security_protocol is plaintext",
        ),
        (
            Kafka(ssl_ca_location="/etc/ca.pem"),
            "kafka.ssl_ca_location is set, but kafka.security_protocol is plaintext",
        ),
        (
            Kafka(security_protocol="ssl", ssl_ca_location="/nowhere/ca.pem"),
            "kafka.ssl_ca_location: cannot read /nowhere/ca.pem: No such file or directory",
        ),
        (
            Kafka(security_protocol="ssl", ssl_certificate_location="/nowhere/client.pem"),
            "kafka.ssl_certificate_location and kafka.ssl_key_location need each other",
        ),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(config: Kafka, text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        kafka_settings.connection(config, {"KAFKA_PASSWORD": ""})
    assert str(refused.value) == text
