"""The Semtech UDP listener: a socket between the gateways and the network. What it reads is parsed in `semtech`."""

import asyncio
import errno
import secrets
import socket
import time
from collections.abc import Callable, Iterable

from lns import metrics
from lns.config import Udp
from lns.gateways import semtech, udp_socket
from lns.gateways.link import Address, Limit, Link, Path, State
from lns.gateways.links import GatewayEvent, Links
from lns.gateways.semtech import PullData, PushData, TxAck
from lns.gateways.tx_acks import AwaitedTxAcks, OnOutcome
from lns.mac.frames import Reception, Transmission

MAX_DATAGRAMS_PER_WAKE_UP = 256
"""Then the rest of the program gets its turn."""

DATAGRAMS_PER_ANSWER = 64
"""Acknowledgements leave together after so many datagrams: one by one, each would wake the gateway's process anew, and
that costs both sides more than everything else of a datagram. It delays the first of them by about a millisecond."""

MAX_DATAGRAMS_AT_STOP = 100_000
"""What is read at most before a stop, if gateways do not pause."""

_LARGEST_DATAGRAM = 65_535

# kept: on Python 3.11 an enum member by name costs 0.2 us
_ACCEPTED, _PUSH, _PULL = State.ACCEPTED, Path.PUSH, Path.PULL

_KINDS = {semtech.PUSH_DATA: "push_data", semtech.PULL_DATA: "pull_data", semtech.TX_ACK: "tx_ack"}
_COSTS_NO_FRAME = frozenset(("bad_json", "bad_status", "too_many_rxpk"))

OnReceptions = Callable[[list[Reception], float], None]
OnGateway = Callable[[GatewayEvent], None]


class SemtechUdp:
    """Receives, acknowledges, sends. Receptions of accepted gateways go to `on_receptions` with the monotonic time."""

    def __init__(self, config: Udp, links: Links, on_receptions: OnReceptions, on_gateway: OnGateway) -> None:
        self._config, self._links = config, links
        self._on_receptions, self._on_gateway = on_receptions, on_gateway
        self._tx_acks = AwaitedTxAcks()
        self._socket: socket.socket | None = None
        self._receiving = False
        self._acknowledgements: list[tuple[bytes, Address]] = []

    async def start(self) -> int:
        """Listen; returns the port. ConfigError when the address cannot be had."""
        self._socket = udp_socket.bind(self._config.host, self._config.port)
        udp_socket.ask_for_buffer(self._socket, self._config.receive_buffer_bytes)
        asyncio.get_running_loop().add_reader(self._socket, self._receive)
        self._receiving = True
        metrics.gateways.read = self._links.by_state
        metrics.gateway_round_trip.read = self._links.round_trips
        metrics.udp_receive_drops.read = self._receive_drops
        port: int = self._socket.getsockname()[1]
        return port

    def stop_receiving(self) -> None:
        """Read what has arrived, then no more; sending goes on."""
        if self._receiving:
            asyncio.get_running_loop().remove_reader(self._open_socket())
            self._receiving = False
            self._receive(MAX_DATAGRAMS_AT_STOP)

    async def close(self) -> None:
        """Stop for good."""
        self.stop_receiving()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open_socket(self) -> socket.socket:
        assert self._socket is not None, "start() was not called"
        return self._socket

    # --- receiving

    def _receive(self, at_most: int = MAX_DATAGRAMS_PER_WAKE_UP) -> None:
        receive_from, handle, monotonic = self._open_socket().recvfrom, self._handle, time.monotonic
        for _ in range(at_most):
            try:
                datagram, address = receive_from(_LARGEST_DATAGRAM)
            except BlockingIOError:
                break
            handle(datagram, address, monotonic())
            if len(self._acknowledgements) >= DATAGRAMS_PER_ANSWER:
                self._acknowledge()
        self._acknowledge()
        self._tell_events()

    def _acknowledge(self) -> None:
        """Send the acknowledgements that have gathered."""
        for acknowledgement, address in self._acknowledgements:
            self._send(acknowledgement, address, "ack")
        self._acknowledgements.clear()

    def _tell_events(self) -> None:
        if self._links.events:
            for event in self._links.take_events():
                self._on_gateway(event)

    def _handle(self, datagram: bytes, address: Address, now: float) -> None:
        key = semtech.sender(datagram)
        if key is None:
            message = semtech.parse(datagram, 0)
            metrics.datagrams.inc("other", message.reason if isinstance(message, semtech.Bad) else "")
            return
        kind = datagram[3]
        at_us = time.time_ns() // 1000
        link = self._links.admit(key, _PUSH if kind == semtech.PUSH_DATA else _PULL, address, now, at_us)
        if isinstance(link, Limit):
            metrics.datagrams.inc(_KINDS[kind], link.value)
            return
        if link.state is _ACCEPTED:
            self._serve(link, datagram, address, now, at_us)
            return
        metrics.datagrams.inc(_KINDS[kind], "not_accepted")
        acknowledgement = semtech.acknowledgement(datagram)
        if acknowledgement is not None:
            self._acknowledgements.append((acknowledgement, address))
        if kind == semtech.PULL_DATA:
            link.pulled(address, datagram[0], at_us)

    def _serve(self, link: Link, datagram: bytes, address: Address, now: float, at_us: int) -> None:
        message = semtech.parse(datagram, at_us)
        answer = semtech.reply(message)
        if answer is not None:
            self._acknowledgements.append((answer, address))
        if isinstance(message, PushData):
            self._pushed(link, message, now)
        elif isinstance(message, PullData):
            metrics.datagrams.inc("pull_data", "ok")
            link.pulled(address, message.version, at_us)
        elif isinstance(message, TxAck):
            self._acknowledged(link, message, now)
        else:
            metrics.datagrams.inc("push_data", message.reason)

    def _pushed(self, link: Link, message: PushData, now: float) -> None:
        metrics.datagrams.inc("push_data", "ok")
        link.pushed(len(message.receptions), message.stat, message.problems)
        for problem in message.problems:
            metrics.gateway_problems.inc(link.eui, problem)
            if problem.startswith("crc_"):
                metrics.frames.inc(link.eui, problem)
            elif problem.startswith("bad_") and problem not in _COSTS_NO_FRAME:
                metrics.frames.inc(link.eui, "unusable")
        if message.receptions:
            metrics.frames.inc(link.eui, "received", n=len(message.receptions))
            self._on_receptions(message.receptions, now)

    def _acknowledged(self, link: Link, message: TxAck, now: float) -> None:
        awaited = self._tx_acks.take(link.eui, message.token)
        if awaited is None:
            metrics.datagrams.inc("tx_ack", "unmatched")
            return
        outcome = message.outcome
        metrics.datagrams.inc(
            "tx_ack", "unreadable" if outcome is None else "accepted" if outcome.accepted else "refused"
        )
        link.answered(outcome, (now - awaited.sent_at) * 1000)
        awaited.on_outcome(outcome)

    # --- sending

    def send(self, transmission: Transmission, on_outcome: OnOutcome) -> str | None:
        """Send a PULL_RESP; returns why it could not be sent, else None, and then `on_outcome` is called once.

        Its argument is None when nobody knows: the TX_ACK did not come or cannot be read, or the gateway speaks
        version 1, which has none.
        """
        link = self._links.get(transmission.gateway_eui)
        if link is None or link.state is not State.ACCEPTED:
            return "gateway is not accepted"
        if link.pull_address is None or link.version is None:
            return "gateway has sent no pull_data yet"
        token = secrets.token_bytes(2)
        while (link.eui, token) in self._tx_acks:
            token = secrets.token_bytes(2)
        try:
            datagram = semtech.build_pull_resp(link.version, token, transmission)
        except ValueError as error:
            return str(error)
        problem = self._send(datagram, link.pull_address, "pull_resp")
        if problem is not None:
            return problem
        link.downlinks["sent"] += 1
        if link.version == 1:
            link.answered(None, None)
            asyncio.get_running_loop().call_soon(on_outcome, None)
        else:
            self._tx_acks.add(link.eui, token, on_outcome, time.monotonic())
        return None

    def _send(self, datagram: bytes, address: Address, kind: str) -> str | None:
        try:
            self._open_socket().sendto(datagram, address)
        except OSError as error:
            metrics.datagrams.inc(kind, errno.errorcode.get(error.errno or 0, "failed"))
            return f"cannot send to {address[0]}: {error.strerror}"
        metrics.datagrams.inc(kind, "sent")
        return None

    def round_trip_s(self, gateway_eui: str) -> float:
        """Smoothed time from PULL_RESP to TX_ACK; 0 while unknown."""
        link = self._links.get(gateway_eui)
        return 0.0 if link is None or link.round_trip_ms is None else link.round_trip_ms / 1000

    def deadline(self) -> float | None:
        """When `expire` has something to do."""
        return self._tx_acks.deadline()

    def expire(self, now: float) -> list[str]:
        """Give up on TX_ACKs; returns the EUIs of the gateways that owe them."""
        expired = self._tx_acks.expire(now)
        for awaited in expired:
            metrics.datagrams.inc("tx_ack", "missing")
            link = self._links.get(awaited.gateway_eui)
            if link is not None:
                link.answered(None, None)
            awaited.on_outcome(None)
        return [awaited.gateway_eui for awaited in expired]

    def _receive_drops(self) -> Iterable[tuple[tuple[str, ...], float]]:
        return [] if self._socket is None else [((), udp_socket.receive_drops(self._socket))]
