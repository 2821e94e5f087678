"""Kafka as the broker of one outlet: each message acknowledged by every replica and reported by itself.

All calls into librdkafka are made on the event loop and return at once, as in `kafka.py`. Of a device one message at a
time is under way, so a message that is tried again cannot fall behind a later one.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial

from lns.config import ConfigError
from lns.outlets import kafka_settings
from lns.outlets.broker import Failure, Message
from lns.outlets.kafka_client import (
    CLOSE_S,
    FIRST_POLL_S,
    IDLE_POLL_S,
    LAST_POLL_S,
    UNACCEPTABLE,
    KafkaError,
    KafkaException,
    Log,
    Producer,
    create_topics,
    explained,
    not_created,
    slug,
)
from lns.outlets.kafka_settings import KafkaSettings
from lns.outlets.threads import begin

_logger = logging.getLogger(__name__)

REPORT_S = 2.0
"""How much later than its time-out a message's report may come."""
TOPICS_S = 5.0


class _Batch:
    """The ends of one call's messages."""

    def __init__(self, count: int) -> None:
        self.ends: list[Failure | None] = [None] * count
        self.waiting: set[int] = set()

    def settle(self, at: int, end: Failure | None) -> None:
        self.waiting.discard(at)
        self.ends[at] = end


class KafkaBroker:
    """Writes to the Kafka cluster of one outlet; `topics` are those that are created where they are missing."""

    def __init__(self, settings: KafkaSettings, topics: Mapping[str, str]) -> None:
        """ConfigError where a setting cannot work."""
        self._settings, self._topics = settings, topics
        self._connection = kafka_settings.connection(settings, {})
        self._log = Log()
        self._producer: Producer | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._ready = not settings.partitions  # the topics exist, as far as that is in our hands
        self._trouble = ""
        self._fatal = False

    async def open(self) -> None:
        """Start connecting, without waiting for it. ConfigError where librdkafka refuses a setting."""
        self._producer = self._start()
        self._poll_idle()

    async def close(self) -> None:
        """Close the connections; every call has ended, so nothing is under way."""
        if self._idle is not None:
            self._idle.cancel()
        await self._end()

    async def deliver(self, messages: Sequence[Message]) -> list[Failure | None]:
        """Write in order and wait for a report of each."""
        if (unready := await self._make_ready()) is not None:
            return [unready] * len(messages)
        producer = self._producer = self._producer or self._start()
        batch = _Batch(len(messages))
        for at, message in enumerate(messages):
            self._produce(producer, batch, at, message)
        if not await self._settled(producer, batch):
            self._fatal = True
            why = Failure("timeout", self._late())
            for at in tuple(batch.waiting):
                batch.settle(at, why)
        if self._fatal or all(end is not None and not end.final for end in batch.ends):
            # brokers that have lost the topics or the producer's id would refuse it for ever
            await self._end()
            self._ready = not self._settings.partitions
        elif not any(batch.ends):
            self._trouble = self._log.failure = ""
        return batch.ends

    def _start(self) -> Producer:
        self._fatal = False
        properties = self._connection | kafka_settings.delivering(self._settings)
        try:
            return Producer({**properties, "error_cb": self._on_error}, logger=self._log)
        except KafkaException as error:
            raise ConfigError(f"kafka: {error.args[0].str()}") from error

    async def _make_ready(self) -> Failure | None:
        if self._ready:
            return None
        timeout_s = min(TOPICS_S, self._settings.delivery_timeout_s)
        topics, partitions = self._topics.values(), self._settings.partitions
        try:
            await begin("kafka topics", partial(create_topics, self._connection, topics, partitions, timeout_s))
        except KafkaException as error:
            cause = error.args[0]
            self._poll()
            return Failure("connect", not_created(cause, self._trouble or self._log.failure))
        self._ready = True
        return None

    def _produce(self, producer: Producer, batch: _Batch, at: int, message: Message) -> None:
        headers: list[tuple[str, str | bytes | None]] = [
            ("seq", str(message.seq)),
            ("id", message.id),
            ("event", message.event),
        ]
        batch.waiting.add(at)
        try:
            producer.produce(
                message.topic,
                message.value,
                message.key,
                headers=headers,
                timestamp=message.at_us // 1000,  # 0: now
                on_delivery=partial(self._report, batch, at),
            )
        except BufferError:
            batch.settle(at, Failure("queue_full", "the client's queue is full"))
        except KafkaException as error:
            batch.settle(at, self._failure(error.args[0], len(message.value)))

    def _report(self, batch: _Batch, at: int, error: KafkaError | None, _: object) -> None:
        batch.settle(at, None if error is None else self._failure(error))

    def _failure(self, error: KafkaError, size: int = 0) -> Failure:
        if error.code() in UNACCEPTABLE:
            most = kafka_settings.MAX_MESSAGE_BYTES
            text = f"message is {size} bytes, at most {most} fit" if size > most else error.str()
            return Failure(UNACCEPTABLE[error.code()], text, final=True)
        if error.code() == KafkaError._MSG_TIMED_OUT:
            return Failure("timeout", self._late())
        self._fatal = self._fatal or error.fatal()
        return Failure(slug(error), error.str())

    def _late(self) -> str:
        cause = explained(self._trouble or self._log.failure or "the brokers do not answer")
        return f"not acknowledged after {self._settings.delivery_timeout_s:g} s: {cause}"

    async def _settled(self, producer: Producer, batch: _Batch) -> bool:
        """Wait for the reports; False when one is missing long after its time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.delivery_timeout_s + REPORT_S
        pause_s = FIRST_POLL_S
        while True:
            self._poll(producer)
            if not batch.waiting:
                return True
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, LAST_POLL_S)

    def _poll(self, producer: Producer | None = None) -> None:
        producer = producer or self._producer
        if producer is not None:
            try:
                producer.poll(0)
            except KafkaException as fatal:  # raised instead of calling error_cb
                self._on_error(fatal.args[0])

    def _poll_idle(self) -> None:
        self._poll()
        self._idle = asyncio.get_running_loop().call_later(IDLE_POLL_S, self._poll_idle)

    def _on_error(self, error: KafkaError) -> None:
        self._fatal = self._fatal or error.fatal()
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # the log says why
            self._trouble = error.str()

    async def _end(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge(blocking=False)
            await begin("kafka close", partial(_close, producer))


def _close(producer: Producer) -> None:
    deadline = time.monotonic() + CLOSE_S
    while len(producer) and time.monotonic() < deadline:
        producer.poll(0.1)
    producer.close()
