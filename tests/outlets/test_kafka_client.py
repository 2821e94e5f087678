"""What both ways to Kafka share."""

import logging

import pytest
from confluent_kafka.admin import AdminClient

from lns.outlets.kafka_client import KafkaError, KafkaException, Log, create_topics, explained, not_created, slug
from tests.brokers import Broker
from tests.process import free_port


def test_missing_topics_are_made_once(noida: Broker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "lns.outlets.kafka_client")
    for _ in range(2):
        create_topics({"bootstrap.servers": noida.address}, ["a", "b", "a", ""], 3, 5.0)
    assert sorted(caplog.messages) == [f"created kafka topic {name} with 3 partitions" for name in "ab"]
    topics = AdminClient({"bootstrap.servers": noida.address}).list_topics(timeout=10).topics
    assert [len(topics[name].partitions) for name in "ab"] == [3, 3]


def test_a_cluster_that_is_away_is_an_error() -> None:
    with pytest.raises(KafkaException) as away:
        create_topics({"bootstrap.servers": f"127.0.0.1:{free_port()}"}, ["a"], 3, 1.0)
    assert not_created(away.value.args[0], "Connection refused") == "no broker answers: Connection refused"


def test_a_line_of_a_kind_is_passed_on_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "lns.outlets.kafka_client")
    log = Log()
    for said in ("Connection refused", "Connection reset"):
        log.log(logging.WARNING, "%s [%s]: %s", "FAIL", "producer-1", said)
    log.log(logging.WARNING, "%s [%s]: %s", "CONFWARN", "producer-1", "experimental")
    assert caplog.messages == ["FAIL [producer-1]: Connection refused"]
    assert log.failure == "Connection reset"


def test_errors_are_named_and_explained() -> None:
    assert slug(KafkaError(KafkaError._MSG_TIMED_OUT)) == "msg_timed_out"
    assert slug(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)) == "msg_size_too_large"
    assert explained("ssl: certificate verify failed") == "ssl: certificate verify failed; check ssl_ca_location"
    assert explained("Connection refused") == "Connection refused"
    refused = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    assert not_created(refused, "") == f"topics cannot be created: {refused.str()}"
