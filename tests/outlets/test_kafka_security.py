"""TLS and SASL as they are on the wire, between the outlet and a guarded door in front of a real broker."""

import asyncio
import re
import ssl
from collections.abc import Mapping
from pathlib import Path

import pytest

from lns.config import ConfigError, Kafka
from lns.outlets.delivery import OutletError
from lns.outlets.kafka import KafkaOutlet
from tests.brokers import Broker, Reader
from tests.outlets.gate import Authority, Gate, guarded
from tests.outlets.samples import uplinks
from tests.process import free_port


async def set_aside(_: object) -> None:
    raise AssertionError("nothing is refused here")


def server_context(authority: Authority, address: str = "127.0.0.1", ask_client: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("broker", address))
    if ask_client:
        context.load_verify_locations(authority.pem)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def refusal(config: Kafka, environ: Mapping[str, str] = {}) -> str:
    """The text with which a batch fails."""
    outlet = KafkaOutlet(config, lambda _: None, set_aside, environ)
    await outlet.open()
    try:
        with pytest.raises(OutletError) as refused:
            await outlet.handle(uplinks(1))
    finally:
        await outlet.close()
    return str(refused.value)


def secured(port: int, **changes: object) -> Kafka:
    fields: dict[str, object] = {
        "bootstrap_servers": f"127.0.0.1:{port}",
        "security_protocol": "ssl",
        "delivery_timeout_s": 1.0,
        "partitions": 0,
    }
    return Kafka(**fields | changes)  # type: ignore[arg-type]


async def test_messages_go_through_tls_with_a_client_certificate_and_a_login(tansu: Broker, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    certificate, key = authority.issue("inflight", password="k3y")
    port = free_port()
    tansu.advertised = f"127.0.0.1:{port}"
    await asyncio.to_thread(tansu.start)
    config = secured(
        port,
        security_protocol="sasl_ssl",
        sasl_mechanism="PLAIN",
        sasl_username="lns",
        sasl_password_env="KAFKA_PASSWORD",
        ssl_ca_location=str(authority.pem),
        ssl_certificate_location=str(certificate),
        ssl_key_location=str(key),
        ssl_key_password_env="KEY_PASSWORD",
        delivery_timeout_s=20.0,
        partitions=2,
    )
    environ = {"KAFKA_PASSWORD": "s3cret", "KEY_PASSWORD": "k3y"}
    gate = Gate(tansu.port, {"lns": "s3cret"})
    async with guarded(gate, port, server_context(authority, ask_client=True)):
        outlet = KafkaOutlet(config, lambda _: None, set_aside, environ)
        await outlet.open()
        await outlet.handle(uplinks(100))
        await outlet.close()
        assert set(gate.clients) == {"inflight"}
        assert set(gate.logins) == {("PLAIN", "lns")}
        reader = Reader(
            config.bootstrap_servers,
            [config.uplink_topic],
            **{
                "security.protocol": "sasl_ssl",
                "sasl.mechanism": "PLAIN",
                "sasl.username": "lns",
                "sasl.password": "s3cret",
                "ssl.ca.location": str(authority.pem),
                "ssl.certificate.location": str(certificate),
                "ssl.key.location": str(key),
                "ssl.key.password": "k3y",
            },
        )
        seen = await asyncio.to_thread(reader.read, lambda seen: len(seen) >= 100)
    assert sorted(message.seq for message in seen) == list(range(1, 101))


async def test_a_broker_of_another_authority_is_not_trusted(tmp_path: Path) -> None:
    port = free_port()
    gate = Gate(port, {})
    async with guarded(gate, port, server_context(Authority(tmp_path, "theirs"))):
        text = await refusal(secured(port, ssl_ca_location=str(Authority(tmp_path, "ours").pem)))
    assert "certificate verify failed" in text
    assert text.endswith("check ssl_ca_location")  # what to change
    assert gate.clients == []


async def test_a_certificate_of_another_address_is_not_trusted(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    port = free_port()
    async with guarded(Gate(port, {}), port, server_context(authority, address="127.0.0.2")):
        text = await refusal(secured(port, ssl_ca_location=str(authority.pem)))
    assert "certificate verify failed" in text


async def test_a_broker_that_asks_for_a_client_certificate_lets_nobody_in_without(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    port = free_port()
    async with guarded(Gate(port, {}), port, server_context(authority, ask_client=True)):
        text = await refusal(secured(port, ssl_ca_location=str(authority.pem)))
    # which of the two is seen depends on whether the broker's alert arrives before its reset
    assert re.search("Disconnected: (SSL connection closed|connection reset) by peer", text), text


async def test_a_wrong_password_is_named(tansu: Broker) -> None:
    await asyncio.to_thread(tansu.start)
    port = free_port()
    config = secured(
        port,
        security_protocol="sasl_plaintext",
        sasl_mechanism="PLAIN",
        sasl_username="lns",
        sasl_password_env="KAFKA_PASSWORD",
    )
    gate = Gate(tansu.port, {"lns": "s3cret"})
    async with guarded(gate, port, None):
        text = await refusal(config, {"KAFKA_PASSWORD": "guess"})
    assert "who are you" in text
    assert set(gate.logins) == {("PLAIN", "lns")}


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_the_configured_mechanism_is_the_one_asked_for(tansu: Broker, mechanism: str) -> None:
    await asyncio.to_thread(tansu.start)
    port = free_port()
    config = secured(
        port,
        security_protocol="sasl_plaintext",
        sasl_mechanism=mechanism,
        sasl_username="lns",
        sasl_password_env="KAFKA_PASSWORD",
    )
    gate = Gate(tansu.port, {"lns": "s3cret"})
    async with guarded(gate, port, None):
        text = await refusal(config, {"KAFKA_PASSWORD": "s3cret"})
    assert "supported mechanisms: PLAIN" in text
    assert set(gate.mechanisms) == {mechanism}


async def test_a_key_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path, "authority").issue("inflight", password="k3y")
    config = secured(
        1, ssl_certificate_location=str(certificate), ssl_key_location=str(key), ssl_key_password_env="KEY_PASSWORD"
    )
    outlet = KafkaOutlet(config, lambda _: None, set_aside, {"KEY_PASSWORD": "wrong"})
    with pytest.raises(ConfigError, match=r"^\[kafka\] .*ssl\.key\.location failed"):
        await outlet.open()
