"""A gateway with real sockets that behaves like the Semtech packet forwarder: one for uplinks, one for downlinks.

It acknowledges nothing by itself and repeats nothing; what the server did not acknowledge is counted. Its `tmst` is a
32-bit counter of microseconds with a start of its own.
"""

import asyncio
import socket
from array import array
from collections.abc import Callable
from time import gmtime, monotonic, strftime, time_ns
from typing import Any

import msgspec

from lns.gateways import semtech
from lns.gateways.txpk import Txpk
from lns.lorawan.airtime import airtime_us
from lns.lorawan.gpstime import gps_from_unix, unix_from_gps
from lns.mac.frames import TxOutcome
from simulators.clock import Clock
from simulators.jit import IMMEDIATE_LEAD_US, JitQueue
from simulators.rxpk import HEAD

_WRAP = 0xFFFF_FFFF
_PUSH_DATA = b"%b" + HEAD + b"%d%b]}"
_BUFFER_OCTETS = 1 << 20


class Sent(msgspec.Struct, frozen=True, gc=False):
    """A downlink on the air; `due_us` is when it starts, `arrived_us` when its PULL_RESP came."""

    gateway: int
    txpk: Txpk
    due_us: int
    arrived_us: int


class Behaviour(msgspec.Struct, frozen=True):
    """Times in seconds, shares from 0 to 1."""

    keep_alive_s: float = 5.0
    stat_s: float = 30.0
    ack_timeout_s: float = 2.0  # a PUSH_DATA that is not acknowledged by then no longer counts as under way
    tx_ack_jitter_s: float = 0.002
    reject: float = 0.0  # downlinks that are refused with COLLISION_PACKET
    rxpk_per_datagram: int = 1
    transmitters: int = 1  # downlinks at a time; 0: any number
    has_gps: bool = False  # tells the GPS time of uplinks, and sends at one


class Surroundings(msgspec.Struct, frozen=True):
    """What a gateway stands in: a clock, a plan of frequencies, chance, and where its news go."""

    clock: Clock
    may_send: Callable[[int], bool]  # frequency in Hz
    uniform: Callable[[], float]
    on_acknowledged: Callable[[int, int, int], None]  # uplink, gateway, UTC microseconds
    on_air: Callable[[Sent], None]


class Gateway:
    """One gateway. `push` sends an uplink; accepted downlinks come out of `on_air` when their time has come."""

    def __init__(self, number: int, eui: str, behaviour: Behaviour, around: Surroundings) -> None:
        self.number = number
        self.eui = eui
        self.connected = asyncio.Event()
        self.datagrams = self.acknowledged = self.unacknowledged = 0
        self.pull_resps = self.ignored = self.scheduled = 0
        self.refused: dict[str, int] = {}
        self.ack_s = array("f")
        self.lead_us = array("l")
        self.pending: dict[int, tuple[float, tuple[int, ...]]] = {}
        self._behaviour, self._around = behaviour, around
        self._on_acknowledged = around.on_acknowledged
        self._tmst_offset = int(around.uniform() * _WRAP)
        self._jit = JitQueue(behaviour.transmitters)
        self._token = int(around.uniform() * 0xFFFF)
        self._expired: dict[int, tuple[int, ...]] = {}
        self._collected: list[tuple[int, bytes, int]] = []
        self._eui_octets = bytes.fromhex(eui)
        self._keep_alive_at = self._stat_at = 0.0
        self._buffer = bytearray(2048)
        self._sockets: list[socket.socket] = []

    async def open(self, host: str, port: int, timeout_s: float = 10.0) -> None:
        """Connect both sockets and wait for the first PULL_ACK. TimeoutError when none comes."""
        loop = asyncio.get_running_loop()
        family, _, _, _, address = (await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM))[0]
        self._loop = loop
        self._address = address
        self._up, self._down = self._sockets = [_socket(family) for _ in range(2)]
        loop.add_reader(self._up.fileno(), self._drain_up)
        loop.add_reader(self._down.fileno(), self._drain_down)
        async with asyncio.timeout(timeout_s):
            while not self.connected.is_set():
                self._pull_data(monotonic())
                try:
                    await asyncio.wait_for(self.connected.wait(), 0.5)
                except TimeoutError:
                    continue

    def close(self) -> None:
        for sock in self._sockets:
            self._loop.remove_reader(sock.fileno())
            sock.close()
        self._sockets.clear()

    def push(self, end_us: int, tail: bytes, uplink: int) -> None:
        """Forward the copy of a frame whose reception ended at `end_us`; `tail` is the rest of its rxpk."""
        tmst = (end_us + self._tmst_offset) & _WRAP
        if self._behaviour.has_gps:
            tail = b',"tmms":%d%b' % (round(gps_from_unix(end_us / 1e6) * 1000), tail)
        if self._behaviour.rxpk_per_datagram == 1:
            self._send(_PUSH_DATA % (self._header(b'{"rxpk":['), tmst, tail), (uplink,))
            return
        self._collected.append((tmst, tail, uplink))
        if len(self._collected) == self._behaviour.rxpk_per_datagram:
            self.flush()

    def flush(self) -> None:
        """Forward what waits for company in its datagram."""
        if self._collected:
            rxpk = b",".join([HEAD + b"%d%b" % (tmst, tail) for tmst, tail, _ in self._collected])
            uplinks = tuple([uplink for _, _, uplink in self._collected])
            self._collected.clear()
            self._send(self._header(b'{"rxpk":[') + rxpk + b"]}", uplinks)

    def deadline(self) -> float:
        """When `expire` has something to do, in monotonic seconds."""
        oldest = next(iter(self.pending.values()), (float("inf"), ()))[0] + self._behaviour.ack_timeout_s
        return min(self._keep_alive_at, self._stat_at, oldest)

    def expire(self, now: float) -> None:
        """Keep the link alive, report, and give up what was not acknowledged; `now` in monotonic seconds."""
        if now >= self._keep_alive_at:
            self._pull_data(now)
        if now >= self._stat_at:
            self._stat(now)
        for token, (sent_at, uplinks) in list(self.pending.items()):
            if sent_at + self._behaviour.ack_timeout_s > now:
                break
            del self.pending[token]
            self._expired[token] = uplinks
            self.unacknowledged += 1

    def _header(self, body: bytes) -> bytes:
        self._token = token = (self._token + 1) & 0xFFFF
        return b"\x02%c%c\x00%b%b" % (token >> 8, token & 0xFF, self._eui_octets, body)

    def _send(self, datagram: bytes, uplinks: tuple[int, ...]) -> None:
        token = self._token
        if token in self.pending:
            del self.pending[token]
            self.unacknowledged += 1
        self._expired.pop(token, None)
        self.pending[token] = (monotonic(), uplinks)
        self.datagrams += 1
        _send(self._up, datagram, self._address)

    def _drain_up(self) -> None:
        receive, buffer, pending = self._up.recv_into, self._buffer, self.pending
        now, now_us = monotonic(), time_ns() // 1000
        while True:
            try:
                size = receive(buffer)
            except BlockingIOError:
                return
            if size < 4 or buffer[3] != semtech.PUSH_ACK:
                continue
            token = buffer[1] << 8 | buffer[2]
            found = pending.pop(token, None)
            if found is not None:
                self.ack_s.append(now - found[0])
                uplinks = found[1]
            elif token in self._expired:
                uplinks = self._expired.pop(token)
                self.unacknowledged -= 1
            else:
                continue
            self.acknowledged += 1
            for uplink in uplinks:
                self._on_acknowledged(uplink, self.number, now_us)

    def _drain_down(self) -> None:
        while True:
            try:
                datagram = self._down.recv(2048)
            except BlockingIOError:
                return
            message = semtech.parse_server(datagram)
            if isinstance(message, semtech.PullAck):
                self.connected.set()
            elif isinstance(message, semtech.PullResp):
                self._pull_resp(message.token, message.txpk)

    def _pull_resp(self, token: bytes, txpk: Txpk | None) -> None:
        self.pull_resps += 1
        if txpk is None:  # a forwarder says nothing to what it cannot read
            self.ignored += 1
            return
        now_us = self._around.clock.now_us()
        if txpk.gps_time_ms is not None:
            due_us = round(unix_from_gps(txpk.gps_time_ms / 1000) * 1e6)
        elif txpk.tmst_us is None:
            due_us = now_us + IMMEDIATE_LEAD_US
        else:
            # unsigned: a time in the past is far in the future
            due_us = now_us + ((txpk.tmst_us - now_us - self._tmst_offset) & _WRAP)
            self.lead_us.append(due_us - now_us if due_us - now_us < 1 << 31 else due_us - now_us - (1 << 32))
        error = self._refuses(txpk, now_us, due_us)
        if error is None:
            self.scheduled += 1
            sent = Sent(self.number, txpk, due_us, now_us)
            self._loop.call_later((due_us - now_us) / 1e6, self._transmit, sent)
        else:
            self.refused[error] = self.refused.get(error, 0) + 1
        ack = semtech.build_tx_ack(token, self.eui, TxOutcome(error is None, error))
        jitter_s = self._around.uniform() * self._behaviour.tx_ack_jitter_s
        self._loop.call_later(jitter_s, _send, self._down, ack, self._address)

    def _refuses(self, txpk: Txpk, now_us: int, due_us: int) -> str | None:
        if not self._around.may_send(txpk.freq_hz):
            return "TX_FREQ"
        if txpk.gps_time_ms is not None and not self._behaviour.has_gps:
            return "GPS_UNLOCKED"
        if self._behaviour.reject and self._around.uniform() < self._behaviour.reject:
            return "COLLISION_PACKET"
        return self._jit.offer(now_us, due_us, airtime_us(txpk.modulation, len(txpk.phy_payload), uplink=False))

    def _transmit(self, sent: Sent) -> None:
        self.scheduled -= 1
        self._around.on_air(sent)

    def _pull_data(self, now: float) -> None:
        self._keep_alive_at = now + self._behaviour.keep_alive_s
        self._token = token = (self._token + 1) & 0xFFFF
        _send(self._down, semtech.build_pull_data(token.to_bytes(2, "big"), self.eui), self._address)

    def _stat(self, now: float) -> None:
        self._stat_at = now + self._behaviour.stat_s
        self._token = token = (self._token + 1) & 0xFFFF
        answered = 100.0 * self.acknowledged / self.datagrams if self.datagrams else 100.0
        stat = {
            "time": strftime("%Y-%m-%d %H:%M:%S GMT", gmtime(self._around.clock.now_us() // 1_000_000)),
            "lati": 47.37 + 0.01 * self.number,
            "long": 8.54,
            "alti": 430,
            "rxnb": self.datagrams,
            "rxok": self.datagrams,
            "rxfw": self.datagrams,
            "ackr": round(answered, 1),
            "dwnb": self.pull_resps,
            "txnb": self.pull_resps - self.ignored - sum(self.refused.values()),
        }
        _send(self._up, semtech.build_push_data(token.to_bytes(2, "big"), self.eui, [], stat), self._address)


def _socket(family: int) -> socket.socket:
    # not connected, unlike the forwarder's: an answer "nobody listens" to a connected socket ends libuv's interest in
    # it, and a gateway has to outlive its server
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_OCTETS)
    return sock


def _send(sock: socket.socket, datagram: bytes, address: tuple[Any, ...]) -> None:
    """Send if the system takes it. UDP promises nothing, and what is not acknowledged is counted anyway."""
    try:
        sock.sendto(datagram, address)
    except BlockingIOError:
        return
