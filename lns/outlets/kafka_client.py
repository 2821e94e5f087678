"""What both ways to Kafka share of the client library: its log, its errors in words, missing topics."""

import logging
import time
from collections.abc import Iterable

from lns.config import ConfigError
from lns.outlets.kafka_settings import Properties

try:
    from confluent_kafka import KafkaError, KafkaException, Producer
    from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # not marked as exported
except ImportError as missing:
    raise ConfigError("the kafka outlet needs the extra: pip install 'inflight-lns[kafka]'") from missing

__all__ = ["KafkaError", "KafkaException", "Producer"]

_logger = logging.getLogger(__name__)

LOG_INTERVAL_S = 60.0
FIRST_POLL_S, LAST_POLL_S = 0.002, 0.02
IDLE_POLL_S = 1.0  # without polls, errors of an idle connection would pile up
CLOSE_S = 5.0

UNACCEPTABLE = {
    KafkaError.MSG_SIZE_TOO_LARGE: "message_too_large",
    KafkaError.RECORD_LIST_TOO_LARGE: "message_too_large",
    KafkaError.INVALID_MSG_SIZE: "message_too_large",
    KafkaError.INVALID_RECORD: "invalid_record",
    KafkaError.INVALID_TIMESTAMP: "invalid_timestamp",
}
"""What a broker will never take, however often it is asked."""


class Log:
    """What librdkafka says, as it repeats itself at every reconnect: a line of each kind per interval is passed on."""

    def __init__(self) -> None:
        self.failure = ""  # why the newest connection failed
        self._passed_at: dict[str, float] = {}

    def log(self, level: int, text: str, kind: str, client: str, said: str) -> None:
        """Called by the client library with its log level, format and the three parts of a line."""
        if kind == "FAIL":
            self.failure = said
        # CONFWARN: every property is set here and on purpose, the experimental one too.
        if kind != "CONFWARN" and time.monotonic() - self._passed_at.get(kind, -LOG_INTERVAL_S) >= LOG_INTERVAL_S:
            self._passed_at[kind] = time.monotonic()
            _logger.log(level, text, kind, client, said)


def create_topics(connection: Properties, topics: Iterable[str], partitions: int, timeout_s: float) -> None:
    """Blocks. KafkaException when no broker answers; a broker's refusal is only reported, writing may still go."""
    admin = AdminClient(connection, logger=Log())
    wanted = [NewTopic(topic, partitions) for topic in sorted(set(topics)) if topic]
    for topic, future in admin.create_topics(wanted, request_timeout=timeout_s).items():
        try:
            future.result()
            _logger.info("created kafka topic %s with %d partitions", topic, partitions)
        except KafkaException as error:
            cause = error.args[0]
            if cause.code() < 0 or cause.retriable():
                raise
            if cause.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                _logger.warning("kafka topic %s cannot be created: %s", topic, cause.str())


def not_created(cause: KafkaError, why: str) -> str:
    """Why topics could not be created, as a sentence; `why` is the newest trouble with a connection."""
    what = "no broker answers" if cause.code() < 0 else "topics cannot be created"
    return f"{what}: {explained(why or cause.str())}"


def explained(cause: str) -> str:
    """What to change: librdkafka says it at the first failure only, and by its own name of the setting."""
    if "certificate verify failed" in cause:
        return f"{cause}; check ssl_ca_location"
    return cause


def slug(error: KafkaError) -> str:
    """The name of an error for metrics."""
    return str(error.name()).strip("_").lower()
