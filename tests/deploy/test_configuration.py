"""The configuration files of the compose project, read by the programs they are for."""

import subprocess
import tomllib
from pathlib import Path

import aiomqtt
import pytest
import yaml

from lns.config import load
from tests.brokers_debian import Server
from tests.deploy.boards import DEPLOY
from tests.deploy.test_containers import COMPOSE
from tests.process import free_port, program

SERVICES = COMPOSE["services"]
CONFIG = load(DEPLOY / "inflight.toml")


def test_the_server_takes_its_file_and_uses_every_engine_of_the_project():
    parts = (CONFIG.series, CONFIG.postgres, CONFIG.archive, CONFIG.kafka)
    assert [part.enabled for part in parts] == [False, True, True, True]
    assert CONFIG.postgres.dsn == "postgresql://inflight@timescaledb:5432/inflight"
    assert CONFIG.latest.redis_url == "redis://redis:6379/0"
    assert CONFIG.kafka.bootstrap_servers == "kafka:19092"
    assert "INSIDE://kafka:19092" in SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert (CONFIG.api.host, CONFIG.api.port, CONFIG.udp.port) == ("0.0.0.0", 8080, 1700)


def test_the_server_is_given_every_secret_that_its_file_names():
    tree = tomllib.loads((DEPLOY / "inflight.toml").read_text("utf-8"))
    named = {
        value
        for section in tree.values()
        if isinstance(section, dict)
        for key, value in section.items()
        if key.endswith("_env")
    }
    assert named == set(SERVICES["inflight"]["environment"])


def test_its_data_folder_is_on_a_volume():
    assert f"inflight:{CONFIG.data_dir}" in SERVICES["inflight"]["volumes"]
    assert f"VOLUME {CONFIG.data_dir}\n" in (DEPLOY / "Containerfile").read_text("utf-8")


def test_grafana_is_given_what_its_provisioning_names():
    file = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/inflight.yaml").read_text("utf-8"))
    named = {text[1:] for text in _texts(file) if text.startswith("$")}
    assert named - set(SERVICES["grafana"]["environment"]) == set()
    assert SERVICES["grafana"]["environment"]["SERIES_HOST"] == "timescaledb:5432"


def test_prometheus_finds_the_server():
    file = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text("utf-8"))
    assert file["scrape_configs"][0]["static_configs"] == [{"targets": [f"inflight:{CONFIG.api.port}"]}]
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/inflight.yaml").read_text())["datasources"][0]
    assert source["jsonData"]["timeInterval"] == file["global"]["scrape_interval"]


@pytest.fixture
def mosquitto(tmp_path: Path) -> Server:
    """Mosquitto with the file of the project, in a folder and on a port of this test."""
    binary, port = program("mosquitto", "mosquitto", "/usr/sbin"), free_port()
    text = (DEPLOY / "mosquitto/mosquitto.conf").read_text("utf-8")
    assert (text.count("/mosquitto/data/"), text.count("listener 1883\n")) == (2, 1)
    text = text.replace("/mosquitto/data/", f"{tmp_path}/").replace("listener 1883", f"listener {port} 127.0.0.1")
    (tmp_path / "mosquitto.conf").write_text(f"{text}user root\n")
    make = ["mosquitto_passwd", "-b", "-c", str(tmp_path / "passwords"), "inflight", "secret"]
    subprocess.run(make, check=True, capture_output=True)
    return Server([binary, "-c", str(tmp_path / "mosquitto.conf")], port, tmp_path)


async def test_mosquitto_lets_in_only_who_has_the_password(mosquitto):
    with mosquitto:
        async with aiomqtt.Client("127.0.0.1", mosquitto.port, username="inflight", password="secret") as client:
            await client.publish("inflight/test", b"x", qos=1)
        for account in ({}, {"username": "inflight", "password": "wrong"}):
            with pytest.raises(aiomqtt.MqttError, match=r"(?i)not authori[sz]ed"):
                async with aiomqtt.Client("127.0.0.1", mosquitto.port, **account):
                    pass


def _texts(tree: object) -> list[str]:
    if isinstance(tree, dict | list):
        return [text for part in (tree.values() if isinstance(tree, dict) else tree) for text in _texts(part)]
    return [tree] if isinstance(tree, str) else []
