"""The listener with real sockets on loopback; a gateway has one for uplinks and one for downlinks, as forwarders do."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import msgspec
import pytest

from lns import metrics
from lns.config import ConfigError, Udp
from lns.gateways import semtech
from lns.gateways.link import Limit, State
from lns.gateways.links import GatewayEvent, Happening, Links
from lns.gateways.semtech_udp import MAX_DATAGRAMS_PER_WAKE_UP, SemtechUdp
from lns.lorawan.modulation import Lora, LrFhss
from lns.mac.frames import Reception, Transmission, TxOutcome
from tests.gateways.packets import GOOD, HEARD

A, B = "ce0513ae8d021d81", "ce0513ae8d021d82"
DEADLINE_S = 5.0
DOWNLINK = Transmission(b"\x60" * 12, A, 869_525_000, Lora(12, 125_000), 14, 5)


class Listener:
    """A running listener and what came out of it."""

    def __init__(self, config: Udp) -> None:
        self.links = Links(config)
        self.receptions: list[Reception] = []
        self.events: list[GatewayEvent] = []
        self.outcomes: list[TxOutcome | None] = []
        self.udp = SemtechUdp(config, self.links, self._receive, self.events.append)
        self.port = 0

    def _receive(self, receptions: list[Reception], now: float) -> None:
        assert abs(now - time.monotonic()) < DEADLINE_S
        self.receptions += receptions

    def send(self, transmission: Transmission) -> str | None:
        return self.udp.send(transmission, self.outcomes.append)


@asynccontextmanager
async def listening(**settings: Any) -> AsyncIterator[Listener]:
    listener = Listener(Udp(host="127.0.0.1", port=0, **settings))
    listener.port = await listener.udp.start()
    try:
        yield listener
    finally:
        await listener.udp.close()


class Gateway:
    """The two sockets of a gateway."""

    def __init__(self, listener: Listener, eui: str = A, host: str = "127.0.0.1", version: int = 2) -> None:
        self.eui, self.version = eui, version
        self._address = ("127.0.0.1", listener.port)
        self.up, self.down = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for sock in (self.up, self.down):
            sock.setblocking(False)
            sock.bind((host, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.up.close()
        self.down.close()

    async def push(self, rxpk: dict[str, Any] | None = None, token: bytes = b"\0\1") -> bytes:
        """Send an uplink; returns the acknowledgement."""
        self.push_only(rxpk, token)
        return await receive(self.up)

    def push_only(self, rxpk: dict[str, Any] | None = None, token: bytes = b"\0\1") -> None:
        datagram = semtech.build_push_data(token, self.eui, [GOOD if rxpk is None else rxpk], version=self.version)
        self.up.sendto(datagram, self._address)

    async def pull(self, token: bytes = b"\0\2") -> bytes:
        """Keep the link alive; returns the acknowledgement."""
        self.down.sendto(semtech.build_pull_data(token, self.eui, self.version), self._address)
        return await receive(self.down)

    def tx_ack(self, token: bytes, outcome: TxOutcome) -> None:
        self.down.sendto(semtech.build_tx_ack(token, self.eui, outcome), self._address)

    def raw(self, datagram: bytes) -> None:
        self.up.sendto(datagram, self._address)


async def receive(sock: socket.socket) -> bytes:
    async with asyncio.timeout(DEADLINE_S):
        return await asyncio.get_running_loop().sock_recv(sock, 65_535)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0)


def nothing_waits(sock: socket.socket) -> bool:
    try:
        sock.recv(65_535)
    except BlockingIOError:
        return True
    return False


def heard_by(eui: str, reception: Reception) -> Reception:
    """HEARD as this gateway's, at whatever time it came."""
    return msgspec.structs.replace(HEARD, gateway_eui=eui, received_at_us=reception.received_at_us)


# --- uplinks


async def test_two_gateways_are_acknowledged_and_heard() -> None:
    async with listening() as listener:
        listener.links.load([(A, None), (B, None)])
        before_us = time.time_ns() // 1000
        with Gateway(listener, A) as first, Gateway(listener, B, version=1) as second:
            assert await first.push(token=b"\x12\x34") == b"\x02\x12\x34\x01"
            assert await second.push(token=b"\x56\x78") == b"\x01\x56\x78\x01"
            assert await first.pull(token=b"\x9a\xbc") == b"\x02\x9a\xbc\x04"
        assert [heard_by(eui, r) for eui, r in zip((A, B), listener.receptions, strict=True)] == listener.receptions
        for reception in listener.receptions:
            assert before_us <= reception.received_at_us <= time.time_ns() // 1000
        assert [link.uplinks for link in listener.links.all()] == [1, 1]
        assert listener.events == []


async def test_what_is_lost_of_a_gateways_frames_is_counted() -> None:
    async with listening() as listener:
        listener.links.accept(A)
        with Gateway(listener) as gateway:
            before = {outcome: metrics.frames.values.get((A, outcome), 0) for outcome in ("crc_bad", "unusable")}
            await gateway.push(GOOD | {"stat": -1})
            await gateway.push(GOOD | {"freq": 0})
            await gateway.push(GOOD | {"rssi": "loud"})
            gateway.raw(bytes.fromhex("02000000" + A) + b"nonsense")
            assert await receive(gateway.up) == bytes.fromhex("02000001")
        link = listener.links.get(A)
        assert link is not None
        assert link.problems == {"crc_bad": 1, "bad_freq": 1, "odd_rssi": 1, "bad_json": 1}
        assert (link.uplinks, len(listener.receptions)) == (1, 1)
        assert {outcome: metrics.frames.values[A, outcome] - count for outcome, count in before.items()} == {
            "crc_bad": 1,
            "unusable": 1,
        }
        assert metrics.gateway_problems.values[A, "odd_rssi"] >= 1


async def test_what_is_no_datagram_of_the_protocol_gets_no_answer() -> None:
    async with listening(accept_unknown_gateways=True) as listener:
        with Gateway(listener) as gateway:
            blank = metrics.datagrams.values.get(("push_data", "blank"), 0)
            for datagram in (b"", b"\x03" + bytes(20), b"\x02\0\0\x01", bytes.fromhex("02000000" + A)):
                gateway.raw(datagram)
            # loopback keeps the order, so this answer would come after the others
            assert await gateway.push(token=b"\xff\xff") == b"\x02\xff\xff\x01"
            assert nothing_waits(gateway.up)
        assert metrics.datagrams.values["push_data", "blank"] == blank + 1


async def test_more_than_one_wake_up_reads_is_read_in_the_next() -> None:
    async with listening() as listener:
        listener.links.accept(A)
        with Gateway(listener) as gateway:
            for _ in range(MAX_DATAGRAMS_PER_WAKE_UP + 10):
                gateway.push_only()
            await until(lambda: len(listener.receptions) == MAX_DATAGRAMS_PER_WAKE_UP + 10)


async def test_what_has_arrived_is_read_before_a_stop_and_sending_goes_on() -> None:
    async with listening() as listener:
        listener.links.accept(A)
        with Gateway(listener) as gateway:
            await gateway.pull()
            for _ in range(MAX_DATAGRAMS_PER_WAKE_UP + 10):
                gateway.push_only()
            listener.udp.stop_receiving()
            assert len(listener.receptions) == MAX_DATAGRAMS_PER_WAKE_UP + 10
            assert listener.send(DOWNLINK) is None
            assert isinstance(semtech.parse_server(await receive(gateway.down)), semtech.PullResp)


# --- who is served


async def test_an_unknown_gateway_is_acknowledged_and_listed_but_not_served_until_accepted() -> None:
    async with listening() as listener:
        with Gateway(listener) as gateway:
            assert await gateway.push() == b"\x02\x00\x01\x01"
            assert await gateway.pull() == b"\x02\x00\x02\x04"
            gateway.tx_ack(b"\0\3", TxOutcome(True))
            assert await gateway.push() == b"\x02\x00\x01\x01"
            assert listener.receptions == []
            assert listener.send(DOWNLINK) == "gateway is not accepted"
            assert nothing_waits(gateway.down)
            (shown,) = listener.links.snapshot()
            assert (shown["eui"], shown["state"], shown["uplinks"]) == (A, "seen", 0)
            assert [(event.happening, event.gateway_eui) for event in listener.events] == [(Happening.SEEN, A)]

            listener.links.accept(A)
            await gateway.push()
            assert [heard_by(A, r) for r in listener.receptions] == listener.receptions
            assert len(listener.receptions) == 1
            # the keep-alive it sent as a stranger is enough for a downlink
            assert listener.send(DOWNLINK) is None
            assert isinstance(semtech.parse_server(await receive(gateway.down)), semtech.PullResp)


async def test_a_setting_serves_every_gateway() -> None:
    async with listening(accept_unknown_gateways=True) as listener:
        with Gateway(listener) as gateway:
            await gateway.push()
        assert len(listener.receptions) == 1
        assert [event.state for event in listener.events] == [State.ACCEPTED]


async def test_a_blocked_gateway_is_not_even_answered() -> None:
    async with listening(accept_unknown_gateways=True) as listener:
        listener.links.block(A)
        with Gateway(listener) as blocked, Gateway(listener, B) as other:
            blocked.push_only()
            await other.push()
            assert nothing_waits(blocked.up)
        assert [reception.gateway_eui for reception in listener.receptions] == [B]


async def test_a_flooding_gateway_is_limited_and_the_other_is_served() -> None:
    async with listening(max_datagrams_per_s=50) as listener:
        listener.links.load([(A, None), (B, None)])
        limited = metrics.gateway_limited.values.get((A, "flooding"), 0)
        with Gateway(listener, A) as flooding, Gateway(listener, B) as other:
            for round_ in range(20):
                for _ in range(50):
                    flooding.push_only()
                assert await other.push(token=bytes((1, round_))) == bytes((2, 1, round_, 1))
        link = listener.links.get(A)
        assert link is not None
        assert link.uplinks + link.limited[Limit.FLOODING] == 1000
        assert metrics.gateway_limited.values[A, "flooding"] - limited == link.limited[Limit.FLOODING] > 0
        assert [r.gateway_eui for r in listener.receptions].count(B) == 20
        assert [(event.happening, event.gateway_eui) for event in listener.events] == [(Happening.FLOODING, A)]


async def test_a_gateway_that_comes_from_two_addresses_is_held_to_one_change() -> None:
    async with listening(address_change_hold_s=3600) as listener:
        listener.links.accept(A)
        with Gateway(listener) as old, Gateway(listener, host="127.0.0.2") as new:
            await old.pull()
            await new.pull()
            old.push_only()
            old.push_only()
            await new.push()
            assert nothing_waits(old.up)
            assert [(event.happening, event.address, event.previous_address) for event in listener.events] == [
                (Happening.ADDRESS_CHANGED, "127.0.0.2", "127.0.0.1"),
                (Happening.ADDRESS_REFUSED, "127.0.0.1", "127.0.0.2"),
            ]
        assert len(listener.receptions) == 1


# --- downlinks


async def test_a_downlink_is_acknowledged_and_its_round_trip_measured() -> None:
    async with listening() as listener:
        listener.links.accept(A)
        with Gateway(listener) as gateway:
            await gateway.pull()
            assert listener.udp.round_trip_s(A) == 0.0
            assert listener.send(DOWNLINK) is None
            message = semtech.parse_server(await receive(gateway.down))
            assert isinstance(message, semtech.PullResp)
            assert message.txpk is not None
            assert (message.version, message.txpk.phy_payload, message.txpk.tmst_us) == (2, b"\x60" * 12, 5)
            assert listener.udp.deadline() is not None
            gateway.tx_ack(message.token, TxOutcome(False, "TOO_LATE"))
            await until(lambda: listener.outcomes == [TxOutcome(False, "TOO_LATE")])
            assert listener.udp.deadline() is None
            assert 0 < listener.udp.round_trip_s(A) < DEADLINE_S
            assert list(metrics.gateway_round_trip.read()) == [((A,), listener.udp.round_trip_s(A) * 1000)]
            assert listener.links.snapshot()[0]["downlinks"] == {"sent": 1, "accepted": 0, "refused": 1, "unknown": 0}


async def test_a_tx_ack_counts_for_its_own_gateway_and_once() -> None:
    async with listening() as listener:
        listener.links.load([(A, None), (B, None)])
        unmatched = metrics.datagrams.values.get(("tx_ack", "unmatched"), 0)
        with Gateway(listener, A) as gateway, Gateway(listener, B) as other:
            await gateway.pull()
            listener.send(DOWNLINK)
            token = (await receive(gateway.down))[1:3]
            other.tx_ack(token, TxOutcome(False, "TX_FREQ"))
            await other.pull()
            assert listener.outcomes == []
            gateway.tx_ack(token, TxOutcome(True))
            gateway.tx_ack(token, TxOutcome(True))
            await gateway.pull()
        assert listener.outcomes == [TxOutcome(True)]
        assert metrics.datagrams.values["tx_ack", "unmatched"] == unmatched + 2


async def test_a_tx_ack_that_cannot_be_read_tells_nothing() -> None:
    async with listening() as listener:
        listener.links.accept(A)
        with Gateway(listener) as gateway:
            await gateway.pull()
            listener.send(DOWNLINK)
            token = (await receive(gateway.down))[1:3]
            gateway.raw(b"\x02" + token + b"\x05" + bytes.fromhex(A) + b"nonsense")
            await until(lambda: listener.outcomes == [None])


async def test_without_a_tx_ack_nobody_knows_after_a_second() -> None:
    async with listening() as listener:
        listener.links.accept(A)
        with Gateway(listener) as gateway:
            await gateway.pull()
            listener.send(DOWNLINK)
            listener.send(DOWNLINK)
            deadline = listener.udp.deadline()
            assert deadline is not None
            assert 0.5 < deadline - time.monotonic() <= 1.0
            assert listener.udp.expire(deadline - 0.001) == []
            listener.links.forget(A)
            assert listener.udp.expire(deadline + 1) == [A, A]
            assert (listener.outcomes, listener.udp.deadline()) == ([None, None], None)


async def test_an_unanswered_downlink_is_counted() -> None:
    async with listening() as listener:
        listener.links.accept(A)
        with Gateway(listener) as gateway:
            await gateway.pull()
            listener.send(DOWNLINK)
            listener.udp.expire(time.monotonic() + 2)
        assert listener.links.snapshot()[0]["downlinks"] == {"sent": 1, "accepted": 0, "refused": 0, "unknown": 1}


async def test_no_two_awaited_downlinks_share_a_token() -> None:
    async with listening() as listener:
        listener.links.accept(A)
        with Gateway(listener) as gateway:
            await gateway.pull()
            tokens = set()
            for _ in range(2000):
                listener.send(DOWNLINK)
                tokens.add((await receive(gateway.down))[1:3])
        assert len(tokens) == 2000


async def test_a_version_1_gateway_has_no_tx_ack_to_wait_for() -> None:
    async with listening() as listener:
        listener.links.accept(A)
        with Gateway(listener, version=1) as gateway:
            await gateway.pull()
            assert listener.send(DOWNLINK) is None
            assert listener.outcomes == []
            assert (await receive(gateway.down))[0] == 1
            await until(lambda: listener.outcomes == [None])
            assert listener.udp.deadline() is None


async def test_downlinks_follow_the_newest_pull_data() -> None:
    async with listening() as listener:
        listener.links.accept(A)
        with (
            Gateway(listener) as old,
            Gateway(listener) as new_port,
            Gateway(listener, host="127.0.0.2") as new_host,
        ):
            for gateway in (old, new_port, new_host):
                await gateway.pull()
                # where its uplinks come from has no say
                await gateway.push()
                assert listener.send(DOWNLINK) is None
                assert isinstance(semtech.parse_server(await receive(gateway.down)), semtech.PullResp)
            assert nothing_waits(old.down)
            assert nothing_waits(new_port.down)
        shown = listener.links.snapshot()[0]
        assert (shown["address_changes"], shown["pull_address"].split(":")[0]) == (1, "127.0.0.2")


async def test_what_cannot_be_sent_is_said() -> None:
    async with listening() as listener:
        listener.links.accept(A)
        assert listener.send(msgspec.structs.replace(DOWNLINK, gateway_eui=B)) == "gateway is not accepted"
        with Gateway(listener) as gateway:
            await gateway.push()
            assert listener.send(DOWNLINK) == "gateway has sent no pull_data yet"
            await gateway.pull()
            assert (
                listener.send(msgspec.structs.replace(DOWNLINK, modulation=LrFhss(137_000, "1/3")))
                == "lr-fhss is for uplinks only"
            )
            link = listener.links.get(A)
            assert link is not None
            failed = metrics.datagrams.values.get(("pull_resp", "EINVAL"), 0)
            link.pulled(("127.0.0.1", 0), 2, 0)  # a port that the system refuses to send to
            assert listener.send(DOWNLINK) == "cannot send to 127.0.0.1: Invalid argument"
            assert metrics.datagrams.values["pull_resp", "EINVAL"] == failed + 1
        assert listener.outcomes == []
        assert listener.udp.round_trip_s(B) == 0.0


# --- start


async def test_a_taken_port_is_a_plain_sentence() -> None:
    async with listening() as first:
        second = SemtechUdp(Udp(host="127.0.0.1", port=first.port), first.links, lambda *_: None, lambda _: None)
        with pytest.raises(ConfigError) as error:
            await second.start()
        assert str(error.value) == f"udp port {first.port} on 127.0.0.1 is taken by another program"
        await second.close()


async def test_metrics_show_gateways_and_what_the_system_dropped() -> None:
    async with listening() as listener:
        listener.links.accept(A)
        text = metrics.exposition().decode()
    assert 'lns_gateways{state="accepted"} 1.0' in text
    assert "lns_udp_receive_drops 0.0" in text
    assert "lns_udp_receive_drops 0.0" not in metrics.exposition().decode()


async def test_the_snapshot_is_ready_for_json() -> None:
    async with listening() as listener:
        with Gateway(listener) as gateway:
            await gateway.push()
            await gateway.pull()
        json.dumps(listener.links.snapshot())
