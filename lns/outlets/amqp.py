"""AMQP 0-9-1: persistent messages to a durable topic exchange, each confirmed by the broker.

Any number of queues may be bound to the exchange, each for a reader of its own. A connection that failed is given up
as a whole and the next delivery opens another.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from lns.config import ConfigError
from lns.outlets.broker import End, Failure, Message, Unrouted
from lns.outlets.broker_settings import Amqp, password, tls_context

try:
    import aio_pika
    from aio_pika.abc import AbstractConnection
    from aio_pika.exceptions import AMQPError, ChannelInvalidStateError, DeliveryError
    from aiormq import Channel, spec
    from aiormq.abc import DeliveredMessage
except ImportError as missing:
    raise ConfigError("the amqp outlet needs the extra: pip install 'inflight-lns[amqp]'") from missing

_logger = logging.getLogger(__name__)

CONNECT_S = 5.0
GUEST = "guest"  # user and password of a new RabbitMQ, which takes them from its own machine only
PERSISTENT = 2  # AMQP 0-9-1, 3.1.1 and the class basic: delivery-mode
MAX_ROUTING_KEY_OCTETS = 255  # AMQP 0-9-1, 4.2.5.3: a short string
UNROUTED = "the broker has no queue bound for it"
_TROUBLE = (AMQPError, ChannelInvalidStateError, OSError)


class AmqpBroker:
    """Publishes to one AMQP broker."""

    def __init__(self, settings: Amqp) -> None:
        """ConfigError where a setting cannot work."""
        self._settings = settings
        self._password = password("amqp", settings)
        self._tls = tls_context("amqp", settings)
        self._connection: AbstractConnection | None = None
        self._channel: Channel | None = None
        self._unrouted: End = Unrouted(UNROUTED)
        if settings.mandatory:
            self._unrouted = Failure("not_taken", f"the broker did not take it: {UNROUTED}")

    async def open(self) -> None:
        """The first delivery connects."""

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            try:
                async with asyncio.timeout(CONNECT_S):
                    await connection.close()
            except (*_TROUBLE, TimeoutError) as error:
                _logger.debug("amqp connection ends: %s", error)

    async def deliver(self, messages: Sequence[Message]) -> list[End]:
        """Publish in order and wait for confirmations."""
        try:
            async with asyncio.timeout(CONNECT_S):
                channel = self._channel or await self._connect()
        except (*_TROUBLE, TimeoutError) as error:
            await self.close()
            text = f"no connection to {self._settings.host}:{self._settings.port}: {_explained(error)}"
            return [Failure("connect", text)] * len(messages)
        ends: list[End] = [self._unfit(one) for one in messages]
        fit = [at for at, end in enumerate(ends) if end is None]
        for at, end in zip(fit, await self._publish(channel, [messages[at] for at in fit]), strict=True):
            ends[at] = end
        if any(isinstance(end, Failure) and not end.final for end in ends):
            await self.close()
        return ends

    async def _connect(self) -> Channel:
        settings = self._settings
        self._connection = await aio_pika.connect(
            host=settings.host,
            port=settings.port,
            login=settings.username or GUEST,
            password=self._password or ("" if settings.username else GUEST),
            virtualhost=settings.vhost,
            ssl=settings.tls,
            ssl_context=self._tls,
            timeout=CONNECT_S,
            client_properties={"connection_name": "inflight"},
        )
        channel = await self._connection.channel(publisher_confirms=True, on_return_raises=False)
        if settings.exchange.startswith("amq."):  # the broker's own cannot be declared
            await channel.get_exchange(settings.exchange, ensure=True)
        else:
            await channel.declare_exchange(settings.exchange, aio_pika.ExchangeType.TOPIC, durable=True)
        underlay = await channel.get_underlay_channel()
        assert isinstance(underlay, Channel)
        self._channel = underlay
        _logger.info("amqp connected to %s:%d", settings.host, settings.port)
        return underlay

    async def _publish(self, channel: Channel, messages: Sequence[Message]) -> list[End]:
        timeout_s = self._settings.delivery_timeout_s
        ends: list[End] = [Failure("timeout", f"not confirmed after {timeout_s:g} s")] * len(messages)
        with suppress(TimeoutError):  # whose confirmation is missing keeps the end from above
            async with asyncio.timeout(timeout_s):
                # gather starts them in order, and the channel writes them in that order
                await asyncio.gather(*(self._send(channel, at, one, ends) for at, one in enumerate(messages)))
        return ends

    async def _send(self, channel: Channel, at: int, message: Message, ends: list[End]) -> None:
        properties = spec.Basic.Properties(
            content_type="application/json",
            headers={"seq": message.seq},
            delivery_mode=PERSISTENT,
            message_id=message.id,
            timestamp=datetime.fromtimestamp(message.at_us // 1_000_000, UTC) if message.at_us else None,
            message_type=message.event,
        )
        try:
            answer = await channel.basic_publish(
                message.value,
                exchange=self._settings.exchange,
                routing_key=message.topic,
                properties=properties,
                mandatory=True,
                wait=False,  # until it is written: the confirmation tells more
            )
        except DeliveryError as error:
            ends[at] = Failure("not_taken", f"the broker did not take it: {_explained(error)}")
        except _TROUBLE as error:
            ends[at] = Failure("connection", _explained(error))
        else:
            ends[at] = self._unrouted if isinstance(answer, DeliveredMessage) else None  # which is one that comes back

    def _unfit(self, message: Message) -> Failure | None:
        size, most = len(message.value), self._settings.max_message_bytes
        if size > most:
            return Failure("message_too_large", f"{message.event} message is {size} bytes, at most {most} fit", True)
        octets = len(message.topic.encode())
        if octets > MAX_ROUTING_KEY_OCTETS:
            text = f"the routing key is {octets} octets, at most {MAX_ROUTING_KEY_OCTETS} fit"
            return Failure("routing_key_too_long", text, True)
        return None


def _explained(error: BaseException) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return f"no answer within {CONNECT_S:g} s"
    return str(error) or type(error).__name__
