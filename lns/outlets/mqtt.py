"""MQTT 3.1.1: publishes at QoS 1 and waits for each acknowledgement.

A connection that failed is given up as a whole and the next delivery opens another: what the client still had in
flight is forgotten with it, and whoever asked sends it again, after a pause.
"""

import asyncio
import logging
from collections.abc import Sequence

from msgspec.structs import replace

from lns.outlets.broker import Failure, Message
from lns.outlets.broker_settings import Mqtt, password, tls_context
from lns.outlets.mqtt_connection import CONNECT_S, Connection, Hello, MqttLost

_logger = logging.getLogger(__name__)

MAX_TOPIC_OCTETS = 65_535


def hello(settings: Mqtt) -> Hello:
    """How to connect. ConfigError where a setting cannot work."""
    return Hello(
        settings.host,
        settings.port,
        settings.client_id,
        settings.keepalive_s,
        settings.username,
        password("mqtt", settings),
        tls_context("mqtt", settings),
    )


class MqttBroker:
    """Publishes to one MQTT broker."""

    def __init__(self, settings: Mqtt) -> None:
        """ConfigError where a setting cannot work."""
        self._settings = settings
        self._hello = replace(hello(settings), will=settings.status_topic)
        self._connection: Connection | None = None

    async def open(self) -> None:
        """The first delivery connects."""

    async def close(self) -> None:
        """Say goodbye to the broker, and on the status topic that this client is gone."""
        if self._connection is not None and not self._connection.lost:
            try:
                async with asyncio.timeout(CONNECT_S):
                    await self._tell(self._connection, "offline")
            except (MqttLost, TimeoutError) as error:
                _logger.info("mqtt closes without a goodbye: %s", error)
        self._disconnect()

    async def deliver(self, messages: Sequence[Message]) -> list[Failure | None]:
        """Publish in order and wait for acknowledgements."""
        ends = [self._unfit(one) for one in messages]
        fit = [at for at, end in enumerate(ends) if end is None]
        acknowledged = [False] * len(fit)
        failure = await self._publish([messages[at] for at in fit], acknowledged)
        if failure is not None:
            self._disconnect()
            for at, arrived in zip(fit, acknowledged, strict=True):
                ends[at] = None if arrived else failure
        return ends

    async def _publish(self, messages: Sequence[Message], acknowledged: list[bool]) -> Failure | None:
        """What has become of those that were not acknowledged; None when all were."""
        timeout_s = self._settings.delivery_timeout_s
        try:
            connection = await self._connected()
        except MqttLost as error:
            return Failure("connect", f"no connection to {self._address}: {error}")
        try:
            async with asyncio.timeout(timeout_s):
                await connection.publish(messages, acknowledged)
        except TimeoutError:
            return Failure("timeout", f"not acknowledged after {timeout_s:g} s")
        except MqttLost as lost:
            return Failure("connection", f"the connection to {self._address} is lost: {lost}")
        return None

    @property
    def _address(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    async def _connected(self) -> Connection:
        """The connection, a new one where the last is lost."""
        if self._connection is None or self._connection.lost:
            self._disconnect()
            connection = self._connection = Connection(self._hello)
            try:
                await connection.open()
                async with asyncio.timeout(CONNECT_S):
                    await self._tell(connection, "online")
            except TimeoutError:
                self._disconnect()
                raise MqttLost(f"no answer within {CONNECT_S:g} s") from None
            except BaseException:  # also a call that is cut off: the next must not take it for open
                self._disconnect()
                raise
            _logger.info("mqtt connected to %s", self._address)
        return self._connection

    async def _tell(self, connection: Connection, state: str) -> None:
        topic = self._settings.status_topic
        if topic:
            await connection.publish([Message(topic, state.encode(), "", 0, "", "", retain=True)], [False])

    def _unfit(self, message: Message) -> Failure | None:
        size, most = len(message.value), self._settings.max_message_bytes
        if size > most:
            return Failure("message_too_large", f"{message.event} message is {size} bytes, at most {most} fit", True)
        octets = len(message.topic.encode())
        if octets > MAX_TOPIC_OCTETS:
            return Failure("topic_too_long", f"the topic is {octets} octets, at most {MAX_TOPIC_OCTETS} fit", True)
        return None

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
