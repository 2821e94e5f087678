"""One connection to an MQTT broker, by paho-mqtt without its threads: the loop of the server reads and writes for it.

Once it is lost it stays lost, and whoever needs one opens another. An object and a future for each message, as asyncio
clients of MQTT have them, cost more than the message: a batch has one future, and what comes is handed on by a queue.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec

from lns.config import ConfigError
from lns.outlets.broker import Message
from lns.outlets.private_addresses import look_up
from lns.outlets.threads import begin

try:
    from paho.mqtt.client import Client, MQTTMessage, error_string
    from paho.mqtt.enums import CallbackAPIVersion
except ImportError as missing:
    raise ConfigError("the mqtt outlet needs the extra: pip install 'inflight-lns[mqtt]'") from missing

AT_LEAST_ONCE = 1
CONNECT_S = 5.0
IN_FLIGHT = 100
"""Messages that are sent ahead of their acknowledgements; brokers that limit it allow no fewer."""
HELD = 1000
"""Messages that have come and are not taken yet; brokers send at most some tens ahead of acknowledgements."""
LOOK_S = 1.0
"""How often the age of the connection is looked at."""
GONE = "the connection is closed"
NOTHING = "inflight/nothing"
"""Nobody has subscribed to it."""
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)  # Linux only


class MqttLost(Exception):
    """The connection is lost, or was refused."""


class Hello(msgspec.Struct, frozen=True):
    """Where a client connects to, and how it introduces itself.

    Its `will` topic gets "offline", retained, when it is lost. For one that is `lasting` the broker keeps, while it is
    away, its subscriptions and what it has not acknowledged.
    """

    host: str
    port: int
    client_id: str
    keepalive_s: int
    username: str = ""
    password: str | None = None
    tls: ssl.SSLContext | None = None
    will: str = ""
    lasting: bool = False

    def client(self) -> Client:
        """A client of paho that is not connected."""
        client = Client(
            CallbackAPIVersion.VERSION2,
            self.client_id,
            clean_session=not self.lasting,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_S
        client.max_inflight_messages_set(IN_FLIGHT)
        if self.username:
            client.username_pw_set(self.username, self.password)
        if self.tls is not None:
            client.tls_set_context(self.tls)
        if self.will:
            client.will_set(self.will, "offline", AT_LEAST_ONCE, retain=True)
        return client


class Incoming(msgspec.Struct, frozen=True):
    """A message that has come; the topic is empty where it is no text."""

    topic: str
    value: bytes
    mid: int
    qos: int


class Connection:
    """Made in a running loop; `open` comes first. `publish` takes one call at a time, and so does `arrived`.

    paho holds locks while it calls back: what it calls only notes what has happened.
    """

    def __init__(self, hello: Hello) -> None:
        self._hello, self._loop = hello, asyncio.get_running_loop()
        self._lost = ""
        self._waiters: set[asyncio.Future[None]] = set()
        self._ended, self._accepted = self._waiter(), self._waiter()
        self._done, self._arrival = self._waiter(), self._waiter()
        self._answers: dict[int, asyncio.Future[None]] = {}
        self._places: dict[int, int] = {}
        self._acknowledged: list[bool] = []
        self._held: deque[Incoming] = deque()
        self._overrun = False
        self._socket: Any = None  # while the loop looks after it
        self._look: asyncio.TimerHandle | None = None
        self.forgotten = 0
        """Messages sent at QoS 0, which come once, that came too fast."""
        client = self._client = hello.client()
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_publish, client.on_message = self._on_publish, self._on_message
        client.on_subscribe = client.on_unsubscribe = self._on_answer
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write, client.on_socket_unregister_write = self._want_write, self._want_no_write

    @property
    def lost(self) -> bool:
        """Nothing can be done with it any more."""
        return bool(self._lost)

    async def open(self) -> None:
        """MqttLost says why there is no connection. A name server, host or handshake that hangs holds up nobody."""
        hello = self._hello
        try:
            async with asyncio.timeout(CONNECT_S):
                await look_up(hello.host, hello.port)  # once for all who ask; paho asks again
                begin(f"mqtt connection to {hello.host}", self._connect).add_done_callback(self._opened)
                await self._accepted
        except TimeoutError:
            raise MqttLost(f"no answer within {CONNECT_S:g} s") from None
        except (OSError, UnicodeError) as error:
            raise MqttLost(str(error)) from error

    async def publish(self, messages: Sequence[Message], acknowledged: list[bool]) -> None:
        """Send in order; `acknowledged` says of each whether the broker has it, whatever ends the wait.

        MqttLost when the connection is lost. ValueError: a topic that cannot be.
        """
        self._check()
        self._places.clear()  # of a call that was cut off
        self._acknowledged = acknowledged
        self._done = self._waiter()
        for at, one in enumerate(messages):
            sent = self._client.publish(one.topic, one.value, AT_LEAST_ONCE, one.retain)
            if sent.rc:
                raise MqttLost(self._lost or error_string(sent.rc))
            self._places[sent.mid] = at
        if messages:
            await self._done

    async def subscribe(self, topics: Sequence[str]) -> None:
        """MqttLost when the connection is lost, or a subscription refused."""
        self._check()
        await self._answer(*self._client.subscribe([(topic, AT_LEAST_ONCE) for topic in topics]))

    async def settle(self) -> None:
        """Wait until the broker has read what was acknowledged: it answers in order. MqttLost: nobody knows."""
        self._check()
        await self._answer(*self._client.unsubscribe(NOTHING))

    async def arrived(self) -> Incoming:
        """The next message. MqttLost when the connection is lost: what was not acknowledged comes on another."""
        while True:
            if self._lost:
                raise MqttLost(self._lost)
            if self._held:
                return self._held.popleft()
            if self._overrun:
                raise MqttLost(f"more than {HELD} messages came at once, the rest is asked for again")
            self._arrival = self._waiter()
            await self._arrival

    def acknowledge(self, message: Incoming) -> None:
        """The broker may forget it; on a connection that is lost this does nothing."""
        self._client.ack(message.mid, message.qos)

    async def stay(self, seconds: float) -> None:
        """Wait as long as the connection lasts; MqttLost when it is lost."""
        await asyncio.wait([self._ended], timeout=seconds)
        if self._lost:
            raise MqttLost(self._lost)

    def close(self) -> None:
        """Say goodbye, as far as the broker listens; it then does not publish the will."""
        self._end(GONE)
        if self._socket is not None:
            self._client.disconnect()
            self._client.loop_write()  # which closes the socket behind the goodbye
        self._drop()

    def _connect(self) -> str:
        """Why it failed, in a thread of its own: an error itself would keep a socket open whose handshake failed."""
        hello = self._hello
        try:
            self._client.connect(hello.host, hello.port, hello.keepalive_s)
        except (OSError, ValueError) as error:
            return str(error) or type(error).__name__
        return ""

    def _opened(self, connecting: "asyncio.Future[str]") -> None:
        error = connecting.exception() or connecting.result()
        if error:
            self._end(str(error))
            return
        self._socket = self._client.socket()
        if self._lost:  # nobody waits for it any more
            self._drop()
        elif self._socket is None:
            self._end(GONE)
        else:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._loop.add_reader(self._socket.fileno(), self._read)
            if self._client.want_write():
                self._loop.add_writer(self._socket.fileno(), self._client.loop_write)
            self._look_after()

    def _read(self) -> None:
        held = self._socket
        self._client.loop_read()
        while isinstance(held, ssl.SSLSocket) and held is self._socket and held.pending():
            self._client.loop_read()  # what is decrypted already wakes nobody
        if self._places and self._socket is not None and _QUICKACK is not None:
            # a broker that waits until its last small packet is acknowledged (Nagle) would wait 40 ms of each batch
            with suppress(OSError):  # it is being closed
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def _look_after(self) -> None:
        self._client.loop_misc()
        if not self._lost:
            self._look = self._loop.call_later(LOOK_S, self._look_after)

    def _check(self) -> None:
        if self._lost or self._socket is None:
            raise MqttLost(self._lost or "it is not open")

    def _waiter(self) -> "asyncio.Future[None]":
        waiter: asyncio.Future[None] = self._loop.create_future()
        if self._lost:
            _fail(waiter, self._lost)
        else:
            self._waiters.add(waiter)
            waiter.add_done_callback(self._waiters.discard)
        return waiter

    async def _answer(self, rc: int, mid: int | None) -> None:
        if mid is None or rc:
            raise MqttLost(self._lost or error_string(rc))
        answer = self._answers[mid] = self._waiter()
        await answer

    def _end(self, why: str) -> None:
        if self._lost:
            return
        self._lost = why
        if self._look is not None:
            self._look.cancel()
        for waiter in tuple(self._waiters):
            _fail(waiter, why)
        self.forgotten += sum(not message.qos for message in self._held)

    def _drop(self) -> None:
        """Close what paho has left open: a socket that does not take the goodbye."""
        held = self._socket
        if held is not None:
            self._on_socket_close(self._client, None, held)
            held.close()

    def _on_connect(self, _client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._end(str(reason))
        else:
            _succeed(self._accepted)

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        text = str(reason)
        self._end("closed by the broker" if text == "Unspecified error" else text)

    def _on_publish(self, _client: Client, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        at = self._places.pop(mid, None)
        if at is not None:
            self._acknowledged[at] = True
            if not self._places:
                _succeed(self._done)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if self._overrun or len(self._held) >= HELD:
            self._overrun = True  # and nothing after it, to keep the order
            self.forgotten += not message.qos
            return
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        self._held.append(Incoming(topic, bytes(message.payload), message.mid, message.qos))
        _succeed(self._arrival)

    def _on_answer(self, _client: Client, _data: Any, mid: int, reasons: Any, _properties: Any) -> None:
        answer = self._answers.pop(mid, None)
        if answer is None:
            return
        if any(reason.is_failure for reason in reasons):
            _fail(answer, "the broker refuses the subscription")
        else:
            _succeed(answer)

    def _on_socket_close(self, _client: Client, _data: Any, closing: Any) -> None:
        if self._socket is not None:
            self._loop.remove_reader(closing.fileno())
            self._loop.remove_writer(closing.fileno())
            self._socket = None

    def _want_write(self, _client: Client, _data: Any, waiting: Any) -> None:
        if self._socket is not None:  # else the thread that connects calls, and `_opened` looks
            self._loop.add_writer(waiting.fileno(), self._client.loop_write)

    def _want_no_write(self, _client: Client, _data: Any, waiting: Any) -> None:
        if self._socket is not None:
            self._loop.remove_writer(waiting.fileno())


def _succeed(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)


def _fail(waiter: "asyncio.Future[None]", why: str) -> None:
    if not waiter.done():
        waiter.set_exception(MqttLost(why))
        waiter.exception()  # nobody may be waiting for it any more
