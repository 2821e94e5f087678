"""A simulated gateway on real sockets, against what the Semtech forwarder does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from time import monotonic

import msgspec
import pytest

from lns.gateways import semtech
from lns.gateways.semtech import PullData, PushData
from lns.lorawan.gpstime import gps_from_unix
from lns.lorawan.modulation import Lora
from lns.lorawan.regions import region
from lns.mac.frames import Transmission, TxOutcome
from simulators.clock import Clock
from simulators.gateway_udp import Behaviour, Gateway, Sent, Surroundings
from simulators.rxpk import Tails
from tests.simulators.server import Server, serving, until

EUI = "aa555a0000000007"
EU868 = region("EU868")
CHANNEL = EU868.uplink_channels[0]
TAIL = Tails(EU868).tail(CHANNEL, 5, -80, 7.0, b"AAEC", 3)


class Bench:
    """A gateway, its server and what the gateway told its surroundings."""

    def __init__(self, server: Server, behaviour: Behaviour) -> None:
        self.server = server
        self.clock = Clock()
        self.acknowledged: list[tuple[int, int]] = []
        self.sent: list[tuple[int, Sent]] = []
        around = Surroundings(
            clock=self.clock,
            may_send=EU868.uplink_channel_allowed,
            uniform=Random(1).random,
            on_acknowledged=lambda uplink, gateway, _: self.acknowledged.append((uplink, gateway)),
            on_air=lambda sent: self.sent.append((self.clock.now_us(), sent)),
        )
        self.gateway = Gateway(4, EUI, behaviour, around)

    async def tmst(self) -> tuple[int, int]:
        """An instant in UTC microseconds and what the gateway's counter was then, learnt from an uplink."""
        now_us = self.clock.now_us()
        before = len(self.server.pushes)
        self.gateway.push(now_us, TAIL, 0)
        await until(lambda: len(self.server.pushes) > before)
        tmst_us = self.server.pushes[-1].receptions[0].tmst_us
        assert tmst_us is not None
        return now_us, tmst_us

    async def downlink(self, lead_us: int, freq_hz: int = 868_100_000) -> TxOutcome | None:
        """Ask for a transmission `lead_us` from now; gives the TX_ACK."""
        now_us, tmst_us = await self.tmst()
        self.server.send(transmission((tmst_us + self.clock.now_us() - now_us + lead_us) & 0xFFFF_FFFF, freq_hz))
        before = len(self.server.outcomes)
        await until(lambda: len(self.server.outcomes) > before)
        token, outcome = self.server.outcomes[-1]
        assert token == b"\x00\x01"
        return outcome


def transmission(tmst_us: int | None, freq_hz: int = 868_100_000, phy: bytes = b"\x60hello") -> Transmission:
    return Transmission(phy, EUI, freq_hz, Lora(7, 125_000), 16.0, tmst_us)


@asynccontextmanager
async def bench(**behaviour: float) -> AsyncIterator[Bench]:
    async with serving() as server:
        made = Bench(server, Behaviour(tx_ack_jitter_s=0.0, **behaviour))
        try:
            await made.gateway.open("127.0.0.1", server.port)
            yield made
        finally:
            made.gateway.close()


async def test_opening_waits_for_the_first_pull_ack():
    async with bench() as b:
        assert [pull.gateway_eui for pull in b.server.pulls] == [EUI]
        assert b.gateway.connected.is_set()


async def test_opening_fails_without_a_server():
    async with serving() as server:
        server.deaf.add(PullData)
        b = Bench(server, Behaviour())
        with pytest.raises(TimeoutError):
            await b.gateway.open("127.0.0.1", server.port, timeout_s=0.1)
        b.gateway.close()


async def test_uplinks_carry_the_gateways_counter_and_are_acknowledged():
    async with bench() as b:
        end_us = b.clock.now_us()
        for n in range(3):
            b.gateway.push(end_us + n * 1000, TAIL, n)
        await until(lambda: len(b.acknowledged) == 3)
        assert b.acknowledged == [(0, 4), (1, 4), (2, 4)]
        assert (b.gateway.datagrams, b.gateway.acknowledged, len(b.gateway.pending)) == (3, 3, 0)
        receptions = [push.receptions[0] for push in b.server.pushes]
        assert [r.phy_payload for r in receptions] == [bytes.fromhex("000102")] * 3
        assert [(r.tmst_us - receptions[0].tmst_us) % 2**32 for r in receptions] == [0, 1000, 2000]
        assert len({push.token for push in b.server.pushes}) == 3


async def test_several_copies_travel_in_one_datagram():
    async with bench(rxpk_per_datagram=3) as b:
        for n in range(4):
            b.gateway.push(b.clock.now_us(), TAIL, n)
        await until(lambda: len(b.acknowledged) == 3)
        b.gateway.flush()
        await until(lambda: len(b.acknowledged) == 4)
        assert [len(push.receptions) for push in b.server.pushes] == [3, 1]
        assert b.gateway.datagrams == 2


async def test_an_unacknowledged_datagram_is_given_up_and_may_be_acknowledged_late():
    async with bench(ack_timeout_s=1.0) as b:
        b.server.deaf.add(PushData)
        b.gateway.push(b.clock.now_us(), TAIL, 9)
        await until(lambda: len(b.server.held) == 1)
        b.gateway.expire(monotonic() + 0.5)
        assert (b.gateway.unacknowledged, len(b.gateway.pending)) == (0, 1)
        b.gateway.expire(monotonic() + 1.5)
        assert (b.gateway.unacknowledged, len(b.gateway.pending)) == (1, 0)
        b.server.release()
        await until(lambda: b.acknowledged == [(9, 4)])
        assert (b.gateway.unacknowledged, b.gateway.acknowledged) == (0, 1)


async def test_a_second_acknowledgement_counts_for_nothing():
    async with bench() as b:
        b.server.deaf.add(PushData)
        b.gateway.push(b.clock.now_us(), TAIL, 1)
        await until(lambda: len(b.server.held) == 1)
        b.server.held *= 2
        b.server.release()
        b.server.deaf.clear()
        b.gateway.push(b.clock.now_us(), TAIL, 2)
        await until(lambda: (2, 4) in b.acknowledged)
        assert b.acknowledged == [(1, 4), (2, 4)]


async def test_sending_to_a_port_that_nobody_listens_on_is_no_error():
    async with bench() as b:
        b.server.transport.close()
        for n in range(5):
            b.gateway.push(b.clock.now_us(), TAIL, n)
            await asyncio.sleep(0)
        assert b.gateway.datagrams == 5


async def test_keep_alive_and_stat_are_sent_when_due():
    async with bench(keep_alive_s=5.0, stat_s=30.0) as b:
        now = monotonic()
        b.gateway.expire(now)  # the first stat is due at once
        await until(lambda: len(b.server.pushes) == 1)
        assert (len(b.server.pulls), b.server.pushes[0].receptions) == (1, [])
        assert b.server.pushes[0].stat is not None
        assert b.server.pushes[0].problems == []
        assert now + 4 < b.gateway.deadline() <= now + 5
        b.gateway.expire(now + 5.1)
        await until(lambda: len(b.server.pulls) == 2)
        assert len(b.server.pushes) == 1


async def test_a_downlink_is_sent_at_its_time():
    async with bench() as b:
        now_us, tmst_us = await b.tmst()
        b.server.send(transmission((tmst_us + 150_000) & 0xFFFF_FFFF))
        await until(lambda: len(b.sent) == 1)
        at_us, sent = b.sent[0]
        assert sent.due_us == now_us + 150_000, "the counter is exact: it names the uplink that is answered"
        assert sent.due_us <= at_us + 2000
        assert at_us < sent.due_us + 50_000
        assert (sent.gateway, sent.txpk.phy_payload, sent.txpk.invert_polarity) == (4, b"\x60hello", True)
        assert b.server.outcomes == [(b"\x00\x01", TxOutcome(True))]
        assert len(b.gateway.lead_us) == 1
        assert 0 < b.gateway.lead_us[0] < 150_000


@pytest.mark.parametrize(
    ("lead_us", "error"),
    [(-1_000_000, "TOO_EARLY"), (20_000, "TOO_LATE"), (600_000_000, "TOO_EARLY"), (300_000_000, None)],
)
async def test_downlinks_that_come_at_the_wrong_time_are_refused(lead_us, error):
    async with bench() as b:
        assert await b.downlink(lead_us) == TxOutcome(error is None, error)
        assert b.gateway.refused == ({} if error is None else {error: 1})


async def test_a_frequency_outside_the_region_is_refused():
    async with bench() as b:
        assert await b.downlink(300_000, freq_hz=915_000_000) == TxOutcome(False, "TX_FREQ")


async def test_downlinks_do_not_overlap():
    async with bench() as b:
        outcomes = [await b.downlink(400_000), await b.downlink(395_000)]
        assert outcomes == [TxOutcome(True), TxOutcome(False, "COLLISION_PACKET")]


async def test_a_share_of_downlinks_is_refused_on_demand():
    async with bench(reject=1.0) as b:
        assert await b.downlink(300_000) == TxOutcome(False, "COLLISION_PACKET")
        assert b.gateway.scheduled == 0


async def test_an_immediate_downlink_is_sent_soon():
    async with bench() as b:
        b.server.send(transmission(None))
        await until(lambda: len(b.sent) == 1)
        assert b.server.outcomes == [(b"\x00\x01", TxOutcome(True))]


async def test_an_unreadable_downlink_is_ignored_without_tx_ack():
    async with bench() as b:
        b.server.raw(EUI, b'\x02\x00\x09\x03{"txpk":{}}')
        b.server.raw(EUI, semtech.build_pull_resp(2, b"\x00\x0a", transmission(None)))
        await until(lambda: len(b.server.outcomes) == 1)
        assert b.server.outcomes[0][0] == b"\x00\x0a"
        assert (b.gateway.pull_resps, b.gateway.ignored) == (2, 1)


async def test_a_gateway_with_gps_tells_the_time_of_uplinks_and_sends_at_one():
    async with bench(has_gps=True) as b:
        now_us = b.clock.now_us()
        now_ms = round(gps_from_unix(now_us / 1e6) * 1000)
        b.gateway.push(now_us, TAIL, 1)
        await until(lambda: len(b.server.pushes) == 1)
        assert b.server.pushes[0].receptions[0].gps_time_ms == now_ms
        b.server.send(msgspec.structs.replace(transmission(None), gps_time_ms=now_ms + 150))
        await until(lambda: len(b.sent) == 1)
        assert abs(b.sent[0][1].due_us - (now_us + 150_000)) <= 1000


async def test_a_gateway_without_gps_refuses_a_time():
    async with bench() as b:
        b.server.send(msgspec.structs.replace(transmission(None), gps_time_ms=1_450_000_000_000))
        await until(lambda: len(b.server.outcomes) == 1)
        assert b.server.outcomes[0][1] == TxOutcome(False, "GPS_UNLOCKED")
