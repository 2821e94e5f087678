"""Downlink commands that arrive on MQTT topics: a connection of its own, whose session the broker keeps.

A command sent at QoS 1 is acknowledged once it has been taken, so what this server has not taken yet waits at the
broker, whatever happens to either. A command that is wrong is said in the log and counted; it stops nothing.
"""

import asyncio
import logging
from contextlib import suppress

from msgspec.structs import replace

from lns import metrics
from lns.errors import StoreError
from lns.outlets.broker_settings import Mqtt
from lns.outlets.build import CommandTopics, Take
from lns.outlets.mqtt import hello
from lns.outlets.mqtt_connection import CONNECT_S, Connection, Incoming, MqttLost

_logger = logging.getLogger(__name__)

FIRST_RETRY_S = 0.2
LAST_RETRY_S = 30.0
SETTLE_S = 2.0
AWAY = (StoreError, OSError)
"""A command that ends so may well be taken later."""


class MqttCommands:
    """Takes downlink commands from one broker."""

    def __init__(self, outlet: str, settings: Mqtt, topics: CommandTopics, take: Take) -> None:
        """`outlet` is its key, for log and metrics. ConfigError where a setting cannot work."""
        self._hello = replace(hello(settings), client_id=settings.client_id + "-commands", lasting=True)
        self._outlet, self._topics, self._take = outlet, topics, take
        self.subscribed = asyncio.Event()

    async def run(self) -> None:
        """For ever: connect, subscribe, take commands; connect again after a pause that doubles."""
        delay_s = FIRST_RETRY_S
        while True:
            try:
                await self._listen()
            except MqttLost as error:
                if self.subscribed.is_set():
                    delay_s = FIRST_RETRY_S
                level = logging.WARNING if delay_s == FIRST_RETRY_S else logging.DEBUG
                _logger.log(level, "commands of outlet %s are away, trying again: %s", self._outlet, error)
            finally:
                self.subscribed.clear()
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, LAST_RETRY_S)

    async def _listen(self) -> None:
        """MqttLost ends it."""
        connection = Connection(self._hello)
        try:
            await connection.open()
            async with asyncio.timeout(CONNECT_S):
                await connection.subscribe(self._topics.subscriptions())
            self.subscribed.set()
            while True:
                await self._handle(connection, await connection.arrived())
        except TimeoutError:
            raise MqttLost(f"no answer within {CONNECT_S:g} s") from None
        finally:
            await self._leave(connection)

    async def _leave(self, connection: Connection) -> None:
        """What was taken must not come again: the broker could lose sight of acknowledgements in a hasty end."""
        try:
            with suppress(MqttLost, TimeoutError):
                async with asyncio.timeout(SETTLE_S):
                    await connection.settle()
        finally:
            connection.close()
        if connection.forgotten:
            metrics.outlet_errors.inc(self._outlet, "command_lost", n=connection.forgotten)
            _logger.warning("%d commands of outlet %s are lost: QoS 0", connection.forgotten, self._outlet)

    async def _handle(self, connection: Connection, message: Incoming) -> None:
        """Until it is taken or refused; MqttLost: it comes again on the next connection."""
        delay_s = FIRST_RETRY_S
        while (why := await self._obey(message)) is not None:
            level = logging.WARNING if delay_s == FIRST_RETRY_S else logging.DEBUG
            _logger.log(level, "a command of outlet %s waits: %s", self._outlet, why)
            await connection.stay(delay_s)
            delay_s = min(delay_s * 2, LAST_RETRY_S)
        connection.acknowledge(message)

    async def _obey(self, message: Incoming) -> Exception | None:
        """Why it has to be tried again; None where it is done with."""
        topic = message.topic
        try:
            names = self._topics.template.names(topic)
            if names is None:
                raise ValueError(f"it is of another shape than {self._topics.template.text}")
            await self._take(self._topics.parse(names, message.value))
        except AWAY as error:
            metrics.outlet_errors.inc(self._outlet, "command_waits")
            return error
        except (ValueError, LookupError) as error:
            metrics.outlet_errors.inc(self._outlet, "command")
            _logger.warning("command on %s of outlet %s is refused: %s", topic, self._outlet, error)
        except Exception:  # the top of a command: a fault of ours must not hold up those behind it
            metrics.outlet_errors.inc(self._outlet, "command_failed")
            _logger.exception("command on %s of outlet %s failed in an unexpected way", topic, self._outlet)
        return None
