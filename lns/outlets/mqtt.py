"""MQTT 3.1.1: publishes at QoS 1 and waits for each acknowledgement.

A connection that failed is given up as a whole and the next delivery opens another: what the client still had in
flight is forgotten with it, and whoever asked sends it again, after a pause.
"""

import asyncio
import logging
import math
from collections.abc import Sequence

from lns.config import ConfigError
from lns.outlets.broker import Failure, Message
from lns.outlets.broker_settings import Mqtt, password, tls_context

try:
    from aiomqtt import Client, MqttError, Will
except ImportError as missing:
    raise ConfigError("the mqtt outlet needs the extra: pip install 'inflight-lns[mqtt]'") from missing

_logger = logging.getLogger(__name__)

_client_logger = _logger.getChild("client")
_client_logger.setLevel(logging.CRITICAL)  # at ERROR it says what the outlet says itself, once for each attempt

IN_FLIGHT = 100
"""Messages that are sent ahead of their acknowledgements."""
CONNECT_S = 5.0
AT_LEAST_ONCE = 1


class MqttConnections:
    """Makes clients of one broker."""

    def __init__(self, settings: Mqtt) -> None:
        """ConfigError where a setting cannot work."""
        self._settings = settings
        self._password = password("mqtt", settings)
        self._tls = tls_context("mqtt", settings)

    def client(self, suffix: str = "", *, will: Will | None = None, lasting: bool = False) -> Client:
        """A client that is not connected yet; `lasting`: the broker keeps its subscriptions while it is away."""
        settings = self._settings
        client = Client(
            settings.host,
            settings.port,
            username=settings.username or None,
            password=self._password,
            identifier=settings.client_id + suffix,
            clean_session=not lasting,
            will=will,
            timeout=CONNECT_S,
            keepalive=settings.keepalive_s,
            max_inflight_messages=IN_FLIGHT,
            max_queued_incoming_messages=1000,
            tls_context=self._tls,
            logger=_client_logger,
        )
        client.pending_calls_threshold = 1_000_000  # it warns above, for every message
        return client


def let_go(client: Client) -> None:
    """Take in why a connection ended: asyncio says at ERROR of a reason that nobody has read, and aiomqtt does not."""
    ended = client._disconnected
    if ended.done() and not ended.cancelled() and (reason := ended.exception()) is not None:
        _logger.debug("mqtt connection ended: %s", reason)


class MqttBroker:
    """Publishes to one MQTT broker."""

    def __init__(self, settings: Mqtt) -> None:
        """ConfigError where a setting cannot work."""
        self._settings = settings
        self._connections = MqttConnections(settings)
        self._client: Client | None = None
        self._trouble = ""

    async def open(self) -> None:
        """The first delivery connects."""

    async def close(self) -> None:
        """Say goodbye to the broker, and on the status topic that this client is gone."""
        if self._client is not None and self._settings.status_topic:
            try:
                await self._client.publish(self._settings.status_topic, "offline", AT_LEAST_ONCE, True)
            except MqttError as error:
                _logger.info("mqtt closes without a goodbye: %s", error)
        await self._disconnect()

    async def deliver(self, messages: Sequence[Message]) -> list[Failure | None]:
        """Publish in order and wait for acknowledgements."""
        try:
            client = self._client or await self._connect()
        except MqttError as error:
            await self._disconnect()
            return [Failure("connect", f"no connection to {self._address}: {error}")] * len(messages)
        self._trouble = ""
        late = f"not acknowledged after {self._settings.delivery_timeout_s:g} s"
        outcomes: list[Failure | None] = [Failure("timeout", late)] * len(messages)
        try:
            async with asyncio.timeout(self._settings.delivery_timeout_s), asyncio.TaskGroup() as group:
                publishing = group.create_task(self._publish_all(client, messages, outcomes))
                watching = group.create_task(self._watch(client, publishing))
                await asyncio.wait([publishing])
                watching.cancel()
        except TimeoutError:
            self._trouble = late
        if self._trouble:
            lost = Failure("timeout" if self._trouble == late else "connection", self._trouble)
            outcomes = [lost if failure is not None and not failure.final else failure for failure in outcomes]
        if any(failure is not None and not failure.final for failure in outcomes):
            await self._disconnect()
        return outcomes

    @property
    def _address(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    async def _connect(self) -> Client:
        status_topic = self._settings.status_topic
        will = Will(status_topic, "offline", AT_LEAST_ONCE, retain=True) if status_topic else None
        client = self._connections.client(will=will)
        await client.__aenter__()
        self._client = client
        if status_topic:
            await client.publish(status_topic, "online", AT_LEAST_ONCE, True)
        _logger.info("mqtt connected to %s", self._address)
        return client

    async def _publish_all(self, client: Client, messages: Sequence[Message], outcomes: list[Failure | None]) -> None:
        # gather starts them in order, and each writes its message before it waits
        await asyncio.gather(*(self._publish(client, at, one, outcomes) for at, one in enumerate(messages)))

    async def _publish(self, client: Client, at: int, message: Message, outcomes: list[Failure | None]) -> None:
        size, most = len(message.value), self._settings.max_message_bytes
        if size > most:
            text = f"{message.event} message is {size} bytes, at most {most} fit"
            outcomes[at] = Failure("message_too_large", text, final=True)
            return
        try:
            await client.publish(message.topic, message.value, AT_LEAST_ONCE, message.retain, timeout=math.inf)
            outcomes[at] = None
        except MqttError as error:
            outcomes[at] = Failure("connection", str(error))

    async def _watch(self, client: Client, publishing: asyncio.Task[None]) -> None:
        """The client does not tell those who wait for an acknowledgement that the connection is lost."""
        try:
            async for _ in client.messages:
                pass
        except MqttError:
            self._trouble = f"the connection to {self._address} is lost"
            publishing.cancel()

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            try:
                await client.__aexit__(None, None, None)
            except MqttError as error:
                _logger.debug("mqtt connection ends: %s", error)
            let_go(client)
