"""Downlink commands that arrive on MQTT topics: a connection of its own, whose session the broker keeps.

What is sent while this server is away waits at the broker (QoS 1) and is queued when it is back. A command that is
wrong is said in the log and counted; it stops nothing.
"""

import asyncio
import logging

from aiomqtt import MqttError

from lns import metrics
from lns.outlets.broker_settings import Mqtt
from lns.outlets.build import CommandTopics, Take
from lns.outlets.mqtt import AT_LEAST_ONCE, MqttConnections, let_go

_logger = logging.getLogger(__name__)

FIRST_RETRY_S = 0.2
LAST_RETRY_S = 30.0


class MqttCommands:
    """Takes downlink commands from one broker."""

    def __init__(self, outlet: str, settings: Mqtt, topics: CommandTopics, take: Take) -> None:
        """`outlet` is its key, for log and metrics. ConfigError where a setting cannot work."""
        self._connections = MqttConnections(settings)
        self._outlet, self._topics, self._take = outlet, topics, take
        self._subscriptions = [(topic, AT_LEAST_ONCE) for topic in topics.subscriptions()]
        self.subscribed = asyncio.Event()

    async def run(self) -> None:
        """For ever: connect, subscribe, take commands; connect again after a pause that doubles."""
        delay_s = FIRST_RETRY_S
        while True:
            client = self._connections.client("-commands", lasting=True)
            try:
                async with client:
                    await client.subscribe(self._subscriptions)
                    self.subscribed.set()
                    delay_s = FIRST_RETRY_S
                    async for message in client.messages:
                        await self._handle(str(message.topic), message.payload)
            except MqttError as error:
                level = logging.WARNING if delay_s == FIRST_RETRY_S else logging.DEBUG
                _logger.log(level, "commands of outlet %s are away, trying again: %s", self._outlet, error)
            finally:
                let_go(client)
            self.subscribed.clear()
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, LAST_RETRY_S)

    async def _handle(self, topic: str, value: object) -> None:
        names = self._topics.template.names(topic)
        if names is None or not isinstance(value, bytes):
            _logger.warning("command on %s is of another shape than %s", topic, self._topics.template.text)
            return
        try:
            await self._take(self._topics.parse(names, value))
        except ValueError as error:
            metrics.outlet_errors.inc(self._outlet, "command")
            _logger.warning("command on %s of outlet %s is refused: %s", topic, self._outlet, error)
