"""Outlets of the whole server: messages a second from the first datagram until the last is marked as delivered.

Every uplink is one message for each outlet. The receivers of the webhooks are one process that answers 200 and does
nothing else; a dead endpoint takes connections and never answers. `python -m tests.bench.delivery PORT...` is that
process.
"""

import asyncio
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from simulators.provision import APPLICATION
from tests.bench import processes, stored
from tests.bench.figure import Figure, repeated
from tests.bench.fleet import DEVICES, Load, send
from tests.bench.server import Server, serving, temporary_folder

REPEATS = 3
OUTLETS = 100
RECEIVERS = 10
UPLINKS = 150  # of a round, to webhooks
BROKER_UPLINKS = 10_000
BATCH = 100
_GIVE_UP_S = 300.0
_START_S = 30.0
_LOOK_S = 0.005
_OUTLETS = f"/api/v1/applications/{APPLICATION}/outlets"
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)

SINGLE: Mapping[str, Any] = {"settings": {"body": "single"}, "sending": {}}
BATCHED: Mapping[str, Any] = {"settings": {"body": "array"}, "sending": {"batch": BATCH}}


class Round(msgspec.Struct, frozen=True):
    """Messages a second, and CPU microseconds of the server (its decoders included) for each."""

    rate: float
    cpu_us: float


def run() -> list[Figure]:
    """Webhooks, then brokers; a broker that is not installed here is left out, and said."""
    figures = webhooks()
    for name, measure in (("mqtt", _mqtt), ("amqp", _amqp), ("kafka", _kafka)):
        try:
            figures += measure(name)
        except pytest.skip.Exception as missing:
            print(f"left out: {missing}")
    return figures


def webhooks() -> list[Figure]:
    """A hundred endpoints, one message or many in a request, and the first with one of the hundred dead, in turns."""
    single, batched, dead, ratios = [], [], [], []
    with receiving(RECEIVERS) as urls, silent() as nowhere, _fed_server() as (server, api):
        for number in range(OUTLETS):
            _add(api, number, urls[number % RECEIVERS], SINGLE)
        for _ in range(REPEATS):
            single.append(measure(server, OUTLETS, UPLINKS))
            _replace(api, [0], [nowhere], SINGLE)
            dead.append(measure(server, OUTLETS - 1, UPLINKS))
            ratios.append(dead[-1].rate / single[-1].rate)
            _replace(api, [0], urls, SINGLE)
        _replace(api, range(OUTLETS), urls, BATCHED)
        batched = [measure(server, OUTLETS, UPLINKS) for _ in range(REPEATS)]
    return [
        *_figures("webhook.single", single),
        *_figures("webhook.batched", batched),
        *_figures("webhook.one_dead", dead),
        repeated("delivery.webhook.one_dead_ratio", "", ratios, 2),
    ]


def _mqtt(name: str) -> list[Figure]:
    from tests.brokers_debian import make_mosquitto

    with temporary_folder() as folder, make_mosquitto(folder) as broker:
        return _to_broker(name, {"host": "127.0.0.1", "port": broker.port})


def _amqp(name: str) -> list[Figure]:
    from tests.brokers_debian import make_rabbit

    with temporary_folder() as folder, make_rabbit(folder) as broker:
        asyncio.run(_bind(broker.port))
        return _to_broker(name, {"host": "127.0.0.1", "port": broker.port})


async def _bind(port: int) -> None:
    """A queue for all messages that nobody reads and that keeps the newest."""
    import aio_pika

    async with await aio_pika.connect(host="127.0.0.1", port=port) as connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange("inflight", aio_pika.ExchangeType.TOPIC, durable=True)
        queue = await channel.declare_queue("all", durable=True, arguments={"x-max-length": 1000})
        await queue.bind(exchange, "#")


def _kafka(name: str) -> list[Figure]:
    from tests.brokers import make_broker

    with temporary_folder() as folder, make_broker("tansu", folder) as broker:
        return _to_broker(name, {"bootstrap_servers": broker.address})


def _to_broker(kind: str, settings: Mapping[str, Any]) -> list[Figure]:
    """One outlet that sends up to a hundred devices' messages at once."""
    with _fed_server() as (server, api):
        body = {"name": kind, "kind": kind, "settings": settings, "sending": {"batch": BATCH}}
        api.post(_OUTLETS, json={**body, "filter": {"events": ["measurements"]}}).raise_for_status()
        measure(server, 1, BATCH)  # connections and topics
        return _figures(kind, [measure(server, 1, BROKER_UPLINKS) for _ in range(REPEATS)])


def _figures(name: str, rounds: Sequence[Round]) -> list[Figure]:
    return [
        repeated(f"delivery.{name}.messages_per_s", "1/s", [r.rate for r in rounds], 0),
        repeated(f"delivery.{name}.cpu_us_per_message", "us", [r.cpu_us for r in rounds], 0),
    ]


@contextmanager
def _fed_server() -> Iterator[tuple[Server, httpx.Client]]:
    """A server that knows its devices, and its API."""
    with temporary_folder() as folder, serving(folder) as server:
        stored.places(server, send(server, Load(gateways=1, uplinks=DEVICES)))
        headers = {"Authorization": f"Bearer {server.key}"}
        with httpx.Client(base_url=server.url, headers=headers, timeout=60) as api:
            yield server, api


def _add(api: httpx.Client, number: int, url: str, how: Mapping[str, Any]) -> None:
    settings = {"url": f"{url}/{number}", "allow_private": True, **how["settings"]}
    body = {"name": f"hook-{number}", "kind": "webhook", "settings": settings, "sending": how["sending"]}
    api.post(_OUTLETS, json={**body, "filter": {"events": ["measurements"]}}).raise_for_status()


def _replace(api: httpx.Client, numbers: Sequence[int], urls: Sequence[str], how: Mapping[str, Any]) -> None:
    for number in numbers:
        api.delete(f"{_OUTLETS}/hook-{number}").raise_for_status()
        _add(api, number, urls[number % len(urls)], how)


def measure(server: Server, outlets: int, uplinks: int) -> Round:
    """A round of uplinks, each of which `outlets` deliver. TimeoutError when they do not."""
    count = outlets * uplinks
    with closing(sqlite3.connect(f"{(server.data_dir / 'deliveries.db').as_uri()}?mode=ro", uri=True)) as log:
        until = _delivered(log) + count
        before_s = _cpu_s(server)
        first_us = send(server, Load(gateways=1, uplinks=uplinks)).first_us
        _wait(lambda: _delivered(log) >= until, _GIVE_UP_S, f"{count} messages were not delivered")
        last_us = time.time_ns() // 1000
        cpu_s = _cpu_s(server) - before_s
    return Round(count / (last_us - first_us) * 1e6, cpu_s / count * 1e6)


def _delivered(log: sqlite3.Connection) -> int:
    (rows,) = log.execute("SELECT rows FROM ended WHERE state = 'delivered'").fetchone()
    return int(rows)


def _cpu_s(server: Server) -> float:
    return sum(processes.cpu(server.pids()).values())


def _wait(done: Callable[[], bool], seconds: float, otherwise: str) -> None:
    give_up_at = time.monotonic() + seconds
    while not done():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"{otherwise} within {seconds:g} s")
        time.sleep(_LOOK_S)


@contextmanager
def silent() -> Iterator[str]:
    """The URL of an endpoint that takes connections and never answers."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(64)
        yield f"http://127.0.0.1:{deaf.getsockname()[1]}"


@contextmanager
def receiving(count: int) -> Iterator[list[str]]:
    """The URLs of so many receivers in a process of their own."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.delivery", *map(str, ports)], cwd=Path.cwd())
    try:
        _wait(lambda: all(map(_answers, ports)), _START_S, "the receivers did not start")
        yield [f"http://127.0.0.1:{port}" for port in ports]
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Receiver(asyncio.Protocol):
    """A connection: every request is answered with 200 once its body is there."""

    def __init__(self) -> None:
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        assert self._transport is not None
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._held, 0, end)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self._held) < size:
                return
            self._held = self._held[size:]
            self._transport.write(_ANSWER)


async def receive(ports: Sequence[int]) -> None:
    """Answer on all ports until the process is ended."""
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(Receiver, "127.0.0.1", port) for port in ports]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(receive([int(port) for port in sys.argv[1:]]))
