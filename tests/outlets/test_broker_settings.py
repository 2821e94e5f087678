"""The settings of brokers, before any connection."""

import ssl
from pathlib import Path

import msgspec
import pytest

from lns.config import ConfigError
from lns.outlets.broker_settings import Amqp, Mqtt, password, tls_context
from tests.outlets.gate import Authority


def test_a_password_needs_somebody_who_has_it():
    assert password("mqtt", Mqtt(username="lns", password="x")) == "x"
    assert password("mqtt", Mqtt()) is None
    with pytest.raises(ConfigError) as refused:
        password("amqp", Amqp(password="x"))
    assert str(refused.value) == "amqp.password is set, but amqp.username is not"


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (Amqp(tls_ca_location="ca.pem"), "amqp.tls_ca_location is set, but amqp.tls is not"),
        (
            Amqp(tls=True, tls_key_location="key.pem"),
            "amqp.tls_certificate_location and amqp.tls_key_location need each other",
        ),
        (
            Amqp(tls=True, tls_ca_location="/nowhere.pem"),
            "amqp.tls_ca_location: cannot use /nowhere.pem: [Errno 2] No such file or directory",
        ),
        (
            Amqp(tls=True, tls_certificate_location="/nowhere.crt", tls_key_location="/nowhere.key"),
            "amqp.tls_certificate_location: cannot use /nowhere.crt: [Errno 2] No such file or directory",
        ),
    ],
)
def test_tls_that_cannot_work_names_its_key(settings: Amqp, text: str):
    with pytest.raises(ConfigError) as refused:
        tls_context("amqp", settings)
    assert str(refused.value) == text


def test_tls_checks_the_brokers_name_and_may_show_a_certificate(tmp_path: Path):
    authority = Authority(tmp_path, "authority")
    certificate, key = authority.issue("client")
    settings = Mqtt(
        tls=True,
        tls_ca_location=str(authority.pem),
        tls_certificate_location=str(certificate),
        tls_key_location=str(key),
    )
    context = tls_context("mqtt", settings)
    assert context is not None
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert tls_context("mqtt", Mqtt()) is None


def test_an_unknown_key_is_refused():
    with pytest.raises(msgspec.ValidationError, match="unknown field `qos`"):
        msgspec.convert({"qos": 2}, Mqtt)
