"""AMQP 0-9-1: persistent messages to a durable topic exchange, each confirmed by the broker.

Any number of queues may be bound to the exchange, each for a reader of its own. A connection that failed is given up
as a whole and the next delivery opens another.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from lns.config import ConfigError
from lns.outlets.broker import Failure, Message
from lns.outlets.broker_settings import Amqp, password, tls_context

try:
    import aio_pika
    from aio_pika.abc import AbstractConnection, AbstractExchange
    from aio_pika.exceptions import AMQPError, ChannelInvalidStateError, DeliveryError
except ImportError as missing:
    raise ConfigError("the amqp outlet needs the extra: pip install 'inflight-lns[amqp]'") from missing

_logger = logging.getLogger(__name__)

CONNECT_S = 5.0
GUEST = "guest"  # user and password of a new RabbitMQ, which takes them from its own machine only
_TROUBLE = (AMQPError, ChannelInvalidStateError, OSError)
MAX_ROUTING_KEY_OCTETS = 255  # AMQP 0-9-1, 4.2.5.3: a short string


class AmqpBroker:
    """Publishes to one AMQP broker."""

    def __init__(self, settings: Amqp) -> None:
        """ConfigError where a setting cannot work."""
        self._settings = settings
        self._password = password("amqp", settings)
        self._tls = tls_context("amqp", settings)
        self._connection: AbstractConnection | None = None
        self._exchange: AbstractExchange | None = None

    async def open(self) -> None:
        """The first delivery connects."""

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection, self._exchange = self._connection, None, None
        if connection is not None:
            try:
                async with asyncio.timeout(CONNECT_S):
                    await connection.close()
            except (*_TROUBLE, TimeoutError) as error:
                _logger.debug("amqp connection ends: %s", error)

    async def deliver(self, messages: Sequence[Message]) -> list[Failure | None]:
        """Publish in order and wait for confirmations."""
        try:
            async with asyncio.timeout(CONNECT_S):
                exchange = self._exchange or await self._connect()
        except (*_TROUBLE, TimeoutError) as error:
            await self.close()
            text = f"no connection to {self._settings.host}:{self._settings.port}: {_explained(error)}"
            return [Failure("connect", text)] * len(messages)
        late = f"not confirmed after {self._settings.delivery_timeout_s:g} s"
        outcomes: list[Failure | None] = [Failure("timeout", late)] * len(messages)
        try:
            async with asyncio.timeout(self._settings.delivery_timeout_s):
                # gather starts them in order, and the channel writes them in that order
                await asyncio.gather(*(self._publish(exchange, at, one, outcomes) for at, one in enumerate(messages)))
        except TimeoutError:
            pass  # whose confirmation is missing keeps the outcome from above
        if any(failure is not None and not failure.final for failure in outcomes):
            await self.close()
        return outcomes

    async def _connect(self) -> AbstractExchange:
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
        channel = await self._connection.channel(publisher_confirms=True, on_return_raises=settings.mandatory)
        if settings.exchange.startswith("amq."):  # the broker's own cannot be declared
            self._exchange = await channel.get_exchange(settings.exchange, ensure=True)
        else:
            kind = aio_pika.ExchangeType.TOPIC
            self._exchange = await channel.declare_exchange(settings.exchange, kind, durable=True)
        _logger.info("amqp connected to %s:%d", settings.host, settings.port)
        return self._exchange

    async def _publish(
        self, exchange: AbstractExchange, at: int, message: Message, outcomes: list[Failure | None]
    ) -> None:
        outcomes[at] = unfit = self._unfit(message)
        if unfit is not None:
            return
        outcomes[at] = Failure("timeout", f"not confirmed after {self._settings.delivery_timeout_s:g} s")
        body = aio_pika.Message(
            message.value,
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=message.id,
            type=message.event,
            timestamp=datetime.fromtimestamp(message.at_us // 1_000_000, UTC) if message.at_us else None,
            headers={"seq": message.seq},
        )
        try:
            await exchange.publish(body, message.topic, mandatory=self._settings.mandatory)
            outcomes[at] = None
        except DeliveryError as error:
            outcomes[at] = Failure("not_taken", f"the broker did not take it: {_explained(error)}")
        except _TROUBLE as error:
            outcomes[at] = Failure("connection", _explained(error))

    def _unfit(self, message: Message) -> Failure | None:
        size, most = len(message.value), self._settings.max_message_bytes
        if size > most:
            return Failure("message_too_large", f"{message.event} message is {size} bytes, at most {most} fit", True)
        octets = len(message.topic.encode())
        if octets > MAX_ROUTING_KEY_OCTETS:
            text = f"the routing key is {octets} octets, at most {MAX_ROUTING_KEY_OCTETS} fit"
            return Failure("routing_key_too_long", text, True)
        return None


def _explained(error: Exception) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return f"no answer within {CONNECT_S:g} s"
    return str(error) or type(error).__name__
