"""The Kafka outlet: one message per record, keyed by device, written in order and acknowledged by every replica.

What keeps a device's order: librdkafka's idempotent producer never writes a message behind a later one of the same
partition, a message never expires, and a batch that is tried again is either still with the producer, which is then
only waited for, or a new producer writes it again from its first record. So a reader that drops what it has already
seen (`seq` not above the device's last) sees every record once and in order.

All calls into librdkafka are made on the event loop and return at once: a thread that polls would need the
interpreter's lock for every single report, and a busy loop gives it away only every 5 ms.
"""

import asyncio
import logging
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from lns import metrics
from lns.config import ConfigError, Kafka
from lns.exchange.records import Stored
from lns.outlets import kafka_settings
from lns.outlets.delivery import OutletError, Refused, SetAside
from lns.outlets.formats.encodings import make_encoding
from lns.outlets.formats.inflight import Formatter, Kind, Lookup, Message
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

_logger = logging.getLogger(__name__)

MAX_BATCH = 1000  # records; even at the largest message size they fit into librdkafka's queue of 1 GiB
SLICE = 100  # records queued before the event loop gets a turn: about 1 ms
PATIENCE = 4  # time-outs without an acknowledgement until a new producer is tried
TOPICS_S = 5.0


class _Unacceptable(Exception):
    """A broker will never take one of these messages, however often it is asked."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class _Link:
    """One producer from its start to its end. After a failed message it is only good for being ended."""

    def __init__(self, properties: kafka_settings.Properties, log: Log) -> None:
        self.failures: list[KafkaError] = []
        self.ready = False  # the topics exist, as far as that is in our hands
        self.late: list[int] = []  # messages that waited at each time-out since the last acknowledgement
        self.trouble = ""  # newest error that was reported as such
        self.batch: tuple[int, ...] | None = None  # first and last seq of what was queued; empty while queueing
        self.sent: Counter[str] = Counter()
        self._producer = Producer(
            {**properties, "error_cb": self._on_error, "on_delivery": self._on_failure}, logger=log
        )

    def _on_error(self, error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # the log says why
            self.trouble = error.str()

    def _on_failure(self, error: KafkaError, _: object) -> None:
        self.failures.append(error)

    def send(self, topic: str, message: Message) -> None:
        """Queue a message; KafkaException when it is too large."""
        self._producer.produce(
            topic, message.value, message.key, headers=message.headers, timestamp=message.at_us // 1000
        )
        self.sent[topic] += 1

    def poll(self, seconds: float = 0.0) -> int:
        """Take in reports; returns how many messages still wait for one."""
        try:
            self._producer.poll(seconds)
        except KafkaException as fatal:  # raised instead of calling error_cb
            self.failures.append(fatal.args[0])
        return len(self._producer)

    async def end(self) -> None:
        """Give up what waits, take in the last reports and close the connections."""
        self._producer.purge(blocking=False)
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        deadline = time.monotonic() + CLOSE_S
        while self.poll(0.1) and time.monotonic() < deadline:
            pass
        self._producer.close()


class KafkaOutlet:
    """A consumer of the exchange that writes to Kafka. `set_aside` records what a broker will never take."""

    name = "kafka"
    max_batch = MAX_BATCH

    def __init__(
        self, config: Kafka, lookup: Lookup, set_aside: SetAside, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._config = config
        self._connection = kafka_settings.connection(config, environ)
        self._set_aside = set_aside
        self._log = Log()
        self._formatter = Formatter(lookup, make_encoding(config.format))
        self._kafka_topics: dict[Kind, str] = {
            "uplink": config.uplink_topic,
            "measurements": config.measurement_topic,
            "event": config.event_topic,
        }
        self.topics = self._wanted()
        self._link: _Link | None = None
        self._idle: asyncio.TimerHandle | None = None

    def _wanted(self) -> frozenset[str]:
        config = self._config
        wanted = {"uplink": config.uplink_topic, "event": config.event_topic}
        wanted["decoded"] = config.measurement_topic or config.event_topic  # failures are sent as events
        return frozenset(topic for topic, sent_to in wanted.items() if sent_to)

    async def open(self) -> None:
        """Start connecting, without waiting for it. ConfigError where librdkafka refuses a setting."""
        self._link = self._start()
        self._poll_idle()

    def _start(self) -> _Link:
        try:
            return _Link(self._connection | kafka_settings.producer(self._config), self._log)
        except KafkaException as error:
            raise ConfigError(f"[kafka] {error.args[0].str()}") from error

    def _poll_idle(self) -> None:
        if self._link is not None:
            self._link.poll()
        self._idle = asyncio.get_running_loop().call_later(IDLE_POLL_S, self._poll_idle)

    def forget(self) -> None:
        """Look the names of devices and applications up again."""
        self._formatter.forget()

    async def position(self) -> int | None:
        return None

    async def handle(self, batch: Sequence[Stored]) -> None:
        """Write a batch and wait until it is acknowledged. OutletError: not yet; give the same batch again."""
        try:
            await self._deliver(batch)
        except OutletError as error:
            metrics.outlet_errors.inc(self.name, error.reason)
            raise

    async def _deliver(self, batch: Sequence[Stored]) -> None:
        """A batch that holds an unacceptable message is cut in two until that message is alone."""
        try:
            await self._write(batch)
        except _Unacceptable as refusal:
            if len(batch) == 1:
                await self._refuse(batch[0], refusal.reason, str(refusal))
                return
            middle = len(batch) // 2
            await self._deliver(batch[:middle])
            await self._deliver(batch[middle:])

    async def _write(self, batch: Sequence[Stored]) -> None:
        link = await self._linked()
        span = (batch[0].seq, batch[-1].seq)
        if link.batch != span:
            if link.batch is not None:
                await self._unlink()
                link = await self._linked()
            link.batch = ()
            await self._queue(link, batch)
            link.batch = span
        if not await self._settled(link, self._config.delivery_timeout_s):
            raise await self._late(link)
        if link.failures:
            await self._unlink()
            raise self._verdict(link.failures)
        for topic, count in link.sent.items():
            metrics.outlet_delivered.inc(self.name, topic, n=count)
        link.batch, link.trouble, self._log.failure = None, "", ""
        link.sent.clear()
        link.late.clear()

    async def _late(self, link: _Link) -> OutletError:
        """Wait on, but not for ever on one producer: brokers that lost its id refuse it again and again."""
        waiting = link.poll()
        if link.late and waiting < link.late[-1]:
            link.late.clear()
        link.late.append(waiting)
        if len(link.late) >= PATIENCE:
            await self._unlink()
        cause = explained(link.trouble or self._log.failure or "the brokers do not answer")
        return OutletError(
            "timeout", f"{waiting} messages are not acknowledged after {self._config.delivery_timeout_s:g} s: {cause}"
        )

    async def _linked(self) -> _Link:
        link = self._link = self._link or self._start()
        if not link.ready and self._config.partitions:
            try:
                await asyncio.to_thread(self._create_topics)
            except KafkaException as error:
                link.poll()
                cause = error.args[0]
                raise OutletError(slug(cause), not_created(cause, link.trouble or self._log.failure)) from error
        link.ready = True
        return link

    async def _unlink(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.end()

    def _create_topics(self) -> None:
        timeout_s = min(TOPICS_S, self._config.delivery_timeout_s)
        create_topics(self._connection, self._kafka_topics.values(), self._config.partitions, timeout_s)

    async def _queue(self, link: _Link, batch: Sequence[Stored]) -> None:
        for start in range(0, len(batch), SLICE):
            for stored in batch[start : start + SLICE]:
                try:
                    self._send(link, stored)
                except _Unacceptable as refusal:
                    await self._refuse(stored, refusal.reason, str(refusal))
            link.poll()
            await asyncio.sleep(0)

    def _send(self, link: _Link, stored: Stored) -> None:
        try:
            messages = self._formatter.messages(stored)
        except ValueError as error:
            raise _Unacceptable("unencodable", str(error)) from error
        for message in messages:
            if topic := self._kafka_topics[message.kind]:
                try:
                    link.send(topic, message)
                except KafkaException as error:
                    self._not_queued(link, message, error.args[0])

    def _not_queued(self, link: _Link, message: Message, error: KafkaError) -> None:
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            raise _Unacceptable(
                "message_too_large",
                f"{message.kind} message is {len(message.value)} bytes, at most {kafka_settings.MAX_MESSAGE_BYTES} fit",
            )
        link.failures.append(error)

    async def _settled(self, link: _Link, seconds: float) -> bool:
        """Wait until every message is acknowledged or one has failed; False when the time is up before."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        pause_s = FIRST_POLL_S
        while link.poll() and not link.failures:
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, LAST_POLL_S)
        return True

    def _verdict(self, failures: Sequence[KafkaError]) -> Exception:
        for error in failures:
            if error.code() in UNACCEPTABLE:
                return _Unacceptable(UNACCEPTABLE[error.code()], error.str())
        return OutletError(slug(failures[0]), f"a message was not taken: {failures[0].str()}")

    async def _refuse(self, stored: Stored, reason: str, text: str) -> None:
        record = stored.record
        metrics.outlet_errors.inc(self.name, reason)
        _logger.warning("kafka skips record %d: %s", stored.seq, text, extra={"dev_eui": record.dev_eui})
        await self._set_aside(
            Refused(self.name, stored.seq, stored.topic, record.id, record.device_id, record.dev_eui, reason, text)
        )

    async def close(self) -> None:
        """Wait a moment for what is under way and not late already; the exchange keeps what is not acknowledged."""
        if self._idle is not None:
            self._idle.cancel()
        link = self._link
        if link is not None and not await self._settled(link, 0 if link.late else CLOSE_S):
            _logger.warning("kafka closes with %d messages unacknowledged: sent again later", link.poll())
        await self._unlink()
