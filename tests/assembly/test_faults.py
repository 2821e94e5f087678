"""`faults` says what can never work, and connects to nothing."""

import socket

import pytest

from lns.assembly.faults import faults
from lns.config import Config, Influx, Kafka, Postgres


def test_defaults_have_no_fault() -> None:
    assert faults(Config()) == []


def test_servers_that_are_away_are_no_fault_and_are_not_asked() -> None:
    pytest.importorskip("psycopg")
    pytest.importorskip("confluent_kafka")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        where = f"127.0.0.1:{listening.getsockname()[1]}"
        config = Config(
            influxdb=Influx(enabled=True, url=f"http://{where}"),
            postgres=Postgres(enabled=True, dsn=f"postgresql://{where}/x"),
            kafka=Kafka(enabled=True, bootstrap_servers=where),
        )
        assert faults(config) == []
        with pytest.raises(BlockingIOError):
            listening.accept()
